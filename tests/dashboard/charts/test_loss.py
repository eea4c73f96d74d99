"""The loss chart's frame: what ``static/curve.js`` fills."""

import json

from dashboard.charts.loss import loss_frame


def test_frame_names_no_colour_of_its_own() -> None:
    text = json.dumps(loss_frame(held_out=True))
    assert "var(--trace-1)" in text
    assert "#" not in text


def test_held_out_losses_have_a_line_where_there_can_be_any() -> None:
    columns = [line["meta"] for line in loss_frame(held_out=True)["data"]]
    assert columns == ["losses", "smoothed", "validation", "throughput"]
    assert "validation" not in [line["meta"] for line in loss_frame(held_out=False)["data"]]
