"""What the library can be narrowed to, and how many models each choice would leave."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.datasets.models import Dataset
from dashboard.library.listing.filters import Asked, FilterForm, Filters, Shared
from dashboard.library.models import TunedModel, TunedModelQuerySet
from dashboard.listing.asked import Pair

CHOICES = 12
"""Of a facet: those that most models have."""
GROUPED = {"owner": "owner", "base": "base_model", "dataset": "dataset_version__dataset", "connection": "connection"}
"""Facets of what every model has one of, and where that stands."""
ROWS: dict[str, type[Any]] = {"owner": User, "dataset": Dataset, "connection": Connection}
"""Those whose values are rows with names."""
NOTHING = Filters()


@dataclass(frozen=True, slots=True)
class Choice:
    """``count`` models would be left; ``query`` chooses it, or takes it back where it is chosen."""

    text: str
    count: int
    query: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    label: str | Promise
    choices: list[Choice]


def facets(asked: Asked, user: User) -> list[Facet]:
    """Every facet with a choice in it. Each counts as if nothing were chosen in itself; of tags, that hold together,
    as the list is.
    """
    counted = _counted(asked, user)
    named = {name: _names(name, counter) for name, counter in counted.items()}
    built = [
        Facet(
            FilterForm.base_fields[name].label or name,
            [_choice(asked, (name, str(value)), text, counted[name][value]) for value, text in names.items()],
        )
        for name, names in named.items()
    ]
    return [facet for facet in [_of_me(asked, user), *built, _tags(asked, user)] if facet.choices]


def _counted(asked: Asked, user: User) -> dict[str, Counter[Any]]:
    """How many models each value of each of :data:`GROUPED` would leave. Facets that count the same models are counted
    in one query: all of them, while nothing is chosen.
    """
    alike: dict[Filters, list[str]] = {}
    for name in GROUPED:
        alike.setdefault(_without(asked.filters, name), []).append(name)
    counted: dict[str, Counter[Any]] = {name: Counter() for name in GROUPED}
    for filters, names in alike.items():
        models = filters.applied(TunedModel.objects.visible_to(user), user).order_by()
        columns = [GROUPED[name] for name in names]
        rows: Iterable[Any] = models.values_list(*columns).annotate(count=Count("pk"))
        for *values, count in rows:
            for name, value in zip(names, values, strict=True):
                counted[name][value] += count
    return counted


def _names(facet: str, counter: Counter[Any]) -> dict[Any, str]:
    """What people call the values that most models have."""
    del counter[None]
    most = [value for value, _count in counter.most_common(CHOICES)]
    if facet not in ROWS:
        return {value: value for value in most}
    rows = ROWS[facet].objects.in_bulk(most)
    return {value: str(getattr(rows[value], "name", "") or rows[value]) for value in most if value in rows}


def _of_me(asked: Asked, user: User) -> Facet:
    """Favourites, what is shared, and what is in the archive."""
    anyhow = _matching(asked, user, "shared")
    archived = replace(asked.filters, archived=True).applied(TunedModel.objects.visible_to(user), user)
    counted = [
        (("favourite", "on"), _("Favourites"), _matching(asked, user, "favourite").favourites_of(user)),
        (("shared", Shared.WITH_ME.value), Shared.WITH_ME.label, anyhow.shared_with(user)),
        (("shared", Shared.BY_ME.value), Shared.BY_ME.label, anyhow.shared_by(user)),
        (("archived", "on"), _("Archived"), archived),
    ]
    choices = [_choice(asked, pair, text, models.count()) for pair, text, models in counted]
    return Facet(_("Yours"), [choice for choice in choices if choice.count or choice.chosen])


def _tags(asked: Asked, user: User) -> Facet:
    models = asked.filters.applied(TunedModel.objects.visible_to(user), user)
    through = TunedModel.tags.through.objects.filter(tunedmodel__in=models.order_by().values("pk"))
    found = through.values_list("tag__name").annotate(count=Count("pk")).order_by("-count", "tag__name")[:CHOICES]
    return Facet(_("Tags"), [_choice(asked, ("tag", name), name, count) for name, count in found])


def _matching(asked: Asked, user: User, name: str) -> TunedModelQuerySet:
    """The models that pass all filters but ``name``."""
    return _without(asked.filters, name).applied(TunedModel.objects.visible_to(user), user)


def _without(filters: Filters, name: str) -> Filters:
    nothing: Any = {name: getattr(NOTHING, name)}
    return replace(filters, **nothing)


def _choice(asked: Asked, pair: Pair, text: object, count: int) -> Choice:
    """Of all filters but tags, one choice takes the place of another."""
    said = asked.filters.pairs()
    if pair in said:
        return Choice(str(text), count, asked.query(without=pair), chosen=True)
    other = None if pair[0] == "tag" else next((one for one in said if one[0] == pair[0]), None)
    return Choice(str(text), count, asked.query(without=other, plus=pair), chosen=False)
