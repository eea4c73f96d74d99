"""Tasks run at once, as if the worker stood by."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from dashboard.accounts.models import User
from dashboard.jobs.models import Job
from tests.factories import JobFactory
from tuning.jobs import JobState, JobStatus, Point


@pytest.fixture
def worker(settings: Any) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}


@pytest.fixture
def stalled_job(alice: User) -> Job:
    """A job that made a step a second, the last one a day ago."""
    job: Job = JobFactory(owner=alice)
    long_ago = time.time() - timedelta(days=1).total_seconds()
    points = [Point(step, 0, 3.0 / step, long_ago + step) for step in range(1, 7)]
    job.store(JobStatus(state=JobState.RUNNING, total_steps=19), points)
    Job.objects.filter(pk=job.pk).update(synced_at=timezone.now(), started=timezone.now() - timedelta(days=1))
    job.refresh_from_db()
    return job
