"""How fast a job gets on, how long it still takes, and whether it has come to a standstill."""

from datetime import datetime, timedelta
from typing import Protocol

from django.utils import timezone

from tuning.jobs import JobState

STALLED = "STALLED"
"""Shown in place of RUNNING. No service knows it: it is what we make of its silence."""
STALLED_AFTER = timedelta(seconds=60)
STALLED_STEPS = 10
"""A job is stalled when it has made no step for so many times what a step took it so far, and for so long: an epoch's
end takes time of its own, for held-out losses and sample answers."""


class Paced(Protocol):
    """Of a job, by what its pace is told."""

    @property
    def state(self) -> str: ...
    @property
    def total_steps(self) -> int: ...
    @property
    def completed_steps(self) -> int: ...
    @property
    def started(self) -> datetime | None: ...
    @property
    def first_step_at(self) -> datetime | None: ...
    @property
    def last_step_at(self) -> datetime | None: ...
    @property
    def finished(self) -> datetime | None: ...
    @property
    def synced_at(self) -> datetime | None: ...


def of_a_step(job: Paced) -> timedelta:
    """What a step took so far, in the mean; nothing before the second step, for a start has no pace."""
    if job.completed_steps < 2 or not (job.first_step_at and job.last_step_at):
        return timedelta()
    return (job.last_step_at - job.first_step_at) / (job.completed_steps - 1)


def remaining(job: Paced) -> float | None:
    """Seconds still to go at the pace so far; unknown before the second step, and while none is made."""
    if JobState(job.state).is_final or job.completed_steps < 2 or is_stalled(job):
        return None
    return of_a_step(job).total_seconds() * (job.total_steps - job.completed_steps)


def is_stalled(job: Paced) -> bool:
    """Whether the service, when it was last asked, had made no step for far longer than a step takes it."""
    if job.state != JobState.RUNNING or not (job.synced_at and job.last_step_at):
        return False
    return job.synced_at - job.last_step_at > max(STALLED_AFTER, STALLED_STEPS * of_a_step(job))


def shown_state(job: Paced) -> str:
    """What a page calls its state: "STALLED", or the service's own."""
    return STALLED if is_stalled(job) else job.state


def elapsed(job: Paced) -> float | None:
    """Seconds of tuning so far."""
    return ((job.finished or timezone.now()) - job.started).total_seconds() if job.started else None
