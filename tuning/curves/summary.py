"""A loss curve in a few facts."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from tuning.jobs import Point


@dataclass(frozen=True, slots=True)
class Summary:
    """The facts of a loss curve: its finite ends, its lowest point (the earliest of equals), and last − first."""

    first: Point
    last: Point
    best: Point
    change: float


def summary(points: Sequence[Point]) -> Summary | None:
    """The facts of a loss curve, or ``None`` while it has no finite value."""
    finite = [point for point in points if isfinite(point.value)]
    if not finite:
        return None
    first, last = finite[0], finite[-1]
    return Summary(first, last, min(finite, key=lambda point: point.value), last.value - first.value)
