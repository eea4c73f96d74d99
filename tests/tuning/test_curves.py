"""Packed series: nothing is lost in them, and what is drawn of them shows every extreme."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning import curves
from tuning.jobs import Point

COUNTS = st.integers(0, 2**32 - 1)
LOSSES = st.floats(width=32)
POINTS = st.lists(st.builds(Point, COUNTS, COUNTS, LOSSES, st.floats(allow_nan=False)))
SERIES = st.lists(LOSSES, min_size=1, max_size=300)


def same(one: list[Point], other: list[Point]) -> bool:
    """Equal, where NaN equals NaN."""
    return repr(one) == repr(other)


@given(POINTS)
def test_points_come_back_as_they_were_packed(points):
    assert same(curves.unpack(curves.pack(points)), points)


@given(POINTS, POINTS)
def test_joining_packed_chunks_joins_their_points(head, tail):
    assert curves.pack(head) + curves.pack(tail) == curves.pack(head + tail)


def test_a_packed_point_is_twenty_bytes_little_endian():
    assert curves.pack([Point(7, 1, 0.5, 1.25)]) == struct.pack("<IIfd", 7, 1, 0.5, 1.25)


def test_values_beyond_float32_become_infinite():
    assert curves.unpack(curves.pack([Point(1, 0, 1e300, 0.0)]))[0].value == math.inf


def test_half_a_point_is_refused():
    with pytest.raises(ValueError, match="multiple"):
        curves.unpack(b"\0" * 21)


def test_a_negative_step_is_refused():
    with pytest.raises(OverflowError):
        curves.pack([Point(-1, 0, 0.0, 0.0)])


@given(POINTS)
def test_arrays_are_the_columns_of_the_points(points):
    columns = curves.arrays(curves.pack(points))
    assert columns.steps.tolist() == [point.step for point in points]
    assert columns.epochs.tolist() == [point.epoch for point in points]
    assert repr(columns.values.tolist()) == repr([point.value for point in points])
    assert columns.times.tolist() == [point.time for point in points]


@given(SERIES)
def test_smoothing_with_weight_nought_changes_nothing(values):
    assert np.array_equal(curves.smooth(values, 0), np.array(values), equal_nan=True)


@given(st.floats(-1e6, 1e6), st.integers(1, 50), st.floats(0, 0.999))
def test_a_flat_line_stays_flat_when_smoothed(value, length, weight):
    assert curves.smooth([value] * length, weight) == pytest.approx([value] * length)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0, 0.999))
def test_a_smoothed_value_lies_between_what_was_seen_so_far(values, weight):
    smoothed = curves.smooth(values, weight)
    for end, value in enumerate(smoothed, start=1):
        assert min(values[:end]) - 1e-3 <= value <= max(values[:end]) + 1e-3


def test_a_value_that_is_not_finite_moves_no_average():
    clean, broken = curves.smooth([4, 2, 1], 0.6), curves.smooth([4, math.nan, 2, math.inf, 1], 0.6)
    assert broken[[0, 2, 4]] == pytest.approx(clean)
    assert math.isnan(broken[1])
    assert broken[3] == math.inf


@pytest.mark.parametrize("weight", [-0.1, 1, math.nan])
def test_a_weight_outside_its_range_is_refused(weight):
    with pytest.raises(ValueError, match="weight"):
        curves.smooth([1.0], weight)


def columns(values, times=None):
    points = [Point(step, 0, value, float(step)) for step, value in enumerate(values, start=1)]
    if times is not None:
        points = [Point(p.step, 0, p.value, time) for p, time in zip(points, times, strict=True)]
    return curves.arrays(curves.pack(points))


def whole(smoothing, points):
    return smoothing.of(points, np.arange(len(points.steps)))


def test_the_moving_average_is_the_recurrence_it_is_named_for():
    values, weight = np.random.default_rng(7).normal(size=3000), 0.97
    average, seen = 0.0, []
    for count, value in enumerate(values, start=1):
        average = weight * average + (1 - weight) * value
        seen.append(average / (1 - weight**count))
    assert curves.smooth(values, weight) == pytest.approx(seen, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("kind", curves.Kind)
@given(st.floats(-1e6, 1e6, width=32), st.integers(1, 50), st.floats(0, 0.999))
def test_a_flat_line_stays_flat_however_it_is_smoothed(kind, value, length, weight):
    flat = columns([value] * length)
    assert whole(curves.Smoothing(kind, weight), flat) == pytest.approx([value] * length)


@pytest.mark.parametrize("kind", curves.Kind)
@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=60), st.floats(0, 0.99))
def test_smoothed_values_stay_within_what_was_measured(kind, values, weight):
    smoothed = whole(curves.Smoothing(kind, weight), columns(values))
    assert (smoothed >= min(values) - 1e-3).all()
    assert (smoothed <= max(values) + 1e-3).all()


@pytest.mark.parametrize("kind", curves.Kind)
def test_smoothing_leaves_what_is_not_finite_where_it_stands(kind):
    smoothed = whole(curves.Smoothing(kind, 0.9), columns([1.0, math.nan, 1.0, math.inf, 1.0]))
    assert smoothed[[0, 2, 4]] == pytest.approx([1, 1, 1])
    assert math.isnan(smoothed[1])
    assert smoothed[3] == math.inf


@pytest.mark.parametrize("kind", curves.Kind)
@given(st.integers(0, 2**32), st.integers(2, 1500), st.floats(0, 0.99))
def test_the_end_of_a_series_is_smoothed_as_in_the_whole_of_it(kind, seed, length, weight):
    smoothing = curves.Smoothing(kind, weight)
    data = curves.pack(
        Point(step, 0, value, float(step))
        for step, value in enumerate(np.random.default_rng(seed).normal(size=length), start=1)
    )
    end = curves.arrays(data[-(smoothing.reach + 5) * curves.POINT.itemsize :])
    assert whole(smoothing, end)[-5:] == pytest.approx(whole(smoothing, curves.arrays(data))[-5:], abs=1e-6)


def test_after_a_long_pause_little_is_left_of_the_past():
    values, times = [4.0] * 10 + [1.0], [*range(10), 1000.0]
    by_time = whole(curves.Smoothing(curves.Kind.TIME, 0.9), columns(values, times))
    by_point = whole(curves.Smoothing(curves.Kind.EMA, 0.9), columns(values, times))
    assert by_time[-1] == pytest.approx(1.0)
    assert by_point[-1] > 3


def test_gaussian_does_not_lag_behind_a_step_down():
    values = [2.0] * 100 + [1.0] * 100
    gaussian = whole(curves.Smoothing(curves.Kind.GAUSSIAN, 0.9), columns(values))
    assert gaussian[99:101].mean() == pytest.approx(1.5)


@given(SERIES, st.integers(1, 40), st.floats(-10, 310), st.floats(-10, 310))
def test_any_range_keeps_its_own_extremes(values, buckets, one, other):
    low, high = sorted((one, other))
    steps = np.arange(len(values))
    part = curves.within(steps, low, high)
    kept = part.start + curves.downsample(steps[part], np.array(values)[part], buckets)
    inside = [value for step, value in enumerate(values) if low <= step <= high and math.isfinite(value)]
    drawn = [values[step] for step in kept if math.isfinite(values[step])]
    if inside:
        assert min(drawn) <= min(inside)
        assert max(drawn) >= max(inside)
        assert {min(inside), max(inside)} <= set(drawn)


@given(SERIES, st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_range_holds_what_lies_in_it_and_a_neighbour_at_each_side(values, one, other):
    low, high = sorted((one, other))
    steps = np.arange(len(values))
    found = steps[curves.within(steps, low, high)].tolist()
    inside = [step for step in steps.tolist() if low <= step <= high]
    assert set(inside) <= set(found)
    assert len(found) <= len(inside) + 2


def test_throughput_counts_steps_a_second_and_knows_none_where_no_time_passed():
    at, rates = curves.throughput(columns([1.0] * 5, [0.0, 0.5, 1.0, 1.0, 3.0]), 10)
    assert at.tolist() == [1, 2, 3, 4]
    assert rates[[0, 1, 3]].tolist() == [2.0, 2.0, 0.5]
    assert math.isnan(rates[2])
    assert len(curves.throughput(columns([1.0]), 10)[0]) == 0


@given(SERIES, st.integers(1, 40))
def test_downsampling_keeps_ends_and_extremes(values, buckets):
    kept = curves.downsample(range(len(values)), values, buckets).tolist()
    finite = [value for value in values if math.isfinite(value)]
    drawn = [values[index] for index in kept if math.isfinite(values[index])]
    assert kept == sorted(set(kept))
    assert {0, len(values) - 1} <= set(kept)
    assert (min(drawn, default=0), max(drawn, default=0)) == (min(finite, default=0), max(finite, default=0))


@given(SERIES, st.integers(1, 40))
def test_downsampling_keeps_each_buckets_own_extremes(values, buckets):
    steps = np.arange(len(values))
    kept = set(curves.downsample(steps, values, buckets).tolist())
    edges = np.linspace(0, len(values) - 1, buckets, endpoint=False)
    for members in np.split(steps, np.searchsorted(steps, edges)):
        finite = [values[index] for index in members if math.isfinite(values[index])]
        drawn = [values[index] for index in members if index in kept and math.isfinite(values[index])]
        assert (min(drawn, default=0), max(drawn, default=0)) == (min(finite, default=0), max(finite, default=0))


@given(SERIES, st.integers(1, 40))
def test_downsampling_draws_no_more_than_the_buckets_allow(values, buckets):
    kept = curves.downsample(range(len(values)), values, buckets)
    assert len(kept) <= max(2 * buckets, 3 * buckets + 2)


def test_downsampling_shows_where_a_curve_has_a_hole():
    values = [1.0] * 100
    values[40] = math.nan
    assert 40 in curves.downsample(range(100), values, 5)


def test_downsampling_nothing_gives_nothing():
    assert curves.downsample([], [], 5).tolist() == []


def test_a_summary_tells_ends_lowest_point_and_change():
    points = [Point(1, 0, 3.0, 1.0), Point(2, 0, 0.5, 2.0), Point(3, 1, 0.5, 3.0), Point(4, 1, 1.0, 4.0)]
    assert curves.summary(points) == curves.Summary(points[0], points[3], points[1], -2.0)


def test_a_summary_passes_over_what_is_not_finite():
    points = [Point(1, 0, math.nan, 1.0), Point(2, 0, 2.0, 2.0), Point(3, 0, -math.inf, 3.0)]
    assert curves.summary(points) == curves.Summary(points[1], points[1], points[1], 0.0)
    assert curves.summary(points[:1]) is None
