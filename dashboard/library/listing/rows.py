"""A page of the library, and in what it differs from what a browser shows."""

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
from dashboard.library.listing.columns import COLUMNS
from dashboard.library.listing.filters import Asked
from dashboard.library.models import TunedModel
from dashboard.listing.fields import is_key
from dashboard.listing.pages import in_order, page_of_keys

ELSEWHERE = {
    "owner_name": F("owner__name"),
    "owner_email": F("owner__email"),
    "dataset": F("dataset_version__dataset__name"),
    "evaluation": F("job__best_loss"),
    "curve": Cast("job__small_curve", TextField()),
}


class Listed(NamedTuple):
    """A model as far as rows and cards show it: to read all of it, and make a whole model of that, takes a page
    milliseconds.
    """

    pk: int
    owner_id: int
    display_name: str
    description: str
    base_model: str
    created: datetime
    last_used: datetime | None
    last_loss: float | None
    last_match: float | None
    is_favourite: bool
    owner_name: str
    owner_email: str
    dataset: str | None
    evaluation: float | None
    """The held-out loss of the epoch that was kept."""
    curve: str | None
    """As JSON."""

    @property
    def owner(self) -> str:
        return self.owner_name or self.owner_email


@dataclass(frozen=True, slots=True)
class Row:
    """A model and its tags by their keys."""

    model: Listed
    tags: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Listing:
    """One page; ``rows`` stand in its order."""

    page: Page[int]
    rows: Sequence[Row]

    @property
    def total(self) -> int:
        return self.page.paginator.count


@dataclass(frozen=True, slots=True)
class Arrival:
    """A model that a browser does not show yet, and the key of the one that it stands behind; of none: on top."""

    row: Row
    after: int | None


@dataclass(frozen=True, slots=True)
class News:
    """How a page differs from what a browser shows of it: in what is gone, what looks otherwise, what has come."""

    gone: Sequence[int]
    changed: Sequence[Row]
    arrived: Sequence[Arrival]

    def __bool__(self) -> bool:
        return bool(self.gone or self.changed or self.arrived)


def listing(asked: Asked, user: User, number: str | None) -> Listing:
    """Page ``number`` of what ``user`` asked for. First its keys, which indexes have; then its rows."""
    matching = asked.filters.applied(TunedModel.objects.visible_to(user), user)
    page = page_of_keys(matching, COLUMNS.ordering(asked.sort), number, searched=bool(asked.filters.q))
    return Listing(page, _rows(list(page), user))


def news(rows: Sequence[Row], seen: Sequence[str]) -> News:
    """``seen`` has a browser's rows as :func:`seen_as` writes them."""
    shown = {key: row for row in seen if is_key(key := row.partition(":")[0])}
    keys = [str(row.model.pk) for row in rows]
    before: Sequence[int | None] = [None, *(row.model.pk for row in rows)]
    return News(
        gone=[int(key) for key in shown if key not in keys],
        changed=[row for key, row in zip(keys, rows, strict=True) if shown.get(key, seen_as(row)) != seen_as(row)],
        arrived=[Arrival(row, after) for key, row, after in zip(keys, rows, before, strict=False) if key not in shown],
    )


def seen_as(row: Row) -> str:
    """The model's key, and what changes whenever something does that a row or a card shows."""
    model = row.model
    facts = (
        model.display_name,
        model.description,
        model.owner_id,
        model.last_used,
        model.last_loss,
        model.last_match,
        model.is_favourite,
        [*row.tags],
    )
    return f"{model.pk}:{fingerprint(facts)}"


def _rows(keys: Sequence[int], user: User) -> list[Row]:
    listed = TunedModel.objects.starred_by(user).annotate(**ELSEWHERE).values_list(*Listed._fields)
    tags: defaultdict[int, dict[int, str]] = defaultdict(dict)
    borne = TunedModel.tags.through.objects.filter(tunedmodel__in=keys).order_by("tag__key")
    for model, tag, name in borne.values_list("tunedmodel", "tag", "tag__name"):
        tags[model][tag] = name
    found = in_order(map(Listed._make, listed.filter(pk__in=keys).order_by()), keys)
    return [Row(model, tags[model.pk]) for model in found]
