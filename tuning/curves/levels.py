"""What stands behind the noise of a loss curve: its levels, how far they scatter, and since when it is flat.

A curve of any length becomes at most 127 levels, medians of runs of equal length; everything else is reckoned
with these. Medians, because one batch that went wrong says nothing about the course of a job. The scatter is that
of neighbours, 1.048 · median |difference| (the standard deviation, where noise is normal): a trend does not count.
"""

from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np
import numpy.typing as npt

from tuning.curves.series import Floats

MOST_LEVELS = 64
SHORTEST = 8
"""Points below which no curve is called flat."""
FELL = 0.1
"""Only a curve that fell first, by this share of its start, is called flat afterwards."""
STILL = 0.01
"""What the flat part may change, as a share of the whole fall: too little to train for."""
UNSURE = 0.02
"""How unsure that change may be (its standard error), as a share of the whole fall."""
TAIL = 0.2
"""The share of all steps that must be flat: a short calm is none."""


@dataclass(frozen=True, slots=True)
class Flat:
    """The flat end of a curve: the index of its first point, and the share of the whole fall it changed at most."""

    start: int
    changed: float


def levels(values: Floats) -> list[float]:
    """Medians of runs of equal length, up to the last value; what does not fill a run is left out at the beginning."""
    length = run(len(values))
    whole = len(values) // length * length
    runs = values[len(values) - whole :].reshape(-1, length)
    found: list[float] = np.median(runs, axis=1).tolist()
    return found


def run(count: int) -> int:
    """How many of ``count`` points make a level."""
    return max(1, count // MOST_LEVELS)


def at_start(values: Floats) -> float:
    """The median of the first few values: three of a short curve, sixteen of a long one."""
    return float(np.median(values[: max(3, min(16, len(values) // 50))]))


def scatter(values: list[float]) -> float:
    """How far neighbours lie apart by chance."""
    apart = [abs(after - before) for before, after in pairwise(values)]
    return 1.048 * median(apart) if apart else 0.0


def smoothed(values: list[float]) -> list[float]:
    """Each value's median with its neighbours: one that stands alone is gone."""
    return [median(values[max(at - 1, 0) : at + 2]) for at in range(len(values))]


def flat(values: Floats, tail: float = TAIL) -> Flat | None:
    """The flat end of a curve of finite ``values``, at least ``tail`` of it; ``None`` where it has none.

    The end is cut into thirds. Half as much again as their medians differ is what it changed (for a straight line,
    exactly); the earliest beginning is taken from which on that is little enough, and surely so. (5.5 · scatter / √n is
    the standard error of that number, for n levels.)
    """
    if len(values) < SHORTEST:
        return None
    known, length, start = levels(values), run(len(values)), at_start(values)
    least = max(4, round(tail * len(values)))
    for first in range(len(known) - 3):
        end = known[first:]
        if len(end) * length < least:
            break
        changed = _changed(end, start)
        if changed is not None:
            return Flat(len(values) - len(end) * length, changed)
    return None


def flat_since(steps: npt.ArrayLike, values: npt.ArrayLike) -> int | None:
    """The step from which on the curve is flat; ``None`` where it is not."""
    known = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(known)
    found = flat(known[finite])
    return int(np.asarray(steps)[finite][found.start]) if found else None


def _changed(end: list[float], start: float) -> float | None:
    """The share of the fall from ``start`` that the levels at the ``end`` changed; ``None`` where that is not flat."""
    middle, apart = median(end), scatter(end)
    fall = start - middle
    if fall <= FELL * abs(start) or abs(end[0] - middle) > max(2 * STILL * fall, 3 * apart):
        return None
    third = len(end) // 3
    thirds = [median(end[:third]), median(end[third : len(end) - third]), median(end[len(end) - third :])]
    change = 1.5 * (max(thirds) - min(thirds)) / fall
    unsure = 5.5 * apart / len(end) ** 0.5 / fall
    return change + unsure if unsure <= UNSURE and change <= max(STILL, unsure) else None
