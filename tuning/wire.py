"""Resources <-> JSON, and the only place that knows how the wire spells them.

Reading follows proto3's JSON mapping (https://protobuf.dev/programming-guides/json/) and is as lenient as the
recorded service: fields in camelCase or snake_case, trailing commas, numbers as strings, enums by name or
number, ``null`` as absent. It is as strict, too: unknown fields, two members of a oneof and wrong types are
refused with the path that offends. Writing follows the recorded answers: fields in the resources' order,
defaults left out, float32, two spaces of indentation.
"""

import math
import re
import struct
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import IntEnum
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt
import orjson

from tuning import commas, curves, resources
from tuning.errors import InvalidRequest

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

NANOSECONDS = frozenset({"start_time", "compute_time"})
"""Times that the service wrote with nine digits, always. Ours are measured in microseconds: the last three are 0."""

LONGEST_LIST = 200_000
"""Items that a server reads: as many examples as a dataset may have."""

TYPE_URL = "type.googleapis.com/google.ai.generativelanguage.{version}.{message}"


# Writing


def dumps(resource: object, *, version: str = "v1beta") -> bytes:
    """``resource`` as a service answers it. ``version`` is the API version that created an operation's job:
    it decides the ``@type`` of what the operation carries, wherever that is polled.
    """
    return orjson.dumps(to_json(resource, version=version), option=orjson.OPT_INDENT_2) + b"\n"


def to_json(resource: object, *, version: str = "v1beta") -> dict[str, Any]:
    """``resource`` as a JSON object, defaults left out."""
    if isinstance(resource, resources.Operation):
        return _write_operation(resource, version)
    if isinstance(resource, resources.OperationPage):
        operations = [_write_operation(operation, version) for operation in resource.operations]
        return ({"operations": operations} if operations else {}) | _write_message(replace(resource, operations=()))
    return _write_message(resource)


def rfc3339(moment: datetime, *, nanoseconds: bool = False) -> str:
    """``moment`` in UTC, with as many digits after the second as it needs: none, 3 or 6; or always 9."""
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    if nanoseconds:
        return utc.isoformat(timespec="microseconds") + "000Z"
    precision = "microseconds" if utc.microsecond % 1000 else "milliseconds" if utc.microsecond else "seconds"
    return utc.isoformat(timespec=precision) + "Z"


def float32(value: float) -> float:
    """The shortest decimal that reads back as the same float32 as ``value``."""
    if not math.isfinite(value):
        return value
    single = _to_single(value)
    if not math.isfinite(single):
        return single
    candidates = (float(f"{single:.{digits}g}") for digits in range(1, 10))
    return next((short for short in candidates if _to_single(short) == single), single)


def _to_single(value: float) -> float:
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def _write_operation(operation: resources.Operation, version: str) -> dict[str, Any]:
    written = _write_message(operation)
    for key, message in (("metadata", "CreateTunedModelMetadata"), ("response", "TunedModel")):
        if key in written:
            written[key] = {"@type": TYPE_URL.format(version=version, message=message), **written[key]}
    return written


def _write_message(message: object) -> dict[str, Any]:
    assert is_dataclass(message)
    values = ((field, getattr(message, field.name)) for field in fields(message))
    return {_camel(field.name): _write_field(field.name, value) for field, value in values if value != field.default}


def _write_field(name: str, value: object) -> Any:
    match value:
        case datetime() if name in NANOSECONDS:
            return rfc3339(value, nanoseconds=True)
        case resources.PackedSnapshots():
            return _write_snapshots(value.data)
    return _write_value(value)


def _write_value(value: object) -> Any:
    match value:
        case IntEnum():
            return value.name
        case float():
            return _write_float(value)
        case datetime():
            return rfc3339(value)
        case tuple():
            # int64 travels as a string; the only repeated integers of this API are project numbers.
            return [str(item) if type(item) is int else _write_value(item) for item in value]
        case _ if is_dataclass(value):
            return _write_message(value)
        case _:
            return value


def _write_snapshots(data: bytes) -> list[dict[str, Any]]:
    """What :func:`_write_message` makes of a snapshot each, a column at a time: 10,000 take about 10 ms."""
    series = curves.arrays(data)
    columns = (series.steps.tolist(), series.epochs.tolist(), _write_losses(series.values), _write_times(series.times))
    written = [
        {"step": step, "epoch": epoch, "meanLoss": loss, "computeTime": moment}
        for step, epoch, loss, moment in zip(*columns, strict=True)
    ]
    for name, column in (("step", series.steps), ("epoch", series.epochs), ("meanLoss", series.values)):
        for index in np.flatnonzero(column == 0).tolist():
            del written[index][name]
    return written


def _write_losses(values: npt.NDArray[np.float32]) -> list[Any]:
    """orjson knows the shortest decimals of float32; whole numbers and what is no number are ours to spell."""
    shortest: list[Any] = orjson.loads(orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY))
    for index in np.flatnonzero(~np.isfinite(values) | (values == np.trunc(values))).tolist():
        shortest[index] = _write_float(float(values[index]))
    return shortest


def _write_times(seconds: curves.Floats) -> list[str]:
    whole = np.floor(seconds)  # a double holds microseconds, but not the seconds since 1970 in nanoseconds
    moments = whole.astype("M8[s]") + np.rint((seconds - whole) * 1e6).astype("m8[us]")
    written: list[str] = np.datetime_as_string(moments.astype("M8[ns]"), timezone="UTC").tolist()
    return written


def _write_float(value: float) -> float | int | str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    short = float32(value)
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


# Reading


def shape(cls: type) -> dict[str, Any]:
    """The fields of a message as the wire spells them, and their types."""
    return {_camel(name): kind for name, kind in _types(cls).items()}


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


def attribute(cls: type, spelling: str) -> str | None:
    """The attribute of ``cls`` that ``spelling`` names in a body or a field mask, if any."""
    return _fields(cls).get(spelling)


def given(cls: type, body: dict[str, Any]) -> frozenset[str]:
    """The attributes of ``cls`` that ``body`` sets, be it to their defaults."""
    names = (attribute(cls, key) for key, value in body.items() if value is not None)
    return frozenset(name for name in names if name)


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
        known, types = _fields(cls), _types(cls)  # type: ignore[arg-type]
        values: dict[str, Any] = {}
        for key, value in body.items():
            name = known.get(key)
            if name is None:
                self._unknown(key, path)
            elif value is not None:
                values[name] = self.value(types[name], value, _join(path, name))
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


@cache
def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


@cache
def _fields(cls: type) -> dict[str, str]:
    """Both spellings of each field -> its attribute."""
    names = [field.name for field in fields(cls)]
    return {spelling: name for name in names for spelling in (name, _camel(name))}


@cache
def _types(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)
