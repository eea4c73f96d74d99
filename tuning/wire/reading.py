"""JSON to resources: lenient where the service is, and strict where it is, with the path that offends."""

import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import IntEnum
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import orjson

from tuning import commas, resources
from tuning.errors import InvalidRequest
from tuning.wire.spelling import attributes, kinds

T = TypeVar("T")

ONEOFS: dict[type, tuple[frozenset[str], ...]] = {
    resources.Hyperparameters: (frozenset({"learning_rate", "learning_rate_multiplier"}),),
    resources.JobRecipe: (frozenset({"learning_rate", "learning_rate_multiplier"}),),
    resources.TokensRequest: (frozenset({"texts", "dataset"}),),
    resources.TunedModel: (frozenset({"base_model", "tuned_model_source"}),),
    resources.Part: (frozenset(field.name for field in fields(resources.Part)),),
    resources.CountTokensRequest: (frozenset({"contents", "generate_content_request"}),),
}
"""Fields of which at most one may be set."""

LONGEST_LIST = 200_000
"""Items that a server reads: as many examples as a dataset may have."""


def loads(
    cls: type[T],
    data: bytes | dict[str, Any],
    *,
    at: str = "",
    ignore_unknown: bool = False,
    unknown: list[str] | None = None,
) -> T:
    """The resource that ``data`` spells. ``at`` names it in error messages (Google: ``tuned_model``).

    A server leaves ``ignore_unknown`` off; a client turns it on, so that a service's new field breaks nothing. Who
    wants to tell of such fields gives a list as ``unknown``: their paths are added to it.
    Raises ``InvalidRequest`` with code ``bad_json``, ``unknown_field``, ``oneof`` or ``bad_value``; its
    parameters name the ``path`` and what stands there.
    """
    body = load_json(data) if isinstance(data, bytes) else data
    return _Reader(ignore_unknown, unknown).message(cls, body, at)


def load_json(data: bytes) -> Any:
    """JSON, forgiving the trailing commas that the published tutorials send."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as first:
        try:
            return orjson.loads(commas.blanked_bytes(data))
        except orjson.JSONDecodeError:
            raise InvalidRequest("bad_json", detail=str(first)) from first


class _Reader:
    """Reads one body; knows only whether unknown fields are forgiven, or noted."""

    def __init__(self, ignore_unknown: bool, unknown: list[str] | None) -> None:
        self.ignore_unknown = ignore_unknown
        self.unknown = unknown

    def message(self, cls: type[T], body: Any, path: str) -> T:
        if not isinstance(body, dict):
            raise _bad_value(path, body, cls.__name__)
        # mypy takes no type variable's class for hashable.
        known, expected = attributes(cls), kinds(cls)  # type: ignore[arg-type]
        values: dict[str, Any] = {}
        for key, value in body.items():
            name = known.get(key)
            if name is None:
                self._unknown(key, path)
            elif value is not None:
                values[name] = self.value(expected[name], value, _join(path, name))
        _check_oneofs(cls, values, path)
        return cls(**values)

    def value(self, kind: Any, value: Any, path: str) -> Any:
        if get_origin(kind) in (Union, UnionType):
            kind = next(option for option in get_args(kind) if option is not type(None))
        if get_origin(kind) is tuple:
            return self._items(get_args(kind)[0], value, path)
        if kind is resources.Unread:
            return kind()
        if is_dataclass(kind):
            return self.message(kind, value, path)  # type: ignore[arg-type]
        try:
            return _SCALARS[kind](value) if kind in _SCALARS else _read_enum(kind, value)
        except (ValueError, TypeError, KeyError, OverflowError) as exc:
            raise _bad_value(path, value, kind.__name__) from exc

    def _items(self, kind: Any, value: Any, path: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise _bad_value(path, value, "list")
        if len(value) > LONGEST_LIST and not self.ignore_unknown:
            raise InvalidRequest("too_many_items", path=path, limit=LONGEST_LIST, length=len(value))
        return tuple(self.value(kind, item, f"{path}[{index}]") for index, item in enumerate(value))

    def _unknown(self, key: str, path: str) -> None:
        if self.unknown is not None:
            self.unknown.append(_join(path, key))
        elif not (self.ignore_unknown or key.startswith("@")):
            raise InvalidRequest("unknown_field", name=key, path=path)


def _check_oneofs(cls: type, values: dict[str, Any], path: str) -> None:
    for group in ONEOFS.get(cls, ()):
        if len(both := sorted(group & values.keys())) > 1:
            raise InvalidRequest("oneof", path=_join(path, both[1]), names=both)


def _read_int(value: Any) -> int:
    if isinstance(value, str):
        value = float(value) if not _DIGITS.fullmatch(value) else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise ValueError
    return int(value)


_DIGITS = re.compile(r"-?\d{1,19}")


def _read_float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    return float(value)


def _read_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _read_bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _read_time(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError
    return moment


def _read_enum(kind: type[IntEnum], value: Any) -> IntEnum:
    return kind[value] if isinstance(value, str) else kind(_read_int(value))


_SCALARS: dict[Any, Callable[..., Any]] = {
    int: _read_int,
    float: _read_float,
    str: _read_text,
    bool: _read_bool,
    datetime: _read_time,
}


def _bad_value(path: str, value: Any, expected: str) -> InvalidRequest:
    shown = "a list" if isinstance(value, list) else "an object" if isinstance(value, dict) else _quoted(value)
    return InvalidRequest("bad_value", path=path, value=shown, expected=expected)


def _quoted(value: object) -> str:
    return orjson.dumps(value[:100] if isinstance(value, str) else value).decode()[:100]


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
