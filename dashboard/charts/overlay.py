"""Loss curves of several jobs in one chart.

What is sent is columns of numbers, not traces: ``static/compare.js`` makes the traces for the axis a person chose, so
that another axis or scale costs no request.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from tuning import curves

MOST_BUCKETS = 1_000
MOST_TOGETHER = 3_000
"""Buckets of all curves together: what a chart of several curves can show. Each keeps its lowest and its highest."""
DIGITS = 4
"""Significant ones of a loss: more than a picture shows, and what keeps the answer small."""

COLOURS = 8
DASHES = ("", "dot", "longdash")
"""After each eight jobs the colours come again, with another line; "dash" is for losses over held-out examples."""

Columns = dict[str, Any]


def buckets(jobs: int) -> int:
    """How many buckets each of so many curves gets."""
    return max(1, min(MOST_BUCKETS, MOST_TOGETHER // max(jobs, 1)))


def columns(series: bytes, *, weight: float, most: int, began: float | None = None) -> Columns:
    """What is drawn of packed losses: ``steps``, ``times`` (seconds since ``began``), ``losses``, ``smoothed``.

    ``began`` is in seconds since 1970, by default the time of the first point; it is returned with the rest.
    """
    points = curves.arrays(series)
    drawn = curves.downsample(points.steps, points.values, most)
    start = began if began is not None else float(points.times[0]) if len(points.times) else 0.0
    return {
        "began": round(start, 2),
        "of": len(points.steps),
        "steps": points.steps[drawn].astype(np.int64),
        "times": np.round(points.times[drawn] - start, 2),
        "losses": significant(points.values[drawn]),
        "smoothed": significant(curves.smooth(points.values, weight)[drawn]),
    }


def held_out(validation: list[list[float | None]], series: bytes, began: float) -> Columns:
    """The losses over held-out examples, ``[step, epoch, loss]`` each, at the times of the steps they belong to."""
    points = curves.arrays(series)
    steps = np.array([row[0] for row in validation], dtype=np.float64)
    times = np.interp(steps, points.steps, points.times) - began if len(points.steps) else steps * 0
    losses = np.array([row[2] for row in validation], dtype=np.float64)
    return {"steps": steps.astype(np.int64), "times": np.round(times, 2), "losses": significant(losses)}


def significant(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """``values`` to four significant digits; what is not finite stays as it is."""
    exact = np.array(values, dtype=np.float64)
    sized = np.isfinite(exact) & (exact != 0)
    places = DIGITS - 1 - np.floor(np.log10(np.abs(exact[sized])))
    # Dividing by a whole power of ten gives the nearest number to the short decimal; multiplying would not.
    exact[sized] = np.where(
        places >= 0,
        np.round(exact[sized] * 10.0 ** np.maximum(places, 0)) / 10.0 ** np.maximum(places, 0),
        np.round(exact[sized] / 10.0 ** np.maximum(-places, 0)) * 10.0 ** np.maximum(-places, 0),
    )
    return exact


def look(place: int) -> dict[str, str]:
    """Colour and dash of the job at ``place`` among those compared."""
    return {"colour": f"--trace-{place % COLOURS + 1}", "dash": DASHES[place // COLOURS % len(DASHES)]}


def overlay_layout() -> dict[str, Any]:
    """The frame of the chart; the titles of the axes are set where the axis is chosen."""
    axis = {"showline": False, "zeroline": False, "ticks": "", "fixedrange": False}
    return {
        "template": "none",
        "uirevision": "kept",
        "showlegend": False,
        "hovermode": "x unified",
        "dragmode": "zoom",
        "margin": {"l": 44, "r": 24, "t": 28, "b": 44},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "var(--ink-muted)"},
        "hoverlabel": {"bgcolor": "var(--raised)", "bordercolor": "var(--line)", "font": {"color": "var(--ink)"}},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "var(--ink-muted)", "activecolor": "var(--accent)"},
        "xaxis": {**axis, "showgrid": False},
        "yaxis": {**axis, "gridcolor": "var(--grid)", "nticks": 6},
    }
