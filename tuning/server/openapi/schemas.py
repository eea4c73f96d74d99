"""Resources as JSON Schema (https://json-schema.org/draft/2020-12), read off the dataclasses themselves.

The schemas say what is written and the plainest way to send it; reading is more lenient (:mod:`tuning.wire`).
"""

from collections.abc import Iterator
from dataclasses import is_dataclass
from datetime import datetime
from enum import IntEnum
from types import UnionType
from typing import Any, Union, get_args, get_origin

from tuning import resources, wire

Schema = dict[str, Any]

SCALARS: dict[Any, Schema] = {
    int: {"type": "integer", "format": "int32"},
    float: {"type": "number", "format": "float"},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
}
NO_NUMBER: Schema = {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]}
INT64: Schema = {"type": "string", "format": "int64", "pattern": "^-?[0-9]{1,19}$"}

PACKED = {"metadata": resources.CreateTunedModelMetadata, "response": resources.TunedModel}
"""What an operation carries with its ``@type``."""


def reference(kind: type) -> Schema:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def message(kind: type) -> Schema:
    """The schema of the dataclass ``kind``; messages within are references."""
    properties = {name: _value(name, field) for name, field in wire.shape(kind).items()}
    if kind is resources.Operation:
        properties |= {name: _packed(packed) for name, packed in PACKED.items()}
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": kind is resources.Unread}
    return schema | {"description": about} if (about := _about(kind)) else schema


def within(kind: type) -> Iterator[type]:
    """``kind`` and every message in it, each once."""
    seen = [kind]
    for found in seen:
        seen += [part for part in map(_message_in, wire.shape(found).values()) if part and part not in seen]
    return iter(seen)


def _value(name: str, kind: Any) -> Schema:
    kind = _plain(kind)
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        return {"type": "array", "items": INT64 if item is int else _value(name, item)}
    if is_dataclass(kind):
        return reference(kind)  # type: ignore[arg-type]
    if isinstance(kind, type) and issubclass(kind, IntEnum):
        return {"type": "string", "enum": [member.name for member in kind]}
    return {"anyOf": [SCALARS[float], NO_NUMBER]} if name == "meanLoss" else SCALARS[kind]


def _packed(kind: type) -> Schema:
    described = message(kind)
    pattern = wire.TYPE_URL.format(version="v1beta3?", message=kind.__name__).replace(".", r"\.")
    typed = {"@type": {"type": "string", "pattern": f"^{pattern}$"}}
    return {**described, "properties": typed | described["properties"], "required": ["@type"]}


def _plain(kind: Any) -> Any:
    """What an optional field holds, if anything; of a union the first."""
    if get_origin(kind) in (Union, UnionType):
        return next(option for option in get_args(kind) if option is not type(None))
    return kind


def _message_in(kind: Any) -> type | None:
    kind = _plain(kind)
    kind = get_args(kind)[0] if get_origin(kind) is tuple else kind
    return kind if is_dataclass(kind) else None  # type: ignore[return-value]


def _about(kind: type) -> str:
    """What somebody wrote about ``kind``: a dataclass without a docstring gets its signature for one."""
    written = kind.__doc__ or ""
    return "" if written.startswith(f"{kind.__name__}(") else " ".join(written.split())
