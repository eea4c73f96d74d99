"""Links to a comparison, for the other rooms."""

from collections.abc import Mapping, Sequence

from django.urls import reverse

from dashboard.compare.asked import MOST_JOBS
from dashboard.jobs.models import Job


def compare_link(jobs: Sequence[Job], losses: Mapping[int, float | None]) -> str:
    """The address that compares ``jobs``: where they are too many, those of the lowest of ``losses``."""
    chosen = jobs
    if len(jobs) > MOST_JOBS:
        chosen = sorted(jobs, key=lambda job: _worth(losses.get(job.pk)))[:MOST_JOBS]
    return f"{reverse('compare:index')}?jobs={','.join(str(job.pk) for job in chosen)}"


def _worth(loss: float | None) -> float:
    return float("inf") if loss is None else loss
