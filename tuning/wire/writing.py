"""Resources to JSON, as the recorded service writes it."""

import math
import struct
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from tuning import curves, resources
from tuning.wire.spelling import camel

NANOSECONDS = frozenset({"start_time", "compute_time"})
"""Times that the service wrote with nine digits, always. Ours are measured in microseconds: the last three are 0."""

TYPE_URL = "type.googleapis.com/google.ai.generativelanguage.{version}.{message}"


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
    return {camel(field.name): _write_field(field.name, value) for field, value in values if value != field.default}


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
