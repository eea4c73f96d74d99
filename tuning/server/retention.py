"""How long the server keeps what people's examples say: as long as the model, or ``TRAINING_DATA_DAYS`` from its end.

What is removed are the examples and the held-out prompts with their answers. The model stays, and can be asked.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from tuning.jobs import FINAL_STATES
from tuning.server import files
from tuning.server.findings import SamplePrompt
from tuning.server.models import Job, JobQuerySet


def kept_until(job: Job) -> datetime | None:
    """When the examples of ``job`` are to be removed; ``None`` where that is with its model, or not known yet."""
    if not settings.TRAINING_DATA_DAYS or job.finished is None or job.data_removed:
        return None
    return job.finished + timedelta(days=settings.TRAINING_DATA_DAYS)


def sweep() -> None:
    """Remove the examples of jobs that ended long enough ago."""
    if settings.TRAINING_DATA_DAYS:
        for job in _overdue():
            _remove(job)


def _overdue() -> JobQuerySet:
    kept = timedelta(days=settings.TRAINING_DATA_DAYS)
    return Job.objects.filter(state__in=FINAL_STATES, data_removed=None, finished__lt=Now() - kept)


def _remove(job: Job) -> None:
    """A file that others use stays for them."""
    with files.locked():
        with transaction.atomic():
            SamplePrompt.objects.filter(job=job).delete()
            Job.objects.filter(pk=job.pk).update(data_removed=Now())
        files.remove_unused(job)
