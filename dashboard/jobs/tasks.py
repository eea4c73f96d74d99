"""What the worker does for jobs nobody watches.

Rows say what is still to do: one sweep sends what never reached its service and asks about what runs. A task
that is lost, or run twice, changes nothing.
"""

import logging
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django_tasks import task
from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from dashboard.connections.models import askable
from dashboard.jobs import troubles
from dashboard.jobs.models import Job
from dashboard.jobs.underway import is_being_sent
from tuning.errors import ServiceError

logger = logging.getLogger(__name__)

UNWATCHED_FOR = timedelta(seconds=30)


@db_periodic_task(crontab(minute="*"))  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Enqueue, each minute, what is due. Where a person's account is wanting, what was last known stays until then."""
    jobs = Job.objects.filter(askable())
    for pk in jobs.unsent().values_list("pk", flat=True):
        send.enqueue(pk)
    unwatched = Q(synced_at=None) | Q(synced_at__lt=timezone.now() - UNWATCHED_FOR)
    for pk in jobs.unfinished().exclude(ref="").filter(unwatched).values_list("pk", flat=True):
        refresh.enqueue(pk)


@task()
def send(pk: int) -> None:
    """Hand job ``pk`` to its service, if that is still to be done."""
    job = Job.objects.unsent().filter(pk=pk).first()
    if job is None:
        return
    try:
        job.send(patience=None)
    except troubles.REFUSED as error:
        job.fail("refused", error.detail)
    except ServiceError as error:
        logger.info("job %s still waits for its service: %s", pk, error.code)
        troubles.note(job, error)
        if is_being_sent(error):  # others had their turn
            send.enqueue(pk)


@task()
def refresh(pk: int) -> None:
    """Fetch the news of job ``pk``."""
    if job := Job.objects.filter(pk=pk).first():
        job.refresh_quietly()
