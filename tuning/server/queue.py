"""The queue of tuning jobs, and the only code that changes a job's state.

A tuner claims a job by one atomic UPDATE that also raises the job's ``attempt``. Whoever holds a :class:`Claim`
writes with that attempt, and a write that touches no row says that the claim is lost: the job was claimed again
(this tuner was paused for longer than its lease), cancelled without us, or deleted. So a tuner that wakes late
cannot write over a newer one, and no lock is held while a model is tuned. Leases run by the database's clock.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cache

from django.conf import settings
from django.db import transaction
from django.db.models import Case, CharField, F, Max, Min, Q, Value, When
from django.db.models.functions import Now

from tuning import curves
from tuning.engine import Sampled, Validated
from tuning.jobs import JobState, Point
from tuning.resources import Role
from tuning.server import conditions, files, findings, turns
from tuning.server.models import Job, JobQuerySet, LogLine, LossChunk, Turn

MAX_DEATHS = 2
"""So many deaths without progress and the job itself is taken for the cause."""
CHUNK_POINTS = 512
"""A chunk grows to about this many points (10 kB) before the next one is begun."""
LOG_LINES = 2000
"""So many lines of a job's log are kept, the newest."""


class ClaimLost(Exception):
    """The job is no longer ours: claimed again, cancelled or deleted."""


class Claim:
    """The right to write to a running job. Every method raises :class:`ClaimLost` once it is lost."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.attempt = job.attempt

    def __repr__(self) -> str:
        return f"<Claim {self.job} #{self.attempt}>"

    def heartbeat(self) -> None:
        self._write(lease_until=_lease_end())

    def cancel_requested(self) -> bool:
        asked = self._ours().values_list("cancel_requested", flat=True).first()
        if asked is None:
            raise ClaimLost
        return asked

    def recorded(self) -> int:
        """The last step of which everything is stored. The last point's own step may have had more to tell."""
        return max((self.job.chunks.aggregate(last=Max("last_step"))["last"] or 0) - 1, 0)

    def resume(self, step: int) -> None:
        """Go on after ``step``: what earlier attempts stored of later steps is void."""
        with transaction.atomic():
            kept = min(step, self.recorded())
            self._write(completed_steps=kept, stopped_step=None, updated=Now(), lease_until=_lease_end())
            _cut_after(self.job, kept)
            findings.cut_after(self.job, kept)

    def record(self, points: Sequence[Point]) -> None:
        """Append ``points`` to the loss curve; telling one again is harmless."""
        with transaction.atomic():
            self._write(completed_steps=points[-1].step, updated=Now(), lease_until=_lease_end())
            last = self.job.chunks.last()
            fresh = [point for point in points if last is None or point.step > last.last_step]
            if fresh:
                _append(self.job, last, fresh)

    def log(self, lines: Sequence[tuple[str, str]]) -> None:
        """Keep ``lines`` of (level, text) in the job's log."""
        with transaction.atomic():
            self._write(lease_until=_lease_end())
            _note(self.job, self.attempt, lines)

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

    def die(self, how: str, code: str = "killed") -> None:
        """The child died under the job: back into the queue, or the end of it (:data:`MAX_DEATHS`).

        ``how`` begins a sentence for its log.
        """
        job = self._ours().first()
        if job is None:
            raise ClaimLost
        death = _death(job)
        with transaction.atomic():
            if death["deaths"] >= MAX_DEATHS:
                self._end(JobState.FAILED, failure_code=code, **death)
            else:
                self._write(state=JobState.QUEUED, lease_until=None, updated=Now(), **death)
            _note_death(job, how)

    def _end(self, state: JobState, **changes: object) -> None:
        self._write(state=state, lease_until=None, updated=Now(), finished=Now(), **changes)

    def _write(self, **changes: object) -> None:
        if not self._ours().update(**changes):
            raise ClaimLost

    def _ours(self) -> JobQuerySet:
        return Job.objects.filter(pk=self.job.pk, attempt=self.attempt, state=JobState.RUNNING)


def claim(ready: Callable[[str], bool] = lambda base: True) -> Claim | None:
    """The job whose turn it is, made ours; ``None`` when none waits whose base model is ``ready``."""
    while job := _next(ready):
        if ending := _overdue_end(job):
            _end_overdue(job, ending)
        elif _take(job):
            job.refresh_from_db()
            return Claim(job)
    return None


def waiting_bases() -> list[str]:
    """The base models that waiting jobs need, in the order of the oldest of them."""
    bases = Job.objects.claimable().values("base").annotate(oldest=Min("created")).order_by("oldest")
    return [found["base"] for found in bases]


def prioritise(job: Job, priority: int) -> None:
    """Let ``job`` go before those of a lower priority, whoever's they are, when it waits."""
    Job.objects.filter(pk=job.pk).update(priority=priority)


def retry(job: Job) -> bool:
    """Queue a job again that failed or was cancelled, its deaths forgotten. False when it is no such job by now."""
    ended_badly = Job.objects.filter(pk=job.pk, state__in=(JobState.FAILED, JobState.CANCELLED))
    with transaction.atomic():
        queued = ended_badly.update(
            state=JobState.QUEUED,
            deaths=0,
            furthest=0,
            failure_code="",
            failure_detail="",
            cancel_requested=False,
            finished=None,
            updated=Now(),
        )
        if queued:
            _note(job, job.attempt, [("info", "Somebody has it tried again.")])
    return bool(queued)


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
    for job in Job.objects.filter(state=JobState.QUEUED, base=base):
        with transaction.atomic():
            ended = Job.objects.filter(pk=job.pk, state=JobState.QUEUED).update(
                state=JobState.FAILED, failure_code=code, failure_detail=detail, updated=Now(), finished=Now()
            )
            if ended:
                _note(job, job.attempt, [("error", f"Failed: {code}. {detail}")])
        files.settle(job)


def _next(ready: Callable[[str], bool]) -> Job | None:
    readiness = cache(ready)
    chosen = next((waiting.pk for waiting, _ in turns.order() if readiness(waiting.base)), None)
    return Job.objects.filter(pk=chosen).first() if chosen else None


def _overdue_end(job: Job) -> dict[str, object] | None:
    """How a claimable job ends instead of being tried again, if it does."""
    if job.cancel_requested:
        return {"state": JobState.CANCELLED}
    if job.state == JobState.RUNNING and _death(job)["deaths"] >= MAX_DEATHS:
        return {"state": JobState.FAILED, "failure_code": "killed", **_death(job)}
    return None


def _end_overdue(job: Job, ending: dict[str, object]) -> None:
    with transaction.atomic():
        ended = _unclaimed(job).update(lease_until=None, updated=Now(), finished=Now(), **ending)
        if ended and ending["state"] == JobState.FAILED:
            _note_death(job, "Its tuner was not heard of any more")


def _death(job: Job) -> dict[str, int]:
    """What the death of its child or its tuner changes about ``job``: one that got further is the first again."""
    further = job.completed_steps > job.furthest
    return {"deaths": 1 if further else job.deaths + 1, "furthest": max(job.completed_steps, job.furthest)}


def _take(job: Job) -> bool:
    """Claim ``job`` unless somebody was quicker. A lease that ran out counts as a death.

    The curve stays, to be gone on with; nothing of it shows until :meth:`Claim.resume` says how far it holds.
    """
    died = job.state == JobState.RUNNING
    with transaction.atomic():
        taken = _unclaimed(job).update(
            state=JobState.RUNNING,
            attempt=F("attempt") + 1,
            threads=Case(When(threads=0, then=Value(settings.TUNER_THREADS)), default=F("threads")),
            **conditions.here(),
            lease_until=_lease_end(),
            completed_steps=0,
            stopped_step=None,
            started=Now(),
            updated=Now(),
            **(_death(job) if died else {}),
        )
        if taken:
            _note_turn(job)
        if taken and died:
            _note_death(job, "Its tuner was not heard of any more")
    return bool(taken)


def _append(job: Job, last: LossChunk | None, points: Sequence[Point]) -> None:
    if last is None or len(last.points) >= CHUNK_POINTS * curves.POINT.itemsize:
        last = LossChunk(job=job, first_step=points[0].step, points=b"")
    last.points = bytes(last.points) + curves.pack(points)
    last.last_step = points[-1].step
    last.save()


def _cut_after(job: Job, step: int) -> None:
    """Remove the points after ``step``."""
    job.chunks.filter(first_step__gt=step).delete()
    for chunk in job.chunks.filter(last_step__gt=step):
        chunk.points, chunk.last_step = chunk.upto(step), step
        chunk.save()


def _note_death(job: Job, how: str) -> None:
    further = "" if job.completed_steps > job.furthest else ", no further than before"
    _note(job, job.attempt, [("warning", f"{how} after step {job.completed_steps}{further}.")])


def _note(job: Job, attempt: int, lines: Sequence[tuple[str, str]]) -> None:
    """Keep ``lines`` of (level, text) in the job's log, and of all the newest :data:`LOG_LINES`."""
    rows = [LogLine(job=job, attempt=attempt, level=level[:8], text=text[:1000]) for level, text in lines]
    LogLine.objects.bulk_create(rows)
    newest = job.log_lines.order_by("-pk").values_list("pk", flat=True)
    for surplus in newest[LOG_LINES : LOG_LINES + 1]:
        job.log_lines.filter(pk__lte=surplus).delete()


def _note_turn(job: Job) -> None:
    owner = job.permissions.filter(role=Role.OWNER).values_list("email", flat=True).first() or ""
    Turn.objects.update_or_create(owner=owner, defaults={"last": Now()})


def _unclaimed(job: Job) -> JobQuerySet:
    return Job.objects.claimable().filter(pk=job.pk, attempt=job.attempt)


def _lease_end() -> object:
    return Now() + timedelta(seconds=settings.LEASE_SECONDS)
