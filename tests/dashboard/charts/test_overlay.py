"""Curves of several jobs: small answers that keep what matters."""

import time

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts.overlay import buckets, columns, held_out, look, significant
from tuning import curves
from tuning.jobs import Point


def series(values: list[float], began: float = 1000.0) -> bytes:
    return curves.pack(Point(step, 0, value, began + step) for step, value in enumerate(values, start=1))


def noisy(length: int, seed: int = 0) -> list[float]:
    noise = np.random.default_rng(seed)
    return (3 / (1 + np.arange(length) / 500) + noise.normal(0, 0.05, length)).tolist()


def test_every_spike_of_a_long_curve_is_drawn() -> None:
    values = noisy(10_000)
    spikes = range(123, 10_000, 997)
    for place in spikes:
        values[place] = 9.0 + place
    drawn = columns(series(values), weight=0.6, most=buckets(10))
    assert {place + 1 for place in spikes} <= set(drawn["steps"].tolist())
    assert len(drawn["steps"]) <= 2 * buckets(10) + 2


def test_curve_that_is_short_is_whole_and_its_times_count_from_its_start() -> None:
    drawn = columns(series([3.14159265, 2.0, float("nan")]), weight=0.0, most=100, began=999.5)
    assert drawn["steps"].tolist() == [1, 2, 3]
    assert drawn["times"].tolist() == [1.5, 2.5, 3.5]
    assert orjson.loads(orjson.dumps(drawn["losses"], option=orjson.OPT_SERIALIZE_NUMPY)) == [3.142, 2.0, None]


def test_job_without_points_has_empty_columns() -> None:
    drawn = columns(b"", weight=0.6, most=100)
    assert drawn["steps"].tolist() == drawn["smoothed"].tolist() == []
    assert held_out([[5, 1, None]], b"", 0.0)["steps"].tolist() == [5]


def test_held_out_losses_lie_at_the_time_of_their_step() -> None:
    found = held_out([[2, 1, 0.5], [3, 2, None]], series([3.0, 2.0, 1.0]), 1000.0)
    assert found["times"].tolist() == [2.0, 3.0]
    assert found["losses"].tolist()[0] == 0.5


@given(st.lists(st.floats(width=32)))
def test_rounding_moves_no_loss_by_more_than_a_picture_shows(values: list[float]) -> None:
    exact = np.array(values, dtype=np.float64)
    np.testing.assert_allclose(significant(exact), exact, rtol=6e-4)


def test_ten_long_curves_are_quick_and_small() -> None:
    packed = [series(noisy(10_000, seed)) for seed in range(10)]
    took = []
    for _ in range(5):
        begun = time.process_time()
        body = orjson.dumps(
            [columns(one, weight=0.6, most=buckets(10)) for one in packed], option=orjson.OPT_SERIALIZE_NUMPY
        )
        took.append(time.process_time() - begun)
    assert len(body) < 200_000
    assert min(took) < 0.06, took


def test_twenty_jobs_look_different() -> None:
    looks = {tuple(look(place).values()) for place in range(20)}
    assert len(looks) == 20
    assert all(dash != "dash" for _colour, dash in looks)


@pytest.mark.parametrize("jobs", [0, 1, 10, 20, 10**15])
def test_every_curve_has_a_bucket(jobs: int) -> None:
    assert 1 <= buckets(jobs) <= 1_000
