"""When tuned models were last asked: to see which are in use, and which nobody would miss."""

from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from tuning.server.models import Job

NOTED = timedelta(minutes=1)
"""A model that is asked all the time is written to this often; asking stays free of writing in between."""


def note(job: Job) -> None:
    """The model of ``job`` is being asked."""
    stale = Q(last_asked=None) | Q(last_asked__lt=Now() - NOTED)
    Job.objects.filter(stale, pk=job.pk).update(last_asked=Now())
