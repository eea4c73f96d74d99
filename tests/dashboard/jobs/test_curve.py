"""The curve of a job over HTTP: for the chart, as a table, as files."""

import csv
import io
import json
import math
import time
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from dashboard.accounts.models import User
from dashboard.jobs.curve import in_words
from dashboard.jobs.models import Job
from dashboard.jobs.series import CHUNK_POINTS, SeriesChunk
from tests.factories import JobFactory
from tuning import curves
from tuning.jobs import Best, JobState, JobStatus, Point

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_server")]

PAGES = ["curve/", "points/", "series.csv", "series.json"]


def told(job: Job, losses: list[float], state: JobState = JobState.RUNNING, **facts: object) -> Job:
    """``job`` after its service told of ``losses``, a second apart."""
    series = [Point(step, step // 4, loss, 1_700_000_000.0 + step) for step, loss in enumerate(losses, start=1)]
    job.store(JobStatus(state=state, total_steps=max(len(losses), 19), **facts), series)  # type: ignore[arg-type]
    return job


@pytest.mark.parametrize("page", PAGES)
def test_curve_of_somebody_else_is_not_found(browser: Client, page: str) -> None:
    assert browser.get(f"/jobs/{JobFactory().pk}/{page}").status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_strangers_are_led_to_the_sign_in(client: Client, page: str) -> None:
    answer = client.get(f"/jobs/{JobFactory().pk}/{page}")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")


def test_curve_comes_in_columns(browser: Client, alice: User) -> None:
    job = told(JobFactory(owner=alice), [3.0, 2.0, math.nan, 1.0])
    curve = browser.get(f"/jobs/{job.pk}/curve/?weight=0").json()
    assert curve["steps"] == [1, 2, 3, 4]
    assert curve["losses"] == curve["smoothed"] == [3.0, 2.0, None, 1.0]
    assert curve["times"] == [0, 1, 2, 3]
    assert (curve["attempt"], curve["last_step"], curve["of"]) == (1, 19, 4)


def test_job_that_ended_early_is_shown_as_far_as_it_got(browser: Client, alice: User) -> None:
    job = told(JobFactory(owner=alice), [3.0, 2.0], JobState.CANCELLED)
    assert browser.get(f"/jobs/{job.pk}/curve/").json()["last_step"] == 2


@pytest.mark.parametrize(
    "asked",
    [
        "x=banana", "smoothing=x", "weight=1", "weight=nan", "weight=-1", "weight=1e999", "start=x&end=²", "start=nan",
        "start=inf&end=-inf", "start=9&end=3", "start=1e308&end=1e309", "x=time&start=5&end=5", "x=&start=-5",
    ],
)  # fmt: skip
def test_curve_survives_any_address(browser: Client, alice: User, asked: str) -> None:
    job = told(JobFactory(owner=alice), [3.0, 2.0, 1.0])
    assert browser.get(f"/jobs/{job.pk}/curve/?{asked}").status_code == 200


def test_hundred_thousand_snapshots_are_stored_quickly_and_small(alice: User) -> None:
    job, batch = JobFactory(owner=alice), 1000
    begun = time.perf_counter()
    for first in range(1, 100_001, batch):
        points = [Point(step, 0, 1.0, float(step)) for step in range(first, first + batch)]
        job.store(JobStatus(state=JobState.RUNNING, total_steps=100_000), points)
    assert time.perf_counter() - begun < 10, "2 s on a machine at rest"
    sizes = [len(data) for data in job.chunks.values_list("data", flat=True)]
    assert sum(sizes) == 2_000_000
    assert len(sizes) <= 100_000 / CHUNK_POINTS + 1


def test_end_of_a_series_is_read_without_the_rest(alice: User) -> None:
    job = told(JobFactory(owner=alice), [1.0] * 5 * CHUNK_POINTS)
    steps = curves.arrays(job.series(after=5 * CHUNK_POINTS - 3)).steps.tolist()
    assert steps == list(range(4 * CHUNK_POINTS + 1, 5 * CHUNK_POINTS + 1))
    assert curves.arrays(job.series(after=5 * CHUNK_POINTS - 3, reach=1)).steps[0] == 3 * CHUNK_POINTS + 1
    assert [(c.first_step, c.last_step) for c in SeriesChunk.objects.all()][:2] == [(1, 512), (513, 1024)]


def test_csv_is_every_point_with_what_is_not_finite(browser: Client, alice: User) -> None:
    job = JobFactory(owner=alice, display_name='=cmd|"/C calc"!A0', total_steps=19)
    held_out = (Point(4, 1, 0.75, 0.0), Point(8, 2, math.nan, 0.0))
    told(job, [0.1, math.nan, math.inf, -math.inf, -1.1145603e-06], validation=held_out)
    answer = browser.get(f"/jobs/{job.pk}/series.csv")
    assert answer["Content-Disposition"] == 'attachment; filename="cmdc-calca0-loss.csv"'
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined]
    assert [row["loss"] for row in rows] == [
        "0.1", "NaN", "Infinity", "-Infinity", "-0.0000011145603", "0.75", "NaN",
    ]  # fmt: skip
    assert rows[0] == {
        "series": "training", "step": "1", "epoch": "0", "loss": "0.1", "time": "2023-11-14T22:13:21.000Z",
    }  # fmt: skip
    assert rows[-1] == {"series": "held out", "step": "8", "epoch": "2", "loss": "NaN", "time": ""}


def test_json_is_every_point_of_a_long_curve(browser: Client, alice: User) -> None:
    losses = [*(step / 7 for step in range(3 * CHUNK_POINTS)), math.nan]
    job = told(JobFactory(owner=alice), losses)
    answer = browser.get(f"/jobs/{job.pk}/series.json")
    series = json.loads(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
    assert [row[0] for row in series["training"]] == list(range(1, len(losses) + 1))
    assert series["training"][7][2] == 1.0
    assert series["training"][-1][2] == "NaN"
    assert series["held_out"] == []


@pytest.mark.parametrize("form", ["csv", "json"])
def test_file_of_a_job_without_points_is_a_file(browser: Client, alice: User, form: str) -> None:
    answer = browser.get(f"/jobs/{JobFactory(owner=alice).pk}/series.{form}")
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert text.startswith("series,step") if form == "csv" else json.loads(text) == {"training": [], "held_out": []}


def test_table_has_every_point_the_newest_first(browser: Client, alice: User) -> None:
    job = told(JobFactory(owner=alice), [1.0 + step for step in range(120)])
    first, last = (browser.get(f"/jobs/{job.pk}/points/?page={page}") for page in (1, 3))
    assert [row["step"] for row in first.context["rows"]] == list(range(120, 70, -1))
    assert [row["step"] for row in last.context["rows"]] == list(range(20, 0, -1))
    part = browser.get(f"/jobs/{job.pk}/points/?page=²", headers={"HX-Request": "true"}).content
    assert b"<table" in part
    assert b"<html" not in part


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ([3.14, 0.07], "Loss fell from 3.14 to 0.07."),
        ([1.0, 2.5], "Loss rose from 1.00 to 2.50."),
        ([1.0, 1.0], "Loss stayed at 1.00."),
        ([], ""),
    ],
)
def test_curve_in_words(alice: User, losses: list[float], words: str) -> None:
    assert in_words(told(JobFactory(owner=alice), losses)) == words


def test_words_tell_the_best_epoch_and_since_when_it_is_flat(alice: User) -> None:
    job = told(JobFactory(owner=alice), [3.0, 1.0], best=Best(step=8, epoch=2, loss=0.5))
    job.findings = [{"code": "flat", "params": {"epoch": 4}, "first_step": 15, "last_step": 19, "changes": {}}]
    assert (
        in_words(job) == "Loss fell from 3.00 to 1.00, flat since epoch 4, held-out loss lowest after epoch 2, at 0.50."
    )


def stalled(seconds_ago: float, pace: float, **facts: object) -> Job:
    now = timezone.now()
    last = now - timedelta(seconds=seconds_ago)
    usual = {
        "state": JobState.RUNNING, "synced_at": now, "last_step_at": last, "completed_steps": 11,
        "first_step_at": last - timedelta(seconds=10 * pace),
    }  # fmt: skip
    return JobFactory.build(**(usual | facts), owner=None, connection=None, dataset_version=None)


def test_job_is_stalled_when_it_is_silent_for_far_longer_than_a_step_takes() -> None:
    assert stalled(90, pace=1).is_stalled
    assert stalled(90, pace=1).shown_state == "STALLED"
    assert not stalled(30, pace=1).is_stalled, "an epoch's end takes time of its own"
    assert not stalled(90, pace=20).is_stalled, "its steps are that slow"
    assert stalled(300, pace=20).is_stalled


def test_only_a_running_job_is_stalled_and_only_when_its_service_was_asked() -> None:
    assert not stalled(90, pace=1, state=JobState.SUCCEEDED).is_stalled
    assert not stalled(90, pace=1, synced_at=None).is_stalled
    assert not stalled(90, pace=1, synced_at=timezone.now() - timedelta(seconds=85)).is_stalled
    assert not stalled(90, pace=1, last_step_at=None).is_stalled


def test_stalled_job_says_so_on_its_page(browser: Client, alice: User) -> None:
    job = told(JobFactory(owner=alice), [3.0, 2.0])
    Job.objects.filter(pk=job.pk).update(synced_at=timezone.now())
    page = browser.get(f"/jobs/{job.pk}/").content.decode()
    assert 'data-state="STALLED"' in page
    assert "No step has come for far longer" in page
