"""A page of the library, and in what it differs from what a browser shows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page
from django.db.models import F

from dashboard.accounts.models import User
from dashboard.fingerprints import fingerprint
from dashboard.library.listing.columns import COLUMNS
from dashboard.library.listing.filters import Asked
from dashboard.library.models import TunedModel
from dashboard.listing.fields import is_key
from dashboard.listing.pages import in_order, page_of_keys

SHOWN = (
    "display_name",
    "description",
    "base_model",
    "created",
    "last_used",
    "last_loss",
    "owner__name",
    "owner__email",
)
"""Columns that rows show; to read the others for a page takes milliseconds."""


@dataclass(frozen=True, slots=True)
class Row:
    """A model, and what belongs to it elsewhere. ``tags`` go by their keys."""

    model: TunedModel
    dataset: str
    curve: list[list[float]]
    evaluation: float | None
    """Its last: the held-out loss of the epoch that was kept."""
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
    page = page_of_keys(matching, COLUMNS.ordering(asked.sort), number)
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
        model.is_favourite,
        [*row.tags],
    )
    return f"{model.pk}:{fingerprint(facts)}"


def _rows(keys: Sequence[int], user: User) -> list[Row]:
    models = TunedModel.objects.starred_by(user).select_related("owner").only(*SHOWN)
    elsewhere = {
        "dataset_name": F("dataset_version__dataset__name"),
        "small_curve": F("job__small_curve"),
        "best_loss": F("job__best_loss"),
    }
    found: list[Any] = in_order(models.annotate(**elsewhere), keys)
    tags: defaultdict[int, dict[int, str]] = defaultdict(dict)
    borne = TunedModel.tags.through.objects.filter(tunedmodel__in=keys).order_by("tag__key")
    for model, tag, name in borne.values_list("tunedmodel", "tag", "tag__name"):
        tags[model][tag] = name
    return [
        Row(model, model.dataset_name or "", model.small_curve or [], model.best_loss, tags[model.pk])
        for model in found
    ]
