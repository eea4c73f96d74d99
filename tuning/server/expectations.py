"""When a queued job may start: an estimate from what the jobs before it still have to do, at this machine's pace."""

from datetime import datetime, timedelta

from django.db.models import F, Sum
from django.utils import timezone

from tuning.jobs import JobState
from tuning.server.models import Job, JobQuerySet

STEPS_THAT_TELL = 3
"""After fewer, a running job's pace is mostly the time it took to load its base model."""


def start(job: Job) -> datetime | None:
    """When ``job`` is expected to start; ``None`` when it does not wait, or nobody knows how fast jobs run here."""
    if job.state != JobState.QUEUED:
        return None
    now = timezone.now()
    running = Job.objects.filter(state=JobState.RUNNING).order_by("pk").first()
    seconds = _seconds_an_example(running, now)
    if seconds is None:
        return None
    left = _examples(job.ahead()) + (_examples_left(running) if running else 0)
    return now + timedelta(seconds=left * seconds)


def _examples(jobs: JobQuerySet) -> int:
    """How often an example is looked at in all of ``jobs``."""
    return jobs.aggregate(sum=Sum(F("total_steps") * F("batch_size")))["sum"] or 0


def _examples_left(running: Job) -> int:
    return (running.total_steps - running.completed_steps) * running.batch_size


def _seconds_an_example(running: Job | None, now: datetime) -> float | None:
    """By the job under way, else by the last one that was done."""
    if running and running.started and running.completed_steps >= STEPS_THAT_TELL:
        return (now - running.started).total_seconds() / (running.completed_steps * running.batch_size)
    done = Job.objects.filter(state=JobState.SUCCEEDED).order_by("-finished").first()
    if done is None or done.started is None or done.finished is None:
        return None
    return (done.finished - done.started).total_seconds() / (done.total_steps * done.batch_size)
