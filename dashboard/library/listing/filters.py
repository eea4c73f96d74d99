"""What the library can be narrowed to, as it stands in an address. What cannot be read there is left out."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django import forms
from django.db import connection
from django.db.models import Exists, OuterRef, Q, TextChoices
from django.db.models.expressions import RawSQL
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.datasets.models import Dataset, DatasetVersion
from dashboard.jobs.tags import folded
from dashboard.library.listing.columns import COLUMNS
from dashboard.library.models import TunedModel, TunedModelQuerySet
from dashboard.listing import asked
from dashboard.listing.asked import Chip, Narrowing, NarrowingForm, key_field, named

ANY_WORD, ANY_KEY = "any-word", "any-key"
"""Stand where a word, and a tag's key, will be, in a question that is written before it is asked."""


class Shared(TextChoices):
    WITH_ME = "with-me", _("Shared with me")
    BY_ME = "by-me", _("Shared by me")


@dataclass(frozen=True, kw_only=True, slots=True)
class Filters(Narrowing):
    """What a model must be to be listed. Each word of ``q`` stands in its name (the service's, too), its description,
    its notes, a tag, the dataset's name or the base model.
    """

    favourite: bool = False
    shared: str = ""
    """One of :class:`Shared`."""
    owner: int | None = None
    connection: int | None = None
    base: str = ""
    dataset: int | None = None
    tag: tuple[str, ...] = ()
    """All of these."""
    archived: bool = False
    """Those in the archive, which are not listed otherwise."""

    def applied(self, models: TunedModelQuerySet, user: User) -> TunedModelQuerySet:
        """Those of ``models`` that match for ``user``. Other tables are asked apart, so that counting joins nothing."""
        models = models.filter(archived__isnull=not self.archived)
        for word in self.words:
            models = models.filter(_says(word))
        for tag in self.tag:
            models = models.filter(pk__in=_tagged(tag__key=folded(tag)))
        if self.favourite:
            models = models.favourites_of(user)
        if self.shared:
            models = models.shared_with(user) if self.shared == Shared.WITH_ME else models.shared_by(user)
        if self.dataset is not None:
            models = models.filter(dataset_version__in=DatasetVersion.objects.filter(dataset=self.dataset))
        said = {"owner": self.owner, "connection": self.connection, "base_model": self.base or None}
        return models.filter(**{name: value for name, value in said.items() if value is not None})


class FilterForm(NarrowingForm):
    """The reader of addresses."""

    q = forms.CharField(required=False, max_length=100)
    favourite = forms.BooleanField(label=_("Favourites"), required=False)
    archived = forms.BooleanField(label=_("Archive"), required=False)
    shared = forms.ChoiceField(label=_("Sharing"), required=False, choices=Shared.choices)
    owner = key_field(_("Owner"))
    connection = key_field(_("Connection"))
    base = forms.CharField(label=_("Base model"), required=False, max_length=200)
    dataset = key_field(_("Dataset"))
    tag = forms.MultipleChoiceField(label=_("Tags"), required=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self.fields["tag"].choices = named(data.getlist("tag"))  # type: ignore[attr-defined]


class Asked(asked.Asked[Filters]):
    """What an address of the library asks for."""

    def chips(self, user: User) -> list[Chip]:
        """Its filters one by one, the search left out: that has a field of its own."""
        labels = FilterForm.base_fields
        return [
            Chip(str(labels[name].label), shown(name, value, user), self.query(without=(name, value)))
            for name, value in self.filters.pairs()
            if name != "q"
        ]


def read(query: QueryDict) -> Asked:
    """What an address asks of the library, as far as it can be read."""
    return Asked(Filters(**FilterForm(query).said()), COLUMNS.readable(query.get("sort", "")))


def shown(name: str, value: str, user: User) -> str:
    """A filter's value as people know it. What they may not see has no name."""
    models = TunedModel.objects.visible_to(user)
    if name == "connection":
        return str(Connection.objects.usable_by(user).filter(pk=value).first() or "–")
    if name == "owner":
        return str(User.objects.filter(Exists(models.filter(owner=OuterRef("pk"))), pk=value).first() or "–")
    if name == "dataset":
        of_mine = Exists(models.filter(dataset_version__dataset=OuterRef("pk")))
        return str(Dataset.objects.filter(of_mine, pk=value).first() or "–")
    if name == "shared":
        return str(Shared(value).label)
    return str({"favourite": _("mine"), "archived": _("what is in it")}.get(name, value))


def _says(word: str) -> Q:
    sql, parameters = _elsewhere()
    meant = {f"%{ANY_WORD}%": word, f"%{ANY_KEY}%": folded(word)}
    put = [f"%{connection.ops.prep_for_like_query(meant[it])}%" if it in meant else it for it in parameters]
    said = Q(display_name__icontains=word) | Q(base_model__icontains=word) | Q(name__icontains=word)
    return said | Q(pk__in=RawSQL(sql, put))  # noqa: S611 - written by Django, below


@cache
def _elsewhere() -> tuple[str, tuple[Any, ...]]:
    """The keys of models of which something beside their names says a word, as SQL: to write it takes longer than to
    look through ten thousand models.
    """
    models = TunedModel.objects.order_by()
    told = Q(notes__icontains=ANY_WORD) | Q(description__icontains=ANY_WORD)
    telling = models.exclude(notes="", description="").filter(told).values("pk")  # few do
    of_dataset = models.filter(
        dataset_version__in=DatasetVersion.objects.filter(dataset__name__icontains=ANY_WORD).values("pk")
    ).values("pk")
    sql, parameters = telling.union(_tagged(tag__key__contains=ANY_KEY), of_dataset, all=True).query.sql_with_params()
    return sql, tuple(parameters)


def _tagged(**tag: str) -> Any:
    """The keys of the models that bear such a tag."""
    return TunedModel.tags.through.objects.filter(**tag).values("tunedmodel")
