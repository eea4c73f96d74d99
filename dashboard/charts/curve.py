"""A job's curve in columns, as ``static/curve.js`` draws it: the part that is looked at, and no more points of it than
a picture shows. Numbers only; how they look is :mod:`dashboard.charts.loss`'s.

Columns are numpy's, for orjson: what is not finite becomes ``null``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import Any

import numpy as np

from tuning import curves
from tuning.jobs import epoch_at

MOST_DRAWN = 2000
"""Points of a picture."""
BUCKETS = (MOST_DRAWN - 2) // 3
"""Each keeps its lowest, its highest and its first non-finite point, and both ends are kept."""
MOST_WINDOWS = 150
"""Stretches over which the throughput is taken."""
MOST_NEW = 1000
"""New points that are sent one by one; where there are more, the picture is better fetched as a whole."""
MOST_EPOCH_MARKS = 8
"""As many as a phone has room for."""

Validation = list[list[float | None]]
"""``[step, epoch, loss]`` at the ends of epochs."""


class Axis(StrEnum):
    """What runs from left to right. Time is in seconds since the first point."""

    STEP = "step"
    EPOCH = "epoch"
    TIME = "time"


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """Which part of a curve is looked at, in units of ``x``, and how it is smoothed."""

    x: Axis = Axis.STEP
    start: float | None = None
    end: float | None = None
    smoothing: curves.Smoothing = field(default_factory=curves.Smoothing)


@dataclass(frozen=True, kw_only=True, slots=True)
class Length:
    """How far a job goes. ``last_step`` is where the axis ends; ``examples`` are those of an epoch."""

    last_step: int
    batch_size: int
    examples: int

    @property
    def steps_an_epoch(self) -> float:
        return max(self.examples, 1) / self.batch_size


def curve(series: bytes, validation: Validation, length: Length, view: View) -> dict[str, Any]:
    """What of the packed ``series`` is drawn: every extreme of the range, ``MOST_DRAWN`` points at most.

    ``of`` tells how many points the range has. Smoothing and ends are those of the whole series.
    """
    points = curves.arrays(series)
    times = elapsed(points)
    places = times if view.x is Axis.TIME else points.steps.astype(np.float64)
    if view.x is Axis.EPOCH:
        places = places / length.steps_an_epoch
    part = curves.within(places, view.start, view.end)
    drawn = part.start + curves.downsample(places[part], points.values[part], BUCKETS)
    shown = curves.Arrays(points.steps[part], points.epochs[part], points.values[part], points.times[part])
    return {
        **_columns(points, times, drawn, view.smoothing),
        "of": len(shown.steps),
        "began": points.times[0] if len(points.times) else None,
        "steps_an_epoch": length.steps_an_epoch,
        "last_step": length.last_step,
        "validation": validation_columns(validation),
        "throughput": _throughput(shown),
        "marks": epoch_marks(length),
    }


def news(series: bytes, validation: Validation, after: int, began: float, view: View) -> dict[str, Any]:
    """What is drawn anew when a series, of which ``series`` is the end, went on after step ``after``.

    The first points may be older: a Gaussian looks ahead, so new points change how those before are smoothed.
    ``began`` is the time of the job's first point.
    """
    points = curves.arrays(series)
    times = elapsed(points, began)
    first = int(np.searchsorted(points.steps, after, side="right"))
    if len(points.steps) - first > MOST_NEW:
        return {"restart": True}
    drawn = np.arange(max(first - view.smoothing.revised, 0), len(points.steps))
    fresh = slice(max(first - 1, 0), None)
    shown = curves.Arrays(points.steps[fresh], points.epochs[fresh], points.values[fresh], points.times[fresh])
    return {
        "restart": False,
        **_columns(points, times, drawn, view.smoothing),
        "validation": validation_columns(validation),
        "throughput": _throughput(shown, windows=1),
    }


def elapsed(points: curves.Arrays, began: float | None = None) -> curves.Floats:
    """Seconds since the first point, ascending although a clock was set back in between."""
    if not len(points.times):
        return np.array(points.times)
    seconds = points.times - (points.times[0] if began is None else began)
    return np.asarray(np.maximum.accumulate(np.where(np.isfinite(seconds), seconds, 0.0)))


def validation_columns(validation: Validation) -> dict[str, list[float | None]]:
    """All of them, for they are few."""
    return {name: [row[place] for row in validation] for place, name in enumerate(("steps", "epochs", "losses"))}


def epoch_marks(length: Length) -> list[tuple[int, int]]:
    """``(step, epoch)`` where an epoch is completed, thinned out to what can be read."""
    examples, batch_size = max(length.examples, 1), length.batch_size
    epochs = epoch_at(length.last_step, batch_size, examples)
    stride = next(number for number in _round_numbers() if epochs / number <= MOST_EPOCH_MARKS)
    return [(-(-epoch * examples // batch_size), epoch) for epoch in range(stride, epochs + 1, stride)]


def _columns(
    points: curves.Arrays, times: curves.Floats, at: curves.Indices, smoothing: curves.Smoothing
) -> dict[str, Any]:
    return {
        "steps": points.steps[at],
        "losses": points.values[at],
        "smoothed": smoothing.of(points, at).astype(np.float32),
        "times": times[at].round(2),
    }


def _throughput(points: curves.Arrays, windows: int = MOST_WINDOWS) -> dict[str, Any]:
    at, rates = curves.throughput(points, windows)
    return {"steps": points.steps[at], "rates": rates.astype(np.float32)}


def _round_numbers() -> Iterator[int]:
    """1, 2, 5, 10, 20, 50 …"""
    return (first * 10**zeros for zeros in count() for first in (1, 2, 5))
