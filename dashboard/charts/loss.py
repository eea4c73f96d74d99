"""The loss curve: raw and smoothed training loss over steps, epochs marked, and the loss over held-out examples.

Figures are plain plotly JSON. A colour is written ``var(--NAME)``, as ``static/app.css`` defines it;
``static/charts.js`` fills it in for the scheme the person uses.
"""

from collections.abc import Iterator
from itertools import count
from math import isfinite
from typing import Any

import numpy.typing as npt
import plotly.graph_objects as go

from tuning import curves
from tuning.jobs import epoch_at

MOST_DRAWN = 1000
"""Buckets of the view; every extreme of the full series is kept (two points a bucket)."""

MOST_EPOCH_MARKS = 8
"""As many as a phone has room for."""


Validation = list[list[float | None]]
"""``[step, epoch, loss]`` at the ends of epochs."""


def loss_figure(
    series: bytes,
    *,
    total_steps: int,
    batch_size: int,
    examples: int,
    ended_at: int | None = None,
    validation: Validation | None = None,
) -> dict[str, Any]:
    """The figure of a job's packed training losses, and of those over held-out examples, where it has any.

    The x axis spans all ``total_steps`` from the beginning, so that the curve grows into its place; a job that
    ended early, after step ``ended_at``, is shown that far.
    """
    points = curves.arrays(series)
    smoothed = curves.smooth(points.values, smoothing(total_steps))
    drawn = curves.downsample(points.steps, points.values, MOST_DRAWN)
    steps = points.steps[drawn].tolist()
    raw = _line(steps, _finite(points.values[drawn]), name="loss", opacity=0.35, width=1.5)
    smooth = _line(steps, _finite(smoothed[drawn]), name="smoothed", opacity=1, width=2.5)
    lines = [raw, smooth] if validation is None else [raw, smooth, _validation_line(validation)]
    last_step = ended_at or total_steps
    marks = epoch_marks(last_step, batch_size, examples)
    return go.Figure(lines, _layout(last_step, marks)).to_plotly_json()  # type: ignore[no-any-return]


def validation_points(validation: Validation) -> dict[str, list[float | None]]:
    """All of them, for ``restyle``: they are one an epoch."""
    return {"steps": [row[0] for row in validation], "losses": [row[2] for row in validation]}


def new_points(series: bytes, *, after: int, total_steps: int) -> dict[str, list[int] | list[float | None]]:
    """The points after step ``after``, smoothed with the weight of the whole curve, for ``extendTraces``."""
    points = curves.arrays(series)
    smoothed = curves.smooth(points.values, smoothing(total_steps))
    fresh = points.steps > after
    return {
        "steps": points.steps[fresh].tolist(),
        "losses": _finite(points.values[fresh]),
        "smoothed": _finite(smoothed[fresh]),
    }


def smoothing(total_steps: int) -> float:
    """The average's memory: short jobs need to show their few steps, long ones their trend."""
    return 0.5 if total_steps < 100 else 0.9


def epoch_marks(total_steps: int, batch_size: int, examples: int) -> list[tuple[int, int]]:
    """``(step, epoch)`` where an epoch is completed, thinned out to what can be read."""
    epochs = epoch_at(total_steps, batch_size, examples)
    stride = next(number for number in _numbernumbers() if epochs / number <= MOST_EPOCH_MARKS)
    return [(-(-epoch * examples // batch_size), epoch) for epoch in range(stride, epochs + 1, stride)]


def _numbernumbers() -> Iterator[int]:
    """1, 2, 5, 10, 20, 50 …"""
    return (first * 10**zeros for zeros in count() for first in (1, 2, 5))


def _finite(values: npt.NDArray[Any]) -> list[float | None]:
    """JSON has no word for what is not a number; plotly leaves a gap for ``None``."""
    return [value if isfinite(value) else None for value in values.tolist()]


def _line(steps: list[int], values: list[float | None], *, name: str, opacity: float, width: float) -> go.Scatter:
    return go.Scatter(
        x=steps,
        y=values,
        name=name,
        mode="lines",
        opacity=opacity,
        line={"color": "var(--trace-1)", "width": width},
        hovertemplate="%{y:.4g}",
    )


def _validation_line(validation: Validation) -> go.Scatter:
    """Dashed, with a mark at each epoch's end: between these nothing was measured."""
    points = validation_points(validation)
    return go.Scatter(
        x=points["steps"],
        y=points["losses"],
        name="held-out loss",
        mode="lines+markers",
        line={"color": "var(--trace-2)", "width": 1.5, "dash": "dash"},
        marker={"color": "var(--trace-2)", "size": 7, "symbol": "diamond"},
        hovertemplate="%{y:.4g}",
    )


def _layout(last_step: int, marks: list[tuple[int, int]]) -> dict[str, Any]:
    axis = {"showline": False, "zeroline": False, "ticks": "", "fixedrange": False}
    return {
        "template": "none",
        "uirevision": "kept",
        "showlegend": False,
        "hovermode": "x unified",
        "dragmode": "zoom",
        "margin": {"l": 44, "r": 56, "t": 28, "b": 44},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "var(--ink-muted)"},
        "hoverlabel": {"bgcolor": "var(--raised)", "bordercolor": "var(--line)", "font": {"color": "var(--ink)"}},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "var(--ink-muted)", "activecolor": "var(--accent)"},
        "xaxis": {**axis, "showgrid": False, "range": [0, last_step or 1], "hoverformat": "d", "tickformat": "d"},
        "yaxis": {**axis, "gridcolor": "var(--grid)", "rangemode": "tozero", "nticks": 6},
        "shapes": [_hairline(step) for step, _ in marks],
        "annotations": [*_axis_titles(), *(_mark(step, epoch) for step, epoch in marks)],
    }


def _axis_titles() -> list[dict[str, Any]]:
    """Axis titles at the ends of their axes, not rotated."""
    title = {"xref": "paper", "yref": "paper", "showarrow": False}
    return [
        {**title, "x": 0, "y": 1, "text": "loss", "xanchor": "right", "yanchor": "bottom", "xshift": -6, "yshift": 6},
        {**title, "x": 1, "y": 0, "text": "step", "xanchor": "right", "yanchor": "top", "yshift": -22},
    ]


def _hairline(step: int) -> dict[str, Any]:
    line = {"color": "var(--line)", "width": 1}
    return {"type": "line", "x0": step, "x1": step, "y0": 0, "y1": 1, "yref": "paper", "line": line, "layer": "below"}


def _mark(step: int, epoch: int) -> dict[str, Any]:
    return {
        "x": step,
        "y": 1,
        "yref": "paper",
        "text": f"{epoch}",
        "showarrow": False,
        "yanchor": "bottom",
        "font": {"size": 11},
    }
