"""A page of the list, and which of its rows differ from those that a browser shows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page
from django.db.models import F

from dashboard.accounts.models import User
from dashboard.fingerprints import fingerprint
from dashboard.jobs.listing.columns import COLUMNS
from dashboard.jobs.listing.filters import Asked
from dashboard.jobs.models import Job
from dashboard.listing.pages import in_order, page_of_keys

SHOWN = (
    "owner__name",
    "owner__email",
    "model",
    "display_name",
    "base_model",
    "epoch_count",
    "batch_size",
    "learning_rate",
    "state",
    "attempt",
    "total_steps",
    "completed_steps",
    "preparing",
    "first_step_at",
    "last_step_at",
    "last_loss",
    "best_loss",
    "small_curve",
    "created",
    "started",
    "finished",
    "synced_at",
)
"""Columns that rows show; to read the others for a page takes milliseconds."""


@dataclass(frozen=True, slots=True)
class Row:
    """A job, and the names of what belongs to it. ``tags`` go by their keys."""

    job: Job
    dataset: str
    connection: str
    tags: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Listing:
    """One page; ``rows`` stand in its order."""

    page: Page[int]
    rows: Sequence[Row]

    @property
    def jobs(self) -> list[Job]:
        return [row.job for row in self.rows]

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


def changed(rows: Sequence[Row], seen: Sequence[str]) -> list[Row]:
    """Those of ``rows`` that a browser shows otherwise; ``seen`` has its rows as :func:`seen_as` writes them."""
    shown = {row.partition(":")[0]: row for row in seen}
    return [row for row in rows if shown.get(str(row.job.pk), seen_as(row)) != seen_as(row)]


def seen_as(row: Row) -> str:
    """The job's key, and what changes whenever something does that a row shows."""
    job = row.job
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
        [*row.tags],
    )
    return f"{job.pk}:{fingerprint(facts)}"


def _rows(keys: Sequence[int]) -> list[Row]:
    jobs = Job.objects.select_related("owner").only(*SHOWN)
    named = jobs.annotate(dataset_name=F("dataset_version__dataset__name"), connection_name=F("connection__name"))
    found: list[Any] = in_order(named, keys)
    tags: defaultdict[int, dict[int, str]] = defaultdict(dict)
    borne = Job.tags.through.objects.filter(job__in=keys).order_by("tag__key")
    for job, tag, name in borne.values_list("job", "tag", "tag__name"):
        tags[job][tag] = name
    return [Row(job, job.dataset_name, job.connection_name, tags[job.pk]) for job in found]
