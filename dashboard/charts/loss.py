"""The loss chart's frame: its lines, axes and words, into which ``static/curve.js`` fills the columns of
:mod:`dashboard.charts.curve`.

Figures are plain plotly JSON. A colour is written ``var(--NAME)``, as ``static/app.css`` defines it;
``static/charts.js`` fills it in for the scheme the person uses. A line says in ``meta`` which column it shows.
"""

from typing import Any

import plotly.graph_objects as go
from django.utils.translation import gettext as _

LOSS_PANEL = (0.3, 1.0)
THROUGHPUT_PANEL = (0.0, 0.2)
"""Shares of the plot's height, from its foot, while both panels are shown."""
COLOURS = {"line": "var(--line)", "trace": "var(--trace-1)", "accent": "var(--accent)", "paper": "var(--paper)"}
"""Of marks that the script makes."""


def loss_frame(*, held_out: bool) -> dict[str, Any]:
    """The empty figure: raw and smoothed loss, the loss over held-out examples where there are any, throughput."""
    lines = [
        line(_("loss"), "losses", "var(--trace-1)", width=1.5, opacity=0.35),
        line(_("smoothed"), "smoothed", "var(--trace-1)", width=2.5),
        *([_held_out()] if held_out else []),
        _throughput(),
    ]
    return {**go.Figure(lines, layout()).to_plotly_json(), "words": _words(held_out), "colours": COLOURS}


def line(name: str, column: str, colour: str, *, width: float, opacity: float = 1.0, **more: Any) -> go.Scatter:
    """A line of ``column``; gaps where it is not finite."""
    style = {"color": colour, "width": width, **more.pop("line", {})}
    return go.Scatter(x=[], y=[], name=name, meta=column, mode="lines", opacity=opacity, line=style, **more)


def layout() -> dict[str, Any]:
    """Plot area without box, light horizontal grid, a hover with all values; titles stand at the axes' ends."""
    axis = {"showline": False, "zeroline": False, "ticks": "", "fixedrange": False}
    spike = {"spikecolor": "var(--ink-muted)", "spikethickness": -1, "spikedash": "solid"}  # negative: without a rim
    value = {**axis, "gridcolor": "var(--grid)"}
    return {
        "template": "none",
        "showlegend": False,
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "dragmode": "zoom",
        "margin": {"l": 52, "r": 56, "t": 28, "b": 44},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "var(--ink-muted)"},
        "hoverlabel": {"bgcolor": "var(--raised)", "bordercolor": "var(--line)", "font": {"color": "var(--ink)"}},
        "xaxis": {**axis, **spike, "showgrid": False, "anchor": "free", "position": 0, "ticklabelstandoff": 6},
        "yaxis": {**value, "nticks": 6},
        "yaxis2": {**value, "nticks": 3, "rangemode": "tozero", "domain": THROUGHPUT_PANEL, "visible": False},
    }


def _held_out() -> go.Scatter:
    """Dashed, with a mark at each epoch's end: between these nothing was measured."""
    colour = "var(--trace-2)"
    marker = {"color": colour, "size": 7, "symbol": "diamond"}
    drawn = line(_("held-out loss"), "validation", colour, width=1.5, line={"dash": "dash"}, marker=marker)
    return drawn.update(mode="lines+markers")


def _throughput() -> go.Scatter:
    return line(_("steps a second"), "throughput", "var(--trace-3)", width=1.5, yaxis="y2", visible=False)


def _words(held_out: bool) -> dict[str, Any]:
    """What the script writes beside the axes and into the hover; ``{0}`` is a number."""
    return {
        "loss": _("loss"),
        "smoothed": _("smoothed"),
        **({"held_out": _("held-out loss")} if held_out else {}),
        "throughput": _("steps/s"),
        "step": _("step"),
        "epoch": _("epoch"),
        "units": [[1, _("seconds")], [60, _("minutes")], [3600, _("hours")]],
        "spans": [[1, _("{0} s")], [60, _("{0} min")], [3600, _("{0} h")]],
        "at": _("step {0}, epoch {1}, {2}"),
        "panels": {"loss": LOSS_PANEL, "throughput": THROUGHPUT_PANEL},
    }
