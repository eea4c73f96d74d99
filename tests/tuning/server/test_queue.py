"""The queue's promises, asked of the database itself."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from tuning.jobs import JobState, Point
from tuning.server import expectations, queue
from tuning.server.models import Job, LossChunk
from tuning.server.queue import Claim, ClaimLost

pytestmark = pytest.mark.django_db


def make_job(model_id: str = "job", **changes: Any) -> Job:
    now = timezone.now()
    values = {"model_id": model_id, "operation_id": "op", "api_version": "v1beta"}
    values |= {"base_asked": "models/tiny-llama", "base": "tiny-llama", "temperature": 1, "top_p": 1, "top_k": 1}
    values |= {"epoch_count": 1, "batch_size": 1, "learning_rate": 1e-3, "example_count": 9, "total_steps": 9}
    return Job.objects.create(**values | {"created": now, "updated": now} | changes)


def let_lease_run_out(claim: Claim) -> None:
    Job.objects.filter(pk=claim.job.pk).update(lease_until=Now() - timedelta(seconds=1))


def claimed() -> Claim:
    claim = queue.claim()
    assert claim is not None
    return claim


def state_of(job: Job) -> str:
    job.refresh_from_db()
    return job.state


def point(step: int, attempt: int = 1) -> Point:
    return Point(step, 0, step / 2, 1e9 * attempt + step)


def test_jobs_are_claimed_in_the_order_of_their_creation_each_once() -> None:
    for number in range(3):
        make_job(f"job-{number}")
    assert [claimed().job.model_id for _ in range(3)] == ["job-0", "job-1", "job-2"]
    assert queue.claim() is None


def test_claim_with_a_living_lease_is_left_alone() -> None:
    make_job()
    claim = claimed()
    claim.heartbeat()
    assert queue.claim() is None


WRITES: dict[str, list[Any]] = {
    **{name: [] for name in ("heartbeat", "succeed", "cancel", "release", "cancel_requested")},
    "die": ["Killed"],
    "fail": ["failed"],
    "record": [[point(2)]],
    "resume": [1],
    "log": [[("INFO", "late")]],
    "validated": [[]],
    "sampled": [[]],
    "stopped": [2],
}


@pytest.mark.parametrize("write", WRITES)
def test_no_write_of_an_older_claim_changes_anything(write: str) -> None:
    job = make_job()
    old = claimed()
    old.record([point(1)])
    let_lease_run_out(old)
    new = claimed()
    new.record([point(1), point(2)])
    before = Job.objects.values().get()
    with pytest.raises(ClaimLost):
        getattr(old, write)(*WRITES[write])
    assert Job.objects.values().get() == before
    job.refresh_from_db()
    assert job.points() == [point(1), point(2)]
    assert not job.log_lines.filter(attempt=1, level="INFO").exists()


def test_every_write_to_a_deleted_job_is_refused() -> None:
    make_job()
    claim = claimed()
    Job.objects.all().delete()
    with pytest.raises(ClaimLost):
        claim.record([point(1)])
    assert not LossChunk.objects.exists()


def test_points_grow_in_few_chunks_and_are_read_after_any_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "CHUNK_POINTS", 10)
    job = make_job()
    claim = claimed()
    points = [point(step) for step in range(1, 48)]
    for start in range(0, 47, 3):
        claim.record(points[start : start + 3])
    job.refresh_from_db()
    assert LossChunk.objects.count() == 4
    for after in (0, 1, 9, 12, 46, 47, 100):
        assert job.points(after) == points[after:]
    assert job.completed_steps == 47


def test_new_attempt_shows_no_points_until_it_says_where_it_goes_on() -> None:
    job = make_job()
    claim = claimed()
    claim.record([point(1), point(2)])
    claim.die("Killed")
    job.refresh_from_db()
    assert job.state == JobState.QUEUED
    assert job.points() == [point(1), point(2)]
    claimed()
    job.refresh_from_db()
    assert (job.points(), job.completed_steps) == ([], 0)


@pytest.mark.parametrize("checkpoint", range(9))
def test_resumed_curve_has_every_step_once(checkpoint: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "CHUNK_POINTS", 2)
    job = make_job()
    first = claimed()
    for step in (1, 2, 4, 5):
        first.record([point(step)] if step != 2 else [point(2), point(3)])
    first.release()
    second = claimed()
    told_again = range(min(checkpoint, second.recorded()) + 1, 10)
    second.resume(checkpoint)
    job.refresh_from_db()
    assert job.points() == [point(step) for step in range(1, told_again[0])]
    second.record([point(step, attempt=2) for step in told_again])
    job.refresh_from_db()
    assert job.points() == [point(step, attempt=1 + (step in told_again)) for step in range(1, 10)]
    assert job.completed_steps == 9


def test_what_the_last_stored_step_had_still_to_tell_is_told_again() -> None:
    make_job()
    claim = claimed()
    assert claim.recorded() == 0
    claim.record([point(step) for step in range(1, 6)])
    assert claim.recorded() == 4


def test_points_told_twice_are_stored_once() -> None:
    job = make_job()
    claim = claimed()
    claim.record([point(1), point(2)])
    claim.record([point(2), point(3)])
    job.refresh_from_db()
    assert job.points() == [point(1), point(2), point(3)]


def test_reader_of_an_older_row_sees_nothing_that_was_cut_meanwhile() -> None:
    make_job()
    claim = claimed()
    claim.record([point(step) for step in range(1, 6)])
    claim.release()
    again = claimed()
    again.resume(2)
    seen = Job.objects.get()
    again.record([point(3), point(4)])
    assert seen.points() == [point(1), point(2)]


def test_log_keeps_its_newest_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "LOG_LINES", 5)
    job = make_job()
    claim = claimed()
    for number in range(0, 12, 3):
        claim.log([("info", str(number + more)) for more in range(3)])
    assert [line.text for line in job.log_lines.all()] == ["7", "8", "9", "10", "11"]


def test_second_death_is_the_end() -> None:
    job = make_job()
    claimed().die("Killed")
    claimed().die("Killed")
    assert (state_of(job), job.failure_code, job.deaths) == (JobState.FAILED, "killed", 2)
    assert job.finished


def test_deaths_count_from_one_again_once_the_job_got_further() -> None:
    job = make_job()
    for step in (1, 2, 3, 4):
        claim = claimed()
        claim.resume(step - 1)
        claim.record([point(number) for number in range(1, step + 1)])
        claim.die("Killed")
        assert state_of(job) == JobState.QUEUED
    claim = claimed()
    claim.resume(3)
    claim.record([point(4)])
    claim.die("It stood still", "stalled")
    assert (state_of(job), job.failure_code) == (JobState.FAILED, "stalled")


def test_lease_that_runs_out_is_forgiven_while_the_job_gets_further() -> None:
    job = make_job()
    for step in (1, 2, 3):
        claim = claimed()
        claim.record([point(step)])
        let_lease_run_out(claim)
    let_lease_run_out(claimed())
    assert queue.claim() is None
    assert (state_of(job), job.failure_code) == (JobState.FAILED, "killed")
    assert "not heard of any more after step 0, no further than before." in job.log_lines.last().text


def test_lease_that_ran_out_twice_is_the_end() -> None:
    job = make_job()
    let_lease_run_out(claimed())
    let_lease_run_out(claimed())
    assert queue.claim() is None
    assert (state_of(job), job.failure_code) == (JobState.FAILED, "killed")


def test_release_is_no_death_and_keeps_the_place() -> None:
    first, second = make_job("first"), make_job("second")
    for _ in range(3):
        claim = claimed()
        assert claim.job == first
        claim.release()
    assert [expectations.of(job).place for job in (first, second)] == [1, 2]
    assert state_of(first) == JobState.QUEUED
    assert first.deaths == 0


def test_cancelled_job_is_never_claimed() -> None:
    job = make_job()
    queue.cancel(job)
    assert queue.claim() is None
    assert state_of(job) == JobState.CANCELLED


def test_running_job_learns_that_it_is_cancelled() -> None:
    job = make_job()
    claim = claimed()
    assert not claim.cancel_requested()
    queue.cancel(job)
    assert state_of(job) == JobState.RUNNING
    assert claim.cancel_requested()
    claim.cancel()
    assert state_of(job) == JobState.CANCELLED


def test_job_of_a_dead_tuner_is_cancelled_at_once_and_for_good() -> None:
    job = make_job()
    claim = claimed()
    claim.record([point(1)])
    let_lease_run_out(claim)
    queue.cancel(job)
    assert state_of(job) == JobState.CANCELLED
    assert job.points() == [point(1)]
    with pytest.raises(ClaimLost):
        claim.succeed()


def test_cancel_request_survives_a_release() -> None:
    job = make_job()
    claim = claimed()
    queue.cancel(job)
    claim.release()
    assert queue.claim() is None
    assert state_of(job) == JobState.CANCELLED


def test_ended_job_is_not_changed_by_cancelling() -> None:
    job = make_job()
    claimed().succeed()
    before = Job.objects.values().get()
    queue.cancel(job)
    assert Job.objects.values().get() == before
    assert state_of(job) == JobState.SUCCEEDED
    assert job.updated == job.finished
