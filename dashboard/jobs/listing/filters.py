"""What the list can be narrowed to, as it stands in an address. What cannot be read there is left out."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.datasets.models import Dataset, DatasetVersion
from dashboard.jobs.models import Job
from dashboard.jobs.pace import STALLED
from dashboard.jobs.queryset import JobQuerySet
from dashboard.jobs.tags import TAGS_SUGGESTED, Tag, folded
from dashboard.listing import asked
from dashboard.listing.asked import OFFERED, Chip, Narrowing, NarrowingForm, key_field, named
from dashboard.messages import STATES
from tuning.jobs import JobState

DAYS = (date(1990, 1, 1), date(2190, 1, 1))


@dataclass(frozen=True, kw_only=True, slots=True)
class Filters(Narrowing):
    """What a job must be to be listed. Each word of ``q`` stands in its name, the dataset's name, the base model, the
    model's name or the notes.
    """

    state: tuple[str, ...] = ()
    """One of these; STALLED, too, which no database column knows."""
    tag: tuple[str, ...] = ()
    """All of these."""
    owner: int | None = None
    connection: int | None = None
    base: str = ""
    dataset: int | None = None
    since: date | None = None
    until: date | None = None
    lowest: float | None = None
    highest: float | None = None

    def applied(self, jobs: JobQuerySet) -> JobQuerySet:
        """Those of ``jobs`` that match. Other tables are asked apart, so that counting joins nothing."""
        for word in self.words:
            jobs = jobs.filter(_says(word))
        for tag in self.tag:
            jobs = jobs.filter(pk__in=Job.tags.through.objects.filter(tag__key=folded(tag)).values("job"))
        if self.state:
            # Asked the other way round: SQLite would follow the index of states, and read every row that it names.
            others = [state for state in JobState if state not in self.state]
            jobs = jobs.filter(~Q(state__in=others) | Q(pk__in=self._stalled(jobs)))
        if self.dataset is not None:
            jobs = jobs.filter(dataset_version__in=DatasetVersion.objects.filter(dataset=self.dataset))
        return jobs.filter(**self._plain())

    def _stalled(self, jobs: JobQuerySet) -> list[int]:
        """Those that stand still, where they are asked for: a few, for only what runs can."""
        if STALLED not in self.state:
            return []
        moments = ("state", "completed_steps", "synced_at", "first_step_at", "last_step_at")
        return [job.pk for job in jobs.filter(state=JobState.RUNNING).only(*moments) if job.is_stalled]

    def _plain(self) -> dict[str, Any]:
        said = {
            "owner": self.owner,
            "connection": self.connection,
            "base_model": self.base or None,
            "created__gte": self.since and _midnight(self.since),
            "created__lt": self.until and _midnight(self.until + timedelta(days=1)),
            "last_loss__gte": self.lowest,
            "last_loss__lte": self.highest,
        }
        return {name: value for name, value in said.items() if value is not None}


FILTERS = tuple(field.name for field in fields(Filters))


def _day(label: Any) -> forms.DateField:
    bounds = [MinValueValidator(DAYS[0]), MaxValueValidator(DAYS[1])]
    widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=False, validators=bounds, widget=widget)


def _loss(label: Any) -> forms.FloatField:
    return forms.FloatField(label=label, required=False, widget=forms.NumberInput({"step": "any"}))


class FilterForm(NarrowingForm):
    """The panel of filters, and the reader of addresses."""

    q = forms.CharField(label=_("Search"), required=False, max_length=100, widget=forms.HiddenInput)
    state = forms.MultipleChoiceField(
        label=_("State"),
        required=False,
        choices=[(str(state), word) for state, word in STATES.items()],
        widget=forms.CheckboxSelectMultiple,
    )
    tag = forms.MultipleChoiceField(label=_("Tags"), required=False, widget=forms.CheckboxSelectMultiple)
    owner = key_field(_("Owner"))
    connection = key_field(_("Connection"))
    base = forms.CharField(label=_("Base model"), required=False, max_length=200, widget=forms.Select)
    dataset = key_field(_("Dataset"))
    since = _day(_("Started on or after"))
    until = _day(_("Started on or before"))
    lowest = _loss(_("Loss from"))
    highest = _loss(_("Loss to"))

    def __init__(self, data: QueryDict, user: User) -> None:
        super().__init__(data)
        self.user = user
        self.fields["tag"].choices = named(data.getlist("tag"))  # type: ignore[attr-defined]

    def filters(self) -> Filters:
        """What was asked for, as far as it could be read."""
        return Filters(**self.said())

    def offer(self) -> None:
        """Fill the selects with what there is to choose from."""
        user = self.user
        tags = Tag.objects.seen_by(user).values_list("name", flat=True)[:TAGS_SUGGESTED]
        self.fields["tag"].choices = [(tag, tag) for tag in tags]  # type: ignore[attr-defined]
        bases = Job.objects.visible_to(user).order_by("base_model").values_list("base_model", flat=True).distinct()
        self._choose("base", [(base, base) for base in bases[:OFFERED]])
        self._choose("connection", [(row.pk, str(row)) for row in Connection.objects.usable_by(user)[:OFFERED]])
        datasets = Dataset.objects.visible_to(user).order_by("name", "pk")
        self._choose("dataset", [(row.pk, row.name) for row in datasets[:OFFERED]])
        self._choose("owner", [(person.pk, str(person)) for person in _owners(user)[:OFFERED]])

    def _choose(self, name: str, choices: list[tuple[Any, str]]) -> None:
        self.fields[name].widget.choices = [("", _("any")), *choices]


@dataclass(frozen=True, slots=True)
class Asked(asked.Asked[Filters]):
    """What an address of the list asks for."""

    def chips(self, user: User) -> list[Chip]:
        """Its filters one by one, the search left out: that has a field of its own."""
        labels = FilterForm.base_fields
        return [
            Chip(str(labels[name].label), _shown(name, value, user), self.query(without=(name, value)))
            for name, value in self.filters.pairs()
            if name != "q"
        ]


def _owners(user: User) -> QuerySet[User]:
    """Those whose jobs ``user`` may see: of nobody else is anything told."""
    visible = Job.objects.visible_to(user).order_by()
    return User.objects.filter(pk__in=visible.values("owner")).order_by("name", "email")


def _shown(name: str, value: str, user: User) -> str:
    """A filter's value as people know it. What they may not see has no name."""
    rows: dict[str, Callable[[User], QuerySet[Any]]] = {
        "owner": _owners,
        "connection": Connection.objects.usable_by,
        "dataset": Dataset.objects.visible_to,
    }
    if name in rows:
        return str(rows[name](user).filter(pk=value).first() or "–")
    return str(STATES[value]) if name == "state" else value


def _says(word: str) -> Q:
    of_dataset = DatasetVersion.objects.filter(dataset__name__icontains=word).values("pk")
    noted = Job.objects.order_by().exclude(notes="").filter(notes__icontains=word).values("pk")  # few have notes
    said = Q(display_name__icontains=word) | Q(base_model__icontains=word) | Q(model__icontains=word)
    return said | Q(dataset_version__in=of_dataset) | Q(pk__in=noted)  # in the order in which a database looks


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
