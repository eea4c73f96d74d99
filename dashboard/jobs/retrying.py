"""Trying a job again that failed or was cancelled: in its own place where its service can, else as a new job."""

import logging
from dataclasses import dataclass

from django.db import transaction

from dashboard.jobs.models import Job
from dashboard.people import quotas
from tuning.errors import FailedPrecondition, NotFound, Unavailable, Unimplemented
from tuning.jobs import JobState
from tuning.providers import JobRef, Retrier

logger = logging.getLogger(__name__)

RETRIABLE = (JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Retried:
    """``job`` is the one that runs now: the same one, or a new one. ``resumes`` says that it goes on where it was;
    ``None``: that somebody had it tried again before.
    """

    job: Job
    is_new: bool
    resumes: bool | None = False


def retry(job: Job) -> Retried:
    """Have ``job`` tried again with the same settings. Raises ``ServiceError`` when its service refuses or is away,
    ``Exhausted`` also where its owner has as many jobs as they may.
    """
    provider = job.connection.open_for(job.owner)
    if job.ref and isinstance(provider, Retrier):
        with transaction.atomic():
            quotas.admit_jobs(job.owner)
        try:
            resumes = provider.retry(JobRef(job.ref))
        except (FailedPrecondition, NotFound, Unimplemented) as error:
            if error.code == "nothing_to_retry":  # the service knows of an earlier try, and we did not hear so
                job.reopen()
                job.refresh_quietly()
                return Retried(job, is_new=False, resumes=None)
            logger.info("job %s cannot be taken up again: %s", job.pk, error.code)
        else:
            job.reopen()
            return Retried(job, is_new=False, resumes=resumes)
    return Retried(_once_more(job), is_new=True)


def _once_more(job: Job) -> Job:
    """A new job with the settings of ``job``, sent to its service, or soon to be where that is away; the one that
    somebody had made before, while it goes on.
    """
    if job.dataset_version.dataset.absent:
        raise FailedPrecondition("training_data_gone")
    again, is_new = Job.objects.enter_once(_alike(job), f"retry {job.key}")
    if not is_new:
        return again
    again.tags.set(job.tags.all())
    try:
        again.send()
    except Unavailable as error:
        logger.info("job %s waits for its service: %s", again.pk, error.code)
    except Exception:
        again.delete()
        raise
    return again


def _alike(job: Job) -> Job:
    again = Job(
        owner=job.owner,
        connection=job.connection,
        base_model=job.base_model,
        dataset_version=job.dataset_version,
        validation_version=job.validation_version,
        display_name=job.display_name,
        notes=job.notes,
        made_from=job,
        tuned_from=job.tuned_from,
        total_steps=job.total_steps,
    )
    again.recipe = job.recipe
    return again
