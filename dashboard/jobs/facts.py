"""What changes about a job while it is tuned: by this its pages tell whether there is news."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dashboard.fingerprints import fingerprint

if TYPE_CHECKING:
    from dashboard.jobs.models import Job


def facts_of(job: "Job") -> tuple[object, ...]:
    """Everything about ``job`` that changes while it is tuned."""
    return (
        str(job.shown_state),
        job.completed_steps,
        job.attempt,
        job.queue_place,
        job.expected_start and round(job.expected_start.timestamp(), -1),  # a guess that moves all the time
        job.preparing,
        job.failure_code,
        len(job.validation),
        job.answered,
        job.log_cursor,
        job.advised,
    )


def fingerprint_of(jobs: "Iterable[Job]") -> str:
    """Changes whenever something about ``jobs`` does that a page shows, or when others take their places."""
    return fingerprint([(job.pk, *facts_of(job)) for job in jobs])
