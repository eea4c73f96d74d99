"""The share of next tokens that were predicted correctly, drawn."""

import json
import math

from dashboard.charts.accuracy import MOST, accuracy
from tuning.jobs import Point


def points(*values: float) -> list[Point]:
    return [Point(step, 0, value, 0.0) for step, value in enumerate(values, 1)]


def test_each_series_has_its_line() -> None:
    figure = accuracy(points(0.5, 0.75), points(0.25))
    assert [list(line["y"]) for line in figure["data"]] == [[0.5, 0.75], [0.25]]
    assert len(accuracy(points(0.5), [])["data"]) == 1


def test_what_is_no_number_is_left_out_of_the_json() -> None:
    figure = accuracy(points(0.5, math.nan, 1.0), [])
    assert "NaN" not in json.dumps(figure["data"][0]["y"])
    assert list(figure["data"][0]["x"]) == [1, 3]


def test_a_long_line_is_thinned_and_keeps_its_extremes() -> None:
    line = accuracy(points(*[0.5] * 5_000, 0.9, *[0.5] * 5_000), [])["data"][0]
    assert len(line["x"]) <= MOST + 2
    assert max(line["y"]) == 0.9
