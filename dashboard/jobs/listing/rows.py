"""A page of the list, and which of its rows differ from those that a browser shows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.core.paginator import Page
from django.db.models import F, TextField
from django.db.models.functions import Cast

from dashboard.accounts.models import User
from dashboard.fingerprints import fingerprint
from dashboard.jobs import pace
from dashboard.jobs.listing.columns import COLUMNS
from dashboard.jobs.listing.filters import Asked
from dashboard.jobs.models import Job
from dashboard.listing.pages import in_order, page_of_keys
from tuning.jobs import JobState

ELSEWHERE = {
    "owner_name": F("owner__name"),
    "owner_email": F("owner__email"),
    "dataset": F("dataset_version__dataset__name"),
    "service": F("connection__name"),
    "curve": Cast("small_curve", TextField()),
}


class Listed(NamedTuple):
    """A job as far as rows show it: to read all of it, and make a whole job of that, takes a page milliseconds."""

    pk: int
    owner_id: int
    model: str
    display_name: str
    base_model: str
    epoch_count: int
    batch_size: int
    learning_rate: float
    state: str
    attempt: int
    total_steps: int
    completed_steps: int
    preparing: int | None
    first_step_at: datetime | None
    last_step_at: datetime | None
    last_loss: float | None
    best_loss: float | None
    created: datetime
    started: datetime | None
    finished: datetime | None
    synced_at: datetime | None
    owner_name: str
    owner_email: str
    dataset: str
    service: str
    curve: str
    """As JSON."""

    @property
    def owner(self) -> str:
        return self.owner_name or self.owner_email

    @property
    def is_final(self) -> bool:
        return JobState(self.state).is_final

    @property
    def shown_state(self) -> str:
        return pace.shown_state(self)

    @property
    def elapsed(self) -> float | None:
        return pace.elapsed(self)


@dataclass(frozen=True, slots=True)
class Row:
    """A job and its tags by their keys."""

    job: Listed
    tags: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Listing:
    """One page; ``rows`` stand in its order."""

    page: Page[int]
    rows: Sequence[Row]

    @property
    def jobs(self) -> list[Listed]:
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
    page = page_of_keys(matching, COLUMNS.ordering(asked.sort), number, searched=bool(asked.filters.q))
    return Listing(page, _rows(list(page)))


def refresh(jobs: Sequence[Listed]) -> bool:
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
    listed = Job.objects.annotate(**ELSEWHERE).values_list(*Listed._fields)
    tags: defaultdict[int, dict[int, str]] = defaultdict(dict)
    borne = Job.tags.through.objects.filter(job__in=keys).order_by("tag__key")
    for job, tag, name in borne.values_list("job", "tag", "tag__name"):
        tags[job][tag] = name
    return [Row(job, tags[job.pk]) for job in in_order(map(Listed._make, listed.filter(pk__in=keys).order_by()), keys)]
