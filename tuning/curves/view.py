"""What of a series is drawn: smoothed, and as few points as the picture needs."""

from itertools import accumulate

import numpy as np
import numpy.typing as npt

from tuning.curves.series import Floats

Indices = npt.NDArray[np.intp]


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
