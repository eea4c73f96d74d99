"""Why a job's service could not be asked the last time, or has not taken the job yet: kept until it does."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from dashboard.jobs.underway import is_being_sent
from dashboard.messages import Message, code_of, explain
from tuning.errors import (
    AlreadyExists,
    Exhausted,
    Internal,
    InvalidRequest,
    NotFound,
    ServiceError,
    Unavailable,
    Unimplemented,
)

if TYPE_CHECKING:
    from dashboard.jobs.models import Job

UNDECIDED = (Unavailable, Internal, Exhausted)
"""Whoever answers so to a job that is handed in may have it already, or may take it later: it is sent again."""
REFUSED = (InvalidRequest, NotFound, AlreadyExists, Unimplemented)
"""What would be answered so again, however often it is sent. All else can be put right, and the job waits for that."""
KEPT_CHARACTERS = 1_000
LONGEST_WAIT = timedelta(minutes=10)
"""A service that asks for more patience is asked again after this."""


def note(job: "Job", error: ServiceError) -> None:
    """Keep with ``job`` that its service answered with ``error``; what was known of the job stays. A service that asks
    to wait is left alone for so long, whoever watches. Examples that are still on their way are no trouble.
    """
    if is_being_sent(error):
        type(job).objects.filter(pk=job.pk).unsent().update(sent=error.params.get("percent", 0), trouble={})
        return
    params = {name: str(value)[:KEPT_CHARACTERS] for name, value in error.params.items()}
    job.trouble = {"code": code_of(error), "params": params, "detail": error.detail[:KEPT_CHARACTERS]}
    changes: dict[str, object] = {"trouble": job.trouble}
    if error.retry_after:
        changes["synced_at"] = timezone.now() + min(timedelta(seconds=error.retry_after), LONGEST_WAIT)
    type(job).objects.filter(pk=job.pk).unfinished().update(**changes)


def told(job: "Job") -> Message | None:
    """What is the matter, and what to do about it; ``None`` where all is well."""
    if not job.trouble or job.is_final:
        return None
    return explain(ServiceError(job.trouble.get("code"), **job.trouble.get("params", {})))
