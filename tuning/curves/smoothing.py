"""Smoothing of a noisy curve, in three ways.

``ema``
    The exponential moving average over points, debiased so that the first values weigh what they should (Adam,
    Kingma & Ba 2014, §3). ``weight`` is the share that the past keeps from one point to the next.
``time``
    The same where the past keeps ``weight`` for each usual pause between points: after a long pause little of it
    is left, and points that came in a burst count less each.
``gaussian``
    The mean of the points around, weighed by a Gaussian of ``weight / (1 - weight)`` points (the mean age of what
    an EMA of that weight remembers), a hundred at most. It looks ahead, so that it does not lag.

Values that are not finite stay where they are and move no average.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import ceil, inf, log

import numpy as np
import numpy.typing as npt

from tuning.curves.series import Arrays, Floats

NEGLIGIBLE = 1e-9
"""A share of the past that changes no digit which is shown."""

NARROWEST, WIDEST = 0.1, 100.0
"""Points: standard deviations of the narrowest Gaussian that reaches a neighbour, and of the widest."""


class Kind(StrEnum):
    EMA = "ema"
    GAUSSIAN = "gaussian"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Smoothing:
    """How a curve is smoothed. ``weight`` from 0 (not at all) to below 1, else ``ValueError``."""

    kind: Kind = Kind.EMA
    weight: float = 0.9

    def __post_init__(self) -> None:
        if not 0 <= self.weight < 1:
            raise ValueError(f"weight must be in [0, 1), not {self.weight}")

    def of(self, points: Arrays, at: npt.NDArray[np.intp]) -> Floats:
        """The smoothed values of ``points`` at the indices ``at``."""
        match self.kind:
            case Kind.GAUSSIAN:
                return smooth_gaussian(points.values, self.width, at)
            case Kind.TIME:
                return smooth_by_time(points.values, points.times, self.weight)[at]
            case Kind.EMA:
                return smooth(points.values, self.weight)[at]

    @property
    def width(self) -> float:
        """Points: the Gaussian's standard deviation."""
        return min(self.weight / (1 - self.weight), WIDEST)

    @property
    def reach(self) -> int:
        """So many points before one decide its smoothed value; those before them are forgotten."""
        if self.kind is Kind.GAUSSIAN:
            return 2 * self.revised
        return ceil(log(NEGLIGIBLE) / log(self.weight)) if self.weight else 0

    @property
    def revised(self) -> int:
        """So many points before a new one change their smoothed values by it."""
        return ceil(3 * self.width) if self.kind is Kind.GAUSSIAN else 0


def smooth(values: npt.ArrayLike, weight: float) -> Floats:
    """The exponential moving average. ``weight``: 0 ≤ weight < 1, else ``ValueError``."""
    if not 0 <= weight < 1:
        raise ValueError(f"weight must be in [0, 1), not {weight}")
    result = np.array(values, dtype=np.float64)
    finite = np.isfinite(result)
    sums, kept, reach = result[finite], weight, 1
    while reach < len(sums) and kept > NEGLIGIBLE:  # as in _decaying_sums, where ``kept`` is the same everywhere
        sums[reach:] += kept * sums[:-reach]
        kept, reach = kept * kept, 2 * reach
    result[finite] = sums * (1 - weight) / (1 - weight ** np.arange(1, len(sums) + 1))
    return result


def smooth_by_time(values: npt.ArrayLike, times: npt.ArrayLike, weight: float) -> Floats:
    """The exponential moving average in time; the usual pause is the median one."""
    result = np.array(values, dtype=np.float64)
    finite = np.isfinite(result)
    moments = np.asarray(times, dtype=np.float64)[finite]
    pauses = np.diff(moments, prepend=moments[:1]).clip(min=0)
    usual = np.median(pauses[pauses > 0]) if (pauses > 0).any() else 1.0
    seen = result[finite]
    sums, weights = _decaying_sums(weight ** (pauses / usual), np.stack([seen, np.ones_like(seen)]))
    result[finite] = sums / weights
    return result


def smooth_gaussian(values: npt.ArrayLike, width: float, at: npt.NDArray[np.intp]) -> Floats:
    """The Gaussian means of ``width`` points at the indices ``at``; only these are worked out."""
    raw = np.asarray(values, dtype=np.float64)
    if width < NARROWEST or not len(at):
        return raw[at]
    half = ceil(3 * width)
    kernel = np.exp(-0.5 * (np.arange(-half, half + 1) / width) ** 2)
    finite = np.isfinite(raw)
    sums, weights = (
        np.lib.stride_tricks.sliding_window_view(np.pad(row, half), 2 * half + 1)[at] @ kernel
        for row in (np.where(finite, raw, 0.0), finite.astype(np.float64))
    )
    return np.where(finite[at], sums / np.where(weights, weights, inf), raw[at])


def _decaying_sums(keeps: Floats, rows: Floats) -> Floats:
    """``sum[i] = keeps[i] · sum[i−1] + row[i]`` for each row, in as many passes as the past has doublings.

    Each pass joins what is summed up over ``reach`` points to what is summed up before (Hillis & Steele 1986).
    """
    sums, keeps, reach = rows.copy(), keeps.copy(), 1
    while reach < len(keeps) and keeps[reach:].max() > NEGLIGIBLE:
        sums[:, reach:] += keeps[reach:] * sums[:, :-reach]
        keeps[reach:] *= keeps[:-reach]
        reach *= 2
    return sums
