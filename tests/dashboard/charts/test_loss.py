"""The loss figure: what is drawn, and what a poll adds to it."""

import json
import math

from dashboard.charts.loss import MOST_DRAWN, epoch_marks, loss_figure, new_points
from tuning.curves import pack
from tuning.jobs import Point


def series(*losses: float) -> bytes:
    return pack(Point(step, 0, loss, float(step)) for step, loss in enumerate(losses, start=1))


def figure(data: bytes, total_steps: int = 19, ended_at: int | None = None) -> dict:  # type: ignore[type-arg]
    return loss_figure(data, total_steps=total_steps, batch_size=4, examples=15, ended_at=ended_at)


def test_axis_has_room_for_the_whole_job_from_the_beginning() -> None:
    assert figure(series(3.0))["layout"]["xaxis"]["range"] == [0, 19]


def test_job_that_ended_early_is_shown_as_far_as_it_got() -> None:
    drawn = figure(series(3.0, 2.0), ended_at=2)
    assert drawn["layout"]["xaxis"]["range"] == [0, 2]


def test_epochs_are_marked_where_they_are_completed() -> None:
    assert epoch_marks(19, 4, 15) == [(4, 1), (8, 2), (12, 3), (15, 4), (19, 5)]


def test_many_epochs_are_marked_thinly() -> None:
    marks = epoch_marks(19_000, 4, 15)
    assert [epoch for _, epoch in marks] == [1000, 2000, 3000, 4000, 5000]


def test_long_curve_is_drawn_with_every_spike_and_few_points() -> None:
    losses = [1.0] * 100_000
    spikes = range(777, 100_000, 4_999)
    for spike in spikes:
        losses[spike] = 50.0
    line = figure(series(*losses), total_steps=100_000)["data"][0]
    assert len(line["x"]) <= 3 * MOST_DRAWN
    assert {spike + 1 for spike in spikes} <= set(line["x"])


def test_figure_is_json_whatever_the_losses() -> None:
    drawn = figure(series(math.nan, math.inf, -1.1e-06, 0.0, 3.0))
    text = json.dumps(drawn, allow_nan=False)
    assert json.loads(text)["data"][0]["y"][:2] == [None, None]


def test_figure_without_points_is_an_empty_frame() -> None:
    assert figure(b"")["data"][0]["x"] == []


def test_poll_adds_what_the_whole_curve_would_show() -> None:
    data = series(3.0, 2.5, 2.0, 1.5, 1.2)
    whole, tail = figure(data), new_points(data, after=3, total_steps=19)
    assert tail["steps"] == [4, 5]
    assert tail["losses"] == whole["data"][0]["y"][3:]
    assert tail["smoothed"] == whole["data"][1]["y"][3:]


def test_figure_names_no_colour_of_its_own() -> None:
    text = json.dumps(figure(series(3.0)))
    assert "var(--trace-1)" in text
    assert "#" not in text
