"""The queue of tuning jobs, and the only code that changes a job's state.

A tuner claims a job by one atomic UPDATE that also raises the job's ``attempt``. Whoever holds a :class:`Claim`
writes with that attempt, and a write that touches no row says that the claim is lost: the job was claimed again
(this tuner was paused for longer than its lease), cancelled without us, or deleted. So a tuner that wakes late
cannot write over a newer one, and no lock is held while a model is tuned. Leases run by the database's clock.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Case, CharField, F, Q, Value, When
from django.db.models.functions import Now

from tuning import curves
from tuning.engine import Sampled, Validated
from tuning.jobs import JobState, Point
from tuning.server import findings
from tuning.server.models import Job, JobQuerySet, LogLine, LossChunk

MAX_DEATHS = 2
"""So many deaths without progress and the job itself is taken for the cause."""
CHUNK_POINTS = 512
"""A chunk grows to about this many points (10 kB) before the next one is begun."""


class ClaimLost(Exception):
    """The job is no longer ours: claimed again, cancelled or deleted."""


class Claim:
    """The right to write to a running job. Every method raises :class:`ClaimLost` once it is lost."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.attempt = job.attempt
        self._tail: list[Point] = []

    def __repr__(self) -> str:
        return f"<Claim {self.job} #{self.attempt}>"

    def heartbeat(self) -> None:
        self._write(lease_until=_lease_end())

    def cancel_requested(self) -> bool:
        asked = self._ours().values_list("cancel_requested", flat=True).first()
        if asked is None:
            raise ClaimLost
        return asked

    def record(self, points: Sequence[Point]) -> None:
        """Append ``points`` to the loss curve."""
        tail = self._tail + list(points)
        with transaction.atomic():
            self._write(completed_steps=tail[-1].step, updated=Now(), lease_until=_lease_end())
            LossChunk.objects.update_or_create(
                job=self.job,
                attempt=self.attempt,
                first_step=tail[0].step,
                defaults={"last_step": tail[-1].step, "points": curves.pack(tail)},
            )
        self._tail = tail if len(tail) < CHUNK_POINTS else []

    def log(self, lines: Sequence[tuple[str, str]]) -> None:
        """Keep ``lines`` of (level, text) in the job's log."""
        with transaction.atomic():
            self._write(lease_until=_lease_end())
            rows = [
                LogLine(job=self.job, attempt=self.attempt, level=level[:8], text=text[:1000]) for level, text in lines
            ]
            LogLine.objects.bulk_create(rows)

    def validated(self, points: Sequence[Validated]) -> None:
        """Keep validation losses; telling them again is harmless."""
        with transaction.atomic():
            self._write(lease_until=_lease_end(), updated=Now())
            findings.keep_validated(self.job, points)

    def sampled(self, answers: Sequence[Sampled]) -> None:
        """Keep answers to held-out prompts; telling them again is harmless."""
        with transaction.atomic():
            self._write(lease_until=_lease_end(), updated=Now())
            findings.keep_sampled(self.job, answers)

    def stopped(self, step: int) -> None:
        """Note that tuning ends early, after ``step``."""
        self._write(stopped_step=step, updated=Now())

    def succeed(self) -> None:
        self._end(JobState.SUCCEEDED)

    def fail(self, code: str, detail: str = "") -> None:
        self._end(JobState.FAILED, failure_code=code, failure_detail=detail)

    def cancel(self) -> None:
        self._end(JobState.CANCELLED)

    def release(self) -> None:
        """Back into the queue, nobody's fault: the tuner is asked to stop."""
        self._write(state=JobState.QUEUED, lease_until=None, updated=Now())

    def die(self) -> None:
        """The child died under the job: back into the queue, or the end of it (:data:`MAX_DEATHS`)."""
        if self.job.deaths + 1 >= MAX_DEATHS:
            self._end(JobState.FAILED, failure_code="killed", deaths=F("deaths") + 1)
        else:
            self._write(state=JobState.QUEUED, lease_until=None, deaths=F("deaths") + 1, updated=Now())

    def _end(self, state: JobState, **changes: object) -> None:
        self._write(state=state, lease_until=None, updated=Now(), finished=Now(), **changes)

    def _write(self, **changes: object) -> None:
        if not self._ours().update(**changes):
            raise ClaimLost

    def _ours(self) -> JobQuerySet:
        return Job.objects.filter(pk=self.job.pk, attempt=self.attempt, state=JobState.RUNNING)


def claim() -> Claim | None:
    """The next job, made ours; ``None`` when nothing waits."""
    while job := Job.objects.claimable().in_queue_order().first():
        if ending := _overdue_end(job):
            _unclaimed(job).update(lease_until=None, updated=Now(), finished=Now(), **ending)
        elif _take(job):
            job.refresh_from_db()
            return Claim(job)
    return None


def next_waiting() -> Job | None:
    """The job that :func:`claim` would try first."""
    return Job.objects.claimable().in_queue_order().first()


def cancel(job: Job) -> None:
    """Cancel at once what nobody works on; ask the tuner to stop what it runs; leave alone what has ended."""
    now = Q(state=JobState.QUEUED) | Q(lease_until__lt=Now())
    Job.objects.unfinished().filter(pk=job.pk).update(
        cancel_requested=True,
        state=Case(When(now, then=Value(JobState.CANCELLED)), default=F("state"), output_field=CharField()),
        finished=Case(When(now, then=Now()), default=F("finished")),
        updated=Now(),
    )


def fail_waiting(base: str, code: str, detail: str) -> None:
    """End the queued jobs whose base model cannot be made ready, so that nobody waits for ever."""
    Job.objects.filter(state=JobState.QUEUED, base=base).update(
        state=JobState.FAILED, failure_code=code, failure_detail=detail, updated=Now(), finished=Now()
    )


def _overdue_end(job: Job) -> dict[str, object] | None:
    """How a claimable job ends instead of being tried again, if it does."""
    if job.cancel_requested:
        return {"state": JobState.CANCELLED}
    if job.state == JobState.RUNNING and job.deaths + 1 >= MAX_DEATHS:
        return {"state": JobState.FAILED, "failure_code": "killed", "deaths": F("deaths") + 1}
    return None


def _take(job: Job) -> bool:
    """Claim ``job`` unless somebody was quicker. A lease that ran out counts as a death."""
    died = job.state == JobState.RUNNING
    with transaction.atomic():
        taken = _unclaimed(job).update(
            state=JobState.RUNNING,
            attempt=F("attempt") + 1,
            deaths=F("deaths") + int(died),
            lease_until=_lease_end(),
            completed_steps=0,
            stopped_step=None,
            started=Now(),
            updated=Now(),
        )
        if taken:
            LossChunk.objects.filter(job=job).delete()
            findings.cut_after(job, 0)
    return bool(taken)


def _unclaimed(job: Job) -> JobQuerySet:
    return Job.objects.claimable().filter(pk=job.pk, attempt=job.attempt)


def _lease_end() -> object:
    return Now() + timedelta(seconds=settings.LEASE_SECONDS)
