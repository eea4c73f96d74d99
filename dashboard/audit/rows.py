"""Entries as a page shows them: who, what with a link to what is still there, from where."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.apps import apps
from django.db.models import Model
from django.urls import reverse
from django.utils.safestring import SafeString

from dashboard.audit.models import Entry
from dashboard.messages.audit import show_entry

PERSON = "accounts.user"


@dataclass(frozen=True, slots=True)
class Row:
    """An entry, and its sentence with a link."""

    entry: Entry
    sentence: SafeString


def rows(entries: Sequence[Entry]) -> list[Row]:
    """``entries`` with their sentences, at one question for each kind of object."""
    urls = _urls(entries)
    return [
        Row(entry, show_entry(entry.event, entry.name, entry.facts, urls.get((entry.kind, entry.key), "")))
        for entry in entries
    ]


def _urls(entries: Sequence[Entry]) -> dict[tuple[str, str], str]:
    """Where the objects that are still there have their pages, by kind and key."""
    keys: dict[str, set[str]] = {}
    for entry in entries:
        keys.setdefault(entry.kind, set()).add(entry.key)
    return {(kind, key): url for kind in keys for key, url in _pages(kind, keys[kind]).items()}


def _pages(kind: str, keys: set[str]) -> dict[str, str]:
    model = _model(kind)
    if model is None or not (kind == PERSON or hasattr(model, "get_absolute_url")):
        return {}
    here = model._default_manager.filter(pk__in=keys).values_list("pk", flat=True)
    if kind == PERSON:
        return {str(pk): reverse("people:detail", args=[pk]) for pk in here}
    return {str(pk): model(pk=pk).get_absolute_url() for pk in here}  # type: ignore[attr-defined]


def _model(kind: str) -> type[Model] | None:
    """Of which rows are; ``None`` for things, and for what there was in earlier releases."""
    try:
        return apps.get_model(kind)
    except (LookupError, ValueError):
        return None
