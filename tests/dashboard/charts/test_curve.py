"""A curve in columns: few points, every extreme, and a tail that continues what is drawn."""

import math

import orjson
import pytest

from dashboard.charts.curve import MOST_DRAWN, MOST_NEW, Axis, Length, View, curve, epoch_marks, news
from tuning.curves import POINT, Kind, Smoothing, pack
from tuning.jobs import Point

LENGTH = Length(last_step=19, batch_size=4, examples=15)


def series(*losses: float) -> bytes:
    return pack(Point(step, 0, loss, 1000.0 + step) for step, loss in enumerate(losses, start=1))


def sent(columns: dict) -> dict:  # type: ignore[type-arg]
    """As the browser reads it."""
    return orjson.loads(orjson.dumps(columns, option=orjson.OPT_SERIALIZE_NUMPY))  # type: ignore[no-any-return]


def test_epochs_are_marked_where_they_are_completed() -> None:
    assert epoch_marks(LENGTH) == [(4, 1), (8, 2), (12, 3), (15, 4), (19, 5)]


def test_many_epochs_are_marked_thinly() -> None:
    marks = epoch_marks(Length(last_step=19_000, batch_size=4, examples=15))
    assert [epoch for _, epoch in marks] == [1000, 2000, 3000, 4000, 5000]


@pytest.fixture(scope="module")
def long() -> tuple[bytes, set[int]]:
    """100,000 points with twenty spikes of one step."""
    losses = [1.0 + (step * 7919 % 1000) / 1000 for step in range(100_000)]
    spikes = set(range(777, 100_000, 4_999))
    for spike in spikes:
        losses[spike] = 50.0
    return series(*losses), {spike + 1 for spike in spikes}


@pytest.mark.parametrize("x", Axis)
def test_long_curve_is_few_points_and_every_spike(long: tuple[bytes, set[int]], x: Axis) -> None:
    data, spikes = long
    drawn = sent(curve(data, [], Length(last_step=100_000, batch_size=4, examples=1500), View(x=x)))
    assert len(drawn["steps"]) <= MOST_DRAWN
    assert drawn["of"] == 100_000
    assert spikes <= set(drawn["steps"])
    assert len(orjson.dumps(drawn)) <= 60_000


def test_zoomed_range_is_bucketed_anew_from_the_whole_series(long: tuple[bytes, set[int]]) -> None:
    data, spikes = long
    length = Length(last_step=100_000, batch_size=4, examples=1500)
    drawn = sent(curve(data, [], length, View(start=700, end=1700)))
    assert drawn["steps"] == list(range(699, 1702))
    assert 778 in spikes & set(drawn["steps"])


def test_range_is_meant_in_the_units_of_its_axis() -> None:
    data = series(*[1.0] * 100)
    assert sent(curve(data, [], LENGTH, View(x=Axis.TIME, start=10, end=12)))["times"] == [9, 10, 11, 12, 13]
    assert sent(curve(data, [], LENGTH, View(x=Axis.EPOCH, start=2, end=3)))["steps"] == [7, 8, 9, 10, 11, 12]


def test_zoomed_range_is_smoothed_as_in_the_whole_curve() -> None:
    data = series(*(math.sin(step) + 2 for step in range(300)))
    whole, part = (sent(curve(data, [], LENGTH, View(start=start))) for start in (None, 200))
    assert part["smoothed"] == whole["smoothed"][-len(part["smoothed"]) :]


def test_columns_are_json_whatever_the_losses() -> None:
    drawn = sent(curve(series(math.nan, math.inf, -1.1e-06, 0.0, 3.0), [[4, 1, None]], LENGTH, View()))
    assert drawn["losses"][:2] == [None, None]
    assert drawn["losses"][2] == pytest.approx(-1.1e-06)
    assert drawn["validation"] == {"steps": [4], "epochs": [1], "losses": [None]}


def test_curve_without_points_is_empty() -> None:
    drawn = sent(curve(b"", [], LENGTH, View(start=3, end=9)))
    assert (drawn["steps"], drawn["of"], drawn["throughput"]["rates"]) == ([], 0, [])


def test_time_does_not_run_backwards_when_a_clock_was_set_back() -> None:
    data = pack([Point(1, 0, 1.0, 100.0), Point(2, 0, 1.0, 107.0), Point(3, 0, 1.0, 50.0), Point(4, 0, 1.0, 109.0)])
    assert sent(curve(data, [], LENGTH, View()))["times"] == [0, 7, 7, 9]


@pytest.mark.parametrize("kind", Kind)
def test_news_continue_the_curve_as_the_whole_of_it_would_show(kind: Kind) -> None:
    view = View(smoothing=Smoothing(kind, 0.8))
    data = series(*(math.sin(step) + 2 for step in range(500)))
    whole = sent(curve(data, [], LENGTH, view))
    kept = (view.smoothing.reach + 5) * POINT.itemsize
    tail = sent(news(data[-kept:], [], after=495, began=1001.0, view=view))
    assert tail["steps"][-5:] == [496, 497, 498, 499, 500]
    before = sent(curve(data[: 495 * POINT.itemsize], [], LENGTH, view))["smoothed"][: tail["steps"][0] - 1]
    assert before + tail["smoothed"] == pytest.approx(whole["smoothed"], abs=1e-5)
    assert tail["times"] == whole["times"][-len(tail["times"]) :]


def test_news_bring_new_points_alone_where_old_ones_do_not_change() -> None:
    tail = sent(news(series(*[1.0] * 50), [], after=48, began=1001.0, view=View()))
    assert tail["steps"] == [49, 50]
    assert tail["throughput"] == {"steps": [50], "rates": [1.0]}


def test_so_many_news_that_the_picture_is_better_fetched_whole() -> None:
    data = series(*[1.0] * (MOST_NEW + 10))
    assert news(data, [], after=3, began=0.0, view=View()) == {"restart": True}
