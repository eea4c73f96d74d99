"""Parallel coordinates: where the lines run, and which of them stands out."""

import json
from typing import Any

import pytest

from dashboard.charts.parallel import parallel_figure
from dashboard.jobs.models import Job
from tests.factories import JobFactory
from tuning.jobs import JobState

pytestmark = pytest.mark.django_db


def job(**facts: Any) -> Job:
    return JobFactory(**{"state": JobState.SUCCEEDED, **facts})


def test_line_of_each_job_runs_from_its_values_to_its_loss() -> None:
    jobs = [job(learning_rate=rate, epoch_count=epochs) for rate, epochs in [(0.0001, 2), (0.001, 5), (0.01, 8)]]
    losses = dict(zip([one.pk for one in jobs], [0.5, 0.05, 5.0], strict=True))
    figure = parallel_figure(jobs, ["learning_rate", "epoch_count"], losses, "Last loss")
    assert figure
    lines = {line["meta"]: line for line in figure["data"]}
    assert [lines[one.pk]["y"][0] for one in jobs] == [0, 0.5, 1]  # by ratios
    assert [lines[one.pk]["y"][1] for one in jobs] == [0, 0.5, 1]
    assert [lines[one.pk]["y"][2] for one in jobs] == [0.5, 0, 1]
    assert figure["data"][-1]["meta"] == jobs[1].pk  # the best on top
    assert lines[jobs[1].pk]["line"] == {"color": "var(--rank-1)", "width": 3}
    assert lines[jobs[1].pk]["text"] == ["Learning rate 0.001", "Epochs 5", "Last loss 0.05"]
    json.dumps(figure)


def test_axis_writes_its_values_while_these_are_few() -> None:
    jobs = [job(learning_rate=rate) for rate in (0.001, 0.002)]
    figure = parallel_figure(jobs, ["learning_rate"], {one.pk: float(one.pk) for one in jobs}, "Loss")
    assert figure
    assert {"Learning rate", "0.001", "0.002"} <= {note["text"] for note in figure["layout"]["annotations"]}


def test_losses_that_are_not_above_zero_are_drawn_too() -> None:
    jobs = [job(learning_rate=rate) for rate in (0.001, 0.002)]
    figure = parallel_figure(jobs, ["learning_rate"], {jobs[0].pk: 0.0, jobs[1].pk: -1.0}, "Loss")
    assert figure
    assert [line["y"][1] for line in figure["data"]] == [1, 0]


def test_nothing_is_drawn_of_jobs_that_go_on_or_do_not_differ() -> None:
    jobs = [job(), job()]
    losses: dict[int, float | None] = {one.pk: 0.1 for one in jobs}
    assert parallel_figure(jobs, [], losses, "Loss") is None
    assert parallel_figure([jobs[0], job(state=JobState.RUNNING)], ["learning_rate"], losses, "Loss") is None
    assert parallel_figure(jobs, ["learning_rate"], {jobs[0].pk: 0.1, jobs[1].pk: None}, "Loss") is None


def test_figures_of_one_key_are_the_same() -> None:
    jobs = [job(learning_rate=rate) for rate in (0.001, 0.002)]
    first, again, other = (
        parallel_figure(jobs, ["learning_rate"], {jobs[0].pk: 0.1, jobs[1].pk: last}, "Loss")
        for last in (0.2, 0.2, 0.3)
    )
    assert first
    assert again
    assert other
    assert first["key"] == again["key"] != other["key"]
