"""Which entries an address asks for."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dashboard.audit.models import Entry, EntryQuerySet
from dashboard.listing.asked import Narrowing, NarrowingForm
from dashboard.listing.pages import in_order
from dashboard.messages.audit import AUDIT, NOUNS

ENTRIES_A_PAGE = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted(Narrowing):
    """What an entry must be to be listed. ``event`` is a code or, ending in a point, all of a noun."""

    person: str = ""
    event: str = ""
    about: str = ""
    """Part of the object's name."""
    address: str = ""
    """As it begins."""
    since: date | None = None
    until: date | None = None
    kind: str = ""
    key: str = ""
    """With ``kind``, one object."""

    def entries(self) -> EntryQuerySet:
        """Those entries, the last first."""
        texts = {
            "who__icontains": self.person,
            "name__icontains": self.about,
            "address__startswith": self.address,
            "kind": self.kind,
            "key": self.key,
            "event__startswith" if self.event.endswith(".") else "event": self.event,
            "time__gte": _midnight(self.since) if self.since else None,
            "time__lt": _midnight(self.until + timedelta(days=1)) if self.until else None,
        }
        found = Entry.objects.filter(**{lookup: value for lookup, value in texts.items() if value})
        return found.order_by("-time", "-pk")


class WantedForm(NarrowingForm):
    """The reader of addresses: what cannot be read there is left out."""

    person = forms.CharField(label=_("Who"), required=False, max_length=100)
    event = forms.ChoiceField(label=_("What"), required=False)
    about = forms.CharField(label=_("Name of the object"), required=False, max_length=100)
    address = forms.CharField(label=_("Address"), required=False, max_length=45)
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label=_("Until"), required=False, widget=forms.DateInput({"type": "date"}))
    kind = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)
    key = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        self.fields["event"].choices = _events()  # type: ignore[attr-defined]

    def clean_until(self) -> date | None:
        """A day that has a next one."""
        until: date | None = self.cleaned_data["until"]
        return until if until and until < date.max else None

    def wanted(self) -> Wanted:
        """What was asked for, as far as it could be read."""
        return Wanted(**self.said())


def page_before(entries: EntryQuerySet, last: str) -> tuple[list[Entry], bool]:
    """The next :data:`ENTRIES_A_PAGE` of ``entries`` after the one of key ``last``, and whether more follow; from the
    first where there is no such entry. However deep, a page costs the same. First its keys, which an index has.
    """
    if end := _entry(last):
        entries = entries.before(end)
    keys = list(entries.values_list("pk", flat=True)[: ENTRIES_A_PAGE + 1])
    shown = keys[:ENTRIES_A_PAGE]
    found = Entry.objects.filter(pk__in=shown).select_related("person").order_by()
    return in_order(found, shown), len(keys) > ENTRIES_A_PAGE


def _entry(key: str) -> Entry | None:
    """The entry of ``key``, which may be anything."""
    readable = key.isascii() and key.isdecimal() and len(key) < 16
    return Entry.objects.filter(pk=key).first() if readable else None


def _events() -> list[Any]:
    """All codes, by their nouns; a whole noun first."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for code in AUDIT:
        noun, _point, verb = code.partition(".")
        groups.setdefault(noun, [(f"{noun}.", str(_("anything")))]).append((code, verb.replace("_", " ")))
    named = sorted((str(NOUNS.get(noun, noun)), codes) for noun, codes in groups.items())
    return [("", _("Everything")), *named]


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
