"""Parallel coordinates of jobs that differ in some settings: a line a job, an upright axis a setting, the loss last.

The basic bundle of plotly.js has no trace of that kind, so the lines are scatter lines over axes drawn as shapes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.fingerprints import fingerprint
from dashboard.jobs.models import Job
from dashboard.jobs.recipes import RecipeForm
from dashboard.templatetags.tuneboard import loss as shown_loss
from dashboard.templatetags.tuneboard import plain

SHADES = 5
"""Colours from the lowest loss to the highest: ``--rank-1`` to ``--rank-5`` of ``static/app.css``."""
MOST_MARKS = 6
"""Values written beside an axis."""
BY_RATIOS = frozenset({"learning_rate", "batch_size", "rank", "alpha", "weight_decay"})
"""Settings whose steps are ratios: their axis is logarithmic where all values are above 0."""
FEWEST = 2
"""Jobs that have ended, before there is anything to be compared."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One upright axis: where each of its ``values`` lies, from 0 at its foot to 1."""

    title: str
    values: Sequence[float]
    by_ratios: bool
    is_loss: bool = False

    def place(self, value: float) -> float:
        low, high = self._scaled(min(self.values)), self._scaled(max(self.values))
        return 0.5 if high == low else (self._scaled(value) - low) / (high - low)

    def marks(self) -> list[tuple[float, str]]:
        """``(place, text)`` beside the axis: every value while these are few, else its ends."""
        distinct = sorted(set(self.values))
        chosen = distinct if len(distinct) <= MOST_MARKS and not self.is_loss else [distinct[0], distinct[-1]]
        return [(self.place(value), self.text(value)) for value in dict.fromkeys(chosen)]

    def text(self, value: float) -> str:
        return shown_loss(value) if self.is_loss else plain(value)

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.by_ratios else value


def parallel_figure(
    jobs: Sequence[Job], varied: Sequence[str], losses: Mapping[int, float | None], loss_name: str
) -> dict[str, Any] | None:
    """The figure of ``jobs`` over the ``varied`` settings; ``losses`` by job, with ``None`` for one that has none,
    and what to call them.

    ``None`` while fewer than two jobs have a loss, or where they differ in nothing that is a number. Figures of one
    ``key`` are the same: a page keeps what it has drawn.
    """
    settled = {job: loss for job in jobs if job.is_final and (loss := losses.get(job.pk)) is not None}
    if len(settled) < FEWEST or not varied:
        return None
    settings = [[float(getattr(job.recipe, name)) for job in settled] for name in varied]
    axes = [_axis(name, values) for name, values in zip(varied, settings, strict=True)]
    worth = list(settled.values())
    axes.append(Axis(loss_name, worth, by_ratios=min(worth) > 0, is_loss=True))
    order = sorted(settled, key=lambda job: settled[job], reverse=True)  # the best is drawn last, on top
    points = {job: [*row, settled[job]] for job, row in zip(settled, zip(*settings, strict=True), strict=True)}
    shades = {job: _shade(place, len(order)) for place, job in enumerate(reversed(order))}
    lines = [_line(job, axes, points[job], shades[job]) for job in order]
    return {"data": lines, "layout": _layout(axes), "key": fingerprint(lines)}


def _axis(name: str, values: Sequence[float]) -> Axis:
    return Axis(str(RecipeForm.base_fields[name].label), values, by_ratios=name in BY_RATIOS and min(values) > 0)


def _shade(place: int, jobs: int) -> int:
    return 1 + min(place * SHADES // jobs, SHADES - 1)


def _line(job: Job, axes: Sequence[Axis], values: Sequence[float], shade: int) -> dict[str, Any]:
    told = [f"{axis.title} {axis.text(value)}" for axis, value in zip(axes, values, strict=True)]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": job.display_name.replace("<", "&lt;"),  # plotly reads tags
        "meta": job.pk,
        "x": list(range(len(axes))),
        "y": [round(axis.place(value), 4) for axis, value in zip(axes, values, strict=True)],
        "text": told,
        "hovertemplate": "%{text}",
        "line": {"color": f"var(--rank-{shade})", "width": 3 if shade == 1 else 1.5},
        "marker": {"color": f"var(--rank-{shade})", "size": 7},
    }


def _layout(axes: Sequence[Axis]) -> dict[str, Any]:
    hidden = {"visible": False, "fixedrange": True}
    upright = {"type": "line", "y0": 0, "y1": 1, "line": {"color": "var(--line-strong)", "width": 1}, "layer": "below"}
    return {
        "template": "none",
        "showlegend": False,
        "hovermode": "closest",
        "dragmode": False,
        "margin": {"l": 64, "r": 64, "t": 36, "b": 16},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "var(--ink-muted)"},
        "hoverlabel": {"bgcolor": "var(--raised)", "bordercolor": "var(--line)", "font": {"color": "var(--ink)"}},
        "xaxis": {**hidden, "range": [-0.05, len(axes) - 0.95]},
        "yaxis": {**hidden, "range": [-0.06, 1.06]},
        "shapes": [{**upright, "x0": place, "x1": place} for place in range(len(axes))],
        "annotations": [note for place, axis in enumerate(axes) for note in _notes(place, axis)],
    }


def _notes(place: int, axis: Axis) -> list[dict[str, Any]]:
    title = {"x": place, "y": 1, "yref": "paper", "text": axis.title, "yanchor": "bottom", "yshift": 8}
    beside = {"x": place, "xanchor": "right", "xshift": -8}
    marks = [
        {**beside, "y": height, "text": text, "font": {"size": 11}, "bgcolor": "var(--paper)"}
        for height, text in axis.marks()
    ]
    return [{**note, "showarrow": False} for note in (title, *marks)]
