"""What a job keeps of its service's answers, and who may ask for them."""

import math
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from dashboard.jobs.models import Job
from dashboard.jobs.queryset import REFRESH_INTERVAL
from dashboard.jobs.series import CHUNK_POINTS
from tests.factories import JobFactory, UserFactory
from tuning import curves
from tuning.errors import BadAnswer
from tuning.jobs import JobFailure, JobState, JobStatus, Point

pytestmark = pytest.mark.django_db


def points(first: int, last: int, value: float = 1.0, ago: float = 0.0) -> list[Point]:
    return [Point(step, 0, value / step, time.time() - ago) for step in range(first, last + 1)]


def status(state: JobState = JobState.RUNNING, **facts: object) -> JobStatus:
    return JobStatus(**({"state": state, "model": "tunedModels/m", "total_steps": 19, "attempt": 1} | facts))  # type: ignore[arg-type]


def steps(job: Job) -> list[int]:
    return [point.step for point in curves.unpack(job.series())]


def test_points_are_kept_once_however_often_they_come() -> None:
    job = JobFactory()
    job.store(status(), points(1, 5))
    job.store(status(), points(3, 8))
    job.store(status(), points(1, 8))
    assert steps(job) == list(range(1, 9))
    assert job.completed_steps == 8
    assert job.first_loss == 1.0
    assert job.last_loss == pytest.approx(1 / 8)


def test_answer_without_news_says_so() -> None:
    job = JobFactory()
    assert job.store(status(), points(1, 5))
    assert not job.store(status(), [])


def test_points_of_an_earlier_attempt_are_dropped() -> None:
    job = JobFactory()
    job.store(status(), points(1, 9, value=3.0))
    job.store(status(attempt=2), points(1, 2, value=5.0))
    assert steps(job) == [1, 2]
    assert job.first_loss == 5.0


def test_new_attempt_does_not_stand_still_before_its_first_step() -> None:
    job = JobFactory()
    job.store(status(), points(1, 9, ago=3600))
    Job.objects.filter(pk=job.pk).update(synced_at=timezone.now())
    job.refresh_from_db()
    assert job.is_stalled
    job.store(status(attempt=2), [])
    assert not job.is_stalled


def test_loss_that_is_no_number_is_the_first_for_good() -> None:
    job = JobFactory()
    job.store(status(), points(1, 1, value=math.nan))
    began = Job.objects.get().first_step_at
    Job.objects.get().store(status(), points(2, 5))
    job.refresh_from_db()
    assert (job.first_loss, job.first_step_at) == (None, began)


def test_late_answer_cannot_reopen_a_job_that_ended() -> None:
    job = JobFactory()
    late = Job.objects.get(pk=job.pk)
    job.store(status(JobState.SUCCEEDED), points(1, 19))
    assert not late.store(status(JobState.RUNNING), points(1, 4))
    job.refresh_from_db()
    assert job.state == JobState.SUCCEEDED
    assert steps(job) == list(range(1, 20))


def test_failure_is_kept_with_its_detail() -> None:
    job = JobFactory()
    job.store(status(JobState.FAILED, failure=JobFailure(code="diverged", detail="loss is nan at step 3")), [])
    job.refresh_from_db()
    assert (job.state, job.failure_code, job.failure_detail) == ("FAILED", "diverged", "loss is nan at step 3")


def test_service_is_asked_once_an_interval_whoever_watches() -> None:
    job = JobFactory()
    assert Job.objects.claim_refresh(job.pk)
    assert not Job.objects.claim_refresh(job.pk)
    Job.objects.update(synced_at=timezone.now() - REFRESH_INTERVAL - timedelta(milliseconds=1))
    assert Job.objects.claim_refresh(job.pk)


def test_finished_job_is_asked_about_no_more() -> None:
    job = JobFactory(state=JobState.SUCCEEDED)
    assert not Job.objects.claim_refresh(job.pk)


def test_small_curve_keeps_its_size_and_its_spike() -> None:
    job = JobFactory(total_steps=5000)
    series = points(1, 5000)
    series[2500] = Point(2501, 0, 50.0, time.time())
    job.store(status(total_steps=5000), series)
    assert len(job.small_curve) <= 60
    assert [2501, 50.0] in job.small_curve


def test_curve_that_comes_in_many_pieces_is_kept_in_few_and_shows_its_spike() -> None:
    job = JobFactory(total_steps=3000)
    for first in range(1, 3001, 5):
        few = points(first, first + 4)
        job.store(status(total_steps=3000), [Point(76, 0, 50.0, time.time()), *few[1:]] if first == 76 else few)
    assert steps(job) == list(range(1, 3001))
    assert job.chunks.count() <= 3000 / CHUNK_POINTS + 1
    assert len(job.small_curve) <= 60
    assert [76, 50.0] in job.small_curve
    assert (job.first_loss, job.last_loss) == (1.0, pytest.approx(1 / 3000))
    assert (job.small_curve[0][0], job.small_curve[-1][0]) == (1, 3000)


def test_owner_sees_their_jobs_and_an_administrator_all() -> None:
    mine, other = JobFactory(), JobFactory()
    assert list(Job.objects.visible_to(mine.owner)) == [mine]
    assert set(Job.objects.visible_to(UserFactory(administrator=True))) == {mine, other}


def test_fingerprint_changes_with_what_a_page_shows() -> None:
    job = JobFactory()
    before = job.fingerprint
    job.store(status(), points(1, 1))
    assert job.fingerprint != before


def test_remaining_time_follows_the_pace_since_the_first_step() -> None:
    job = JobFactory(started=timezone.now() - timedelta(minutes=9))
    now = time.time()
    job.store(status(), [Point(1, 0, 3.0, now - 8)])
    assert job.remaining is None
    job.store(status(), [Point(5, 1, 2.0, now)])
    assert job.remaining == pytest.approx(2 * (19 - 5))


YEAR_ONE = datetime(1, 1, 1, tzinfo=UTC)
MADE_UP: dict[str, tuple[dict[str, object], list[Point]]] = {
    "steps below nothing": ({"total_steps": -1}, []),
    "more steps than a column holds": ({"total_steps": 2**63}, []),
    "a place before the first": ({"queue_place": -4}, []),
    "a name without end": ({"model": "x" * 5_000}, []),
    "a name of two lines": ({"model": "tunedModels/m\r\nX: y"}, []),
    "before there were years": ({"started": YEAR_ONE}, []),
    "a loss at no time": ({}, [Point(1, 0, 1.0, math.nan)]),
    "a loss after all times": ({}, [Point(1, 0, 1.0, 1e300)]),
    "a loss of no step": ({}, [Point(2**40, 0, 1.0, 1.0)]),
}


@pytest.mark.parametrize("what", MADE_UP)
def test_what_a_service_makes_up_is_not_kept_and_spoils_no_list(what: str) -> None:
    said, made_up = MADE_UP[what]
    job = JobFactory()
    with pytest.raises(BadAnswer):
        job.store(status(**said), made_up)
    job.refresh_from_db()
    assert (job.state, job.completed_steps) == (JobState.QUEUED, 0)


def test_failure_is_kept_in_so_many_words() -> None:
    job = JobFactory()
    job.store(status(JobState.FAILED, failure=JobFailure(code="c" * 99, detail="d" * 9_999)), [])
    assert (len(job.failure_code), len(job.failure_detail)) == (50, 4_000)
