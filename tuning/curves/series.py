"""Series of a tuning job, packed for storage.

A packed point is 20 bytes, little-endian ``<IIfd``: step, epoch, value (float32, as the wire's ``meanLoss``
is), time in seconds since 1970. Packed series are joined by joining their bytes, so that a job's curve grows
by appending chunks. Values that are no finite number are kept as they came and never count as an extreme.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tuning.jobs import Point

POINT = np.dtype([("step", "<u4"), ("epoch", "<u4"), ("value", "<f4"), ("time", "<f8")])
"""One packed point."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Arrays:
    """A series as four columns of equal length: read-only views of the packed bytes."""

    steps: npt.NDArray[np.uint32]
    epochs: npt.NDArray[np.uint32]
    values: npt.NDArray[np.float32]
    times: Floats


def pack(points: Iterable[Point]) -> bytes:
    """``points`` as bytes. Raises ``OverflowError`` for a step or epoch outside 32 bits."""
    rows = [(point.step, point.epoch, point.value, point.time) for point in points]
    with np.errstate(over="ignore"):  # beyond float32 is infinite, as in the service's own snapshots
        return np.array(rows, dtype=POINT).tobytes()


def unpack(data: bytes) -> list[Point]:
    """The points of packed ``data``. Raises ``ValueError`` when it ends within a point."""
    return [Point(*row) for row in _view(data).tolist()]


def arrays(data: bytes) -> Arrays:
    """The columns of packed ``data``, without copying. Raises ``ValueError`` when it ends within a point."""
    view = _view(data)
    return Arrays(view["step"], view["epoch"], view["value"], view["time"])


def _view(data: bytes) -> npt.NDArray[np.void]:
    return np.frombuffer(data, dtype=POINT)
