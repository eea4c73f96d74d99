"""Removing a job: at its service first, then here. What is gone here cannot be asked for any more."""

from django.db import transaction

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.datasets.models import Dataset
from dashboard.jobs.models import Job
from dashboard.jobs.queryset import JobQuerySet
from dashboard.library.models import TunedModel
from tuning.errors import NotSetUp, PermissionDenied
from tuning.providers import JobRef


def remove(job: Job, by: User) -> bool:
    """Delete ``job`` for ``by``, with its model and its files. False where model and files stay. Raises
    ``ServiceError``.
    """
    model_is_gone = delete_model(job)
    with transaction.atomic():
        audit.record(by, "job.deleted" if model_is_gone else "job.forgotten", job)
        forget(job)
    return model_is_gone


def delete_model(job: Job) -> bool:
    """Delete model and files at the service. False where they stay: they are only shared with the job's owner."""
    try:
        if job.ref:
            job.connection.service_for(job.owner).delete(JobRef(job.ref))
    except NotSetUp:  # of which nothing follows for the model
        raise
    except PermissionDenied:
        return False
    TunedModel.objects.let_go(job)
    return True


def forget(job: Job) -> None:
    """Delete the job here, with a dataset that stood in for one that is not here."""
    job.delete()
    Dataset.objects.filter(versions=job.dataset_version_id, absent=True, versions__jobs=None).delete()


def forget_all(jobs: JobQuerySet) -> None:
    """As :func:`forget`, of many."""
    stood_in = Dataset.objects.filter(absent=True, versions__jobs__in=jobs).distinct().values_list("pk", flat=True)
    datasets = list(stood_in)
    jobs.delete()
    Dataset.objects.filter(pk__in=datasets, versions__jobs=None).delete()
