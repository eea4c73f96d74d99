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
