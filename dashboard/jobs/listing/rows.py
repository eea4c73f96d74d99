"""A page of the list, and which of its rows differ from those that a browser shows."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.paginator import Page

from dashboard.accounts.models import User
from dashboard.fingerprints import fingerprint
from dashboard.jobs.listing.columns import COLUMNS
from dashboard.jobs.listing.filters import Asked
from dashboard.jobs.models import Job
from dashboard.listing.pages import in_order, page_of_keys

UNSEEN = (
    "samples",
    "validation",
    "findings",
    "estimate",
    "more_recipe",
    "failure_detail",
    "notes",
    "dataset_version__facts",
)
"""Columns that no row shows, and that may be large."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One page. ``jobs`` stand in its order, with everything at hand that a row may show."""

    page: Page[int]
    jobs: Sequence[Job]

    @property
    def total(self) -> int:
        return self.page.paginator.count

    @property
    def live(self) -> bool:
        """Whether something on it can still change by itself."""
        return any(not job.is_final for job in self.jobs)

    @property
    def order(self) -> str:
        """Changes when other jobs stand on the page, or the same in another order."""
        return fingerprint([job.pk for job in self.jobs])


def listing(asked: Asked, user: User, number: str | None) -> Listing:
    """Page ``number`` of what ``user`` asked for. First its keys, which indexes have; then its rows."""
    matching = asked.filters.applied(Job.objects.visible_to(user))
    page = page_of_keys(matching, COLUMNS.ordering(asked.sort), number)
    return Listing(page, _rows(list(page)))


def refresh(jobs: Sequence[Job]) -> bool:
    """Ask the services of a few of ``jobs`` for news. False when there is nothing to ask for."""
    unfinished = [job.pk for job in jobs if not job.is_final]
    return bool(unfinished and Job.objects.filter(pk__in=unfinished).refresh_a_few())


def renewed(listing: Listing) -> Listing:
    """The same jobs in the same order as they are now; those that are gone are left out."""
    return Listing(listing.page, _rows([job.pk for job in listing.jobs]))


def changed(jobs: Sequence[Job], seen: Sequence[str]) -> list[Job]:
    """Those of ``jobs`` that a browser shows otherwise; ``seen`` has its rows as :func:`seen_as` writes them."""
    shown = {row.partition(":")[0]: row for row in seen}
    return [job for job in jobs if shown.get(str(job.pk), seen_as(job)) != seen_as(job)]


def seen_as(job: Job) -> str:
    """The job's key, and what changes whenever something does that a row shows."""
    facts = (
        job.display_name,
        str(job.shown_state),
        job.preparing,
        job.attempt,
        job.completed_steps,
        job.total_steps,
        job.best_loss,
        job.model,
        job.finished,
        [tag.pk for tag in job.tags.all()],
    )
    return f"{job.pk}:{fingerprint(facts)}"


def _rows(keys: Sequence[int]) -> list[Job]:
    near = ("owner", "connection", "dataset_version__dataset")
    return in_order(Job.objects.select_related(*near).prefetch_related("tags").defer(*UNSEEN), keys)
