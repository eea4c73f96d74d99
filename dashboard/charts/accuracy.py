"""How many of the next tokens a model predicted correctly while it was tuned, as a plotly figure."""

from collections.abc import Sequence
from math import isfinite
from typing import Any, cast

import plotly.graph_objects as go
from django.utils.translation import gettext as _

from dashboard.charts.loss import layout
from tuning import curves
from tuning.jobs import Point

MOST = 1_000
"""Points of a line that are drawn; a longer one keeps its extremes."""


def accuracy(learnt: Sequence[Point], held_out: Sequence[Point]) -> dict[str, Any]:
    """Shares between 0 and 1 over steps; a dashed line with marks for the held-out examples, where there are any."""
    lines = [_line(learnt, _("examples learnt from"), "var(--trace-1)")]
    if held_out:
        marked = _line(held_out, _("held-out examples"), "var(--trace-2)")
        lines.append(
            marked.update(mode="lines+markers", line={"dash": "dash"}, marker={"size": 7, "symbol": "diamond"})
        )
    figure = go.Figure(lines, layout())
    figure.update_layout(yaxis={"tickformat": ".0%"})
    place = {"xref": "paper", "x": 1, "xanchor": "right", "yref": "paper", "y": 0, "yanchor": "top", "yshift": -24}
    figure.add_annotation(text=_("step"), showarrow=False, **place)
    if held_out:
        figure.update_layout(showlegend=True, legend={"orientation": "h", "y": 1.12})
    return cast(dict[str, Any], figure.to_plotly_json())


def _line(points: Sequence[Point], name: str, colour: str) -> go.Scatter:
    seen = [point for point in points if isfinite(point.value)]
    steps, shares = [point.step for point in seen], [point.value for point in seen]
    if len(seen) > MOST:
        chosen = curves.downsample(steps, shares, MOST // 2)
        steps, shares = [steps[i] for i in chosen], [shares[i] for i in chosen]
    return go.Scatter(x=steps, y=shares, name=name, mode="lines", line={"color": colour, "width": 2})
