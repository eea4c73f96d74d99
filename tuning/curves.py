"""Series of a tuning job: packed for storage, and what can be said and drawn of them.

A packed point is 20 bytes, little-endian ``<IIfd``: step, epoch, value (float32, as the wire's ``meanLoss``
is), time in seconds since 1970. Packed series are joined by joining their bytes, so that a job's curve grows
by appending chunks. Values that are no finite number are kept as they came and never count as an extreme.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import isfinite

import numpy as np
import numpy.typing as npt

from tuning.jobs import Point

POINT = np.dtype([("step", "<u4"), ("epoch", "<u4"), ("value", "<f4"), ("time", "<f8")])
"""One packed point."""

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Arrays:
    """A series as four columns of equal length: read-only views of the packed bytes."""

    steps: npt.NDArray[np.uint32]
    epochs: npt.NDArray[np.uint32]
    values: npt.NDArray[np.float32]
    times: Floats


@dataclass(frozen=True, slots=True)
class Summary:
    """The facts of a loss curve: its finite ends, its lowest point (the earliest of equals), and last − first."""

    first: Point
    last: Point
    best: Point
    change: float


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


def smooth(values: npt.ArrayLike, weight: float) -> Floats:
    """The exponential moving average, debiased so that the first values weigh what they should.

    ``weight`` is the share the past keeps, 0 ≤ weight < 1, else ``ValueError``. Debiasing as in Adam (Kingma &
    Ba 2014, §3). Values that are not finite stay where they are and move no average.
    """
    if not 0 <= weight < 1:
        raise ValueError(f"weight must be in [0, 1), not {weight}")
    result = np.array(values, dtype=np.float64)
    finite = np.isfinite(result)
    seen = result[finite].tolist()
    averages = list(accumulate(seen, lambda past, value: weight * past + (1 - weight) * value, initial=0.0))[1:]
    result[finite] = averages / (1 - weight ** np.arange(1, len(seen) + 1))
    return result


def downsample(steps: npt.ArrayLike, values: npt.ArrayLike, buckets: int) -> Indices:
    """Which points to draw so that a curve of ``buckets`` pixels looks the same: their indices, ascending.

    The range of ``steps`` (ascending) is cut into ``buckets`` of equal width; each keeps its lowest, its highest
    and its first non-finite point, and the ends are always kept. A series that is short enough stays whole.
    """
    if buckets < 1:
        raise ValueError(f"at least one bucket is needed, not {buckets}")
    xs, ys = np.asarray(steps, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if len(ys) <= 2 * buckets:
        return np.arange(len(ys))
    starts = _bucket_starts(xs, buckets)
    finite = np.isfinite(ys)
    kept = [
        np.array([0, len(ys) - 1]),
        _first_lowest(np.where(finite, ys, np.inf), starts),
        _first_lowest(np.where(finite, -ys, np.inf), starts),
        _first_lowest(np.where(finite, np.inf, 0.0), starts),
    ]
    return np.unique(np.concatenate(kept))


def summary(points: Sequence[Point]) -> Summary | None:
    """The facts of a loss curve, or ``None`` while it has no finite value."""
    finite = [point for point in points if isfinite(point.value)]
    if not finite:
        return None
    first, last = finite[0], finite[-1]
    return Summary(first, last, min(finite, key=lambda point: point.value), last.value - first.value)


def _view(data: bytes) -> npt.NDArray[np.void]:
    return np.frombuffer(data, dtype=POINT)


def _bucket_starts(xs: Floats, buckets: int) -> Indices:
    """The index at which each bucket that holds anything starts."""
    edges = np.linspace(xs[0], xs[-1], buckets, endpoint=False)
    return np.unique(np.searchsorted(xs, edges))


def _first_lowest(ys: Floats, starts: Indices) -> Indices:
    """The index of the first lowest of ``ys`` in each bucket; none for a bucket of infinities."""
    lowest = np.minimum.reduceat(ys, starts)
    lengths = np.diff(starts, append=len(ys))
    hits = np.flatnonzero((ys == np.repeat(lowest, lengths)) & np.isfinite(ys))
    _, firsts = np.unique(np.searchsorted(starts, hits, side="right"), return_index=True)
    return hits[firsts]
