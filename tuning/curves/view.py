"""What of a series is drawn: the part that is looked at, and as few points of it as the picture needs."""

import numpy as np
import numpy.typing as npt

from tuning.curves.series import Arrays, Floats

Indices = npt.NDArray[np.intp]


def within(xs: npt.ArrayLike, start: float | None, end: float | None) -> slice:
    """Where the points from ``start`` to ``end`` stand, and one neighbour at each side, to which the line leads.

    ``xs`` ascends. ``None`` is an open end; a range that holds nothing gives the points it lies between.
    """
    places = np.asarray(xs, dtype=np.float64)
    first = 0 if start is None else max(int(np.searchsorted(places, start, side="left")) - 1, 0)
    last = len(places) if end is None else int(np.searchsorted(places, end, side="right")) + 1
    return slice(first, max(last, first))


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


def throughput(points: Arrays, windows: int) -> tuple[Indices, Floats]:
    """How fast steps were made: the last index of each of at most ``windows`` stretches, and steps a second in it.

    Not a number where no time passed, as on a clock that was set back.
    """
    ends = np.unique(np.linspace(0, len(points.steps) - 1, min(windows + 1, len(points.steps))).astype(np.intp))
    made = np.diff(points.steps[ends].astype(np.float64))
    seconds = np.diff(points.times[ends])
    return ends[1:], np.divide(made, seconds, out=np.full(len(made), np.nan), where=seconds > 0)


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
