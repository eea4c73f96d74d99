"""A new job, handed to its service while the person who wants it waits."""

import logging

from django.db import transaction

from dashboard import audit
from dashboard.jobs import tasks
from dashboard.jobs.models import Job
from dashboard.jobs.troubles import UNDECIDED, note
from dashboard.jobs.underway import is_being_sent
from tuning.errors import ServiceError

logger = logging.getLogger(__name__)


def hand_in(job: Job) -> Job:
    """``job``, sent; one that was sent before is left alone.

    A service that does not answer in time, breaks down over it or has no room now is no refusal: the job waits, and the
    worker sends it again; at once, where only the examples are many. Raises ``ServiceError`` where the service refuses;
    the job is then forgotten.
    """
    if job.ref:
        return job
    try:
        job.send()
    except UNDECIDED as error:
        logger.info("job %s waits for its service: %s", job.pk, error.code)
        note(job, error)
        if is_being_sent(error):
            tasks.send.enqueue(job.pk)
    except ServiceError as error:
        with transaction.atomic():
            audit.record(job.owner, "job.refused", job, code=error.code)
            job.delete()
        raise
    return job
