"""The loss curve: raw and smoothed training loss over steps, epochs marked.

Figures are plain plotly JSON. A colour is written ``token:NAME`` and stands for ``--NAME`` of ``static/app.css``;
``static/charts.js`` fills it in for the scheme the person uses.
"""

from math import isfinite
from typing import Any

import numpy.typing as npt
import plotly.graph_objects as go

from tuning import curves
from tuning.jobs import epoch_at

MOST_DRAWN = 1000
"""Buckets of the view; every extreme of the full series is kept (two points a bucket)."""

MOST_EPOCH_MARKS = 12


def loss_figure(series: bytes, *, total_steps: int, batch_size: int, examples: int) -> dict[str, Any]:
    """The figure of a job's packed training losses; the x axis already spans all ``total_steps``."""
    points = curves.arrays(series)
    smoothed = curves.smooth(points.values, smoothing(total_steps))
    drawn = curves.downsample(points.steps, points.values, MOST_DRAWN)
    steps = points.steps[drawn].tolist()
    raw = _line(steps, _finite(points.values[drawn]), name="loss", opacity=0.35, width=1.5)
    smooth = _line(steps, _finite(smoothed[drawn]), name="smoothed", opacity=1, width=2.5)
    marks = epoch_marks(total_steps, batch_size, examples)
    return go.Figure([raw, smooth], _layout(total_steps, marks)).to_plotly_json()  # type: ignore[no-any-return]


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
    return 0.6 if total_steps < 100 else 0.9


def epoch_marks(total_steps: int, batch_size: int, examples: int) -> list[tuple[int, int]]:
    """``(step, epoch)`` where an epoch is completed, thinned out to what can be read."""
    epochs = epoch_at(total_steps, batch_size, examples)
    stride = -(-epochs // MOST_EPOCH_MARKS) or 1
    return [(-(-epoch * examples // batch_size), epoch) for epoch in range(stride, epochs + 1, stride)]


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
        line={"color": "token:trace-1", "width": width},
        hovertemplate="%{y:.4g}",
    )


def _layout(total_steps: int, marks: list[tuple[int, int]]) -> dict[str, Any]:
    axis = {"showline": False, "zeroline": False, "ticks": "", "fixedrange": False, "automargin": True}
    return {
        "template": "none",
        "uirevision": "kept",
        "showlegend": False,
        "hovermode": "x unified",
        "dragmode": "zoom",
        "margin": {"l": 8, "r": 48, "t": 28, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "token:ink-muted"},
        "hoverlabel": {"bgcolor": "token:raised", "bordercolor": "token:line", "font": {"color": "token:ink"}},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "token:ink-muted", "activecolor": "token:accent"},
        "xaxis": {**axis, "showgrid": False, "range": [0, total_steps or 1], "hoverformat": "d", "tickformat": "d"},
        "yaxis": {**axis, "gridcolor": "token:grid", "rangemode": "tozero", "nticks": 6},
        "shapes": [_hairline(step) for step, _ in marks],
        "annotations": [*_axis_titles(), *(_mark(step, epoch) for step, epoch in marks)],
    }


def _axis_titles() -> list[dict[str, Any]]:
    """Axis titles at the ends of their axes, not rotated."""
    title = {"xref": "paper", "yref": "paper", "showarrow": False}
    return [
        {**title, "x": 0, "y": 1, "text": "loss", "xanchor": "right", "yanchor": "bottom", "yshift": 6},
        {**title, "x": 1, "y": 0, "text": "step", "xanchor": "left", "yanchor": "top", "xshift": 6},
    ]


def _hairline(step: int) -> dict[str, Any]:
    line = {"color": "token:line", "width": 1}
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
