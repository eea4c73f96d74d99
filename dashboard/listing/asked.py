"""Filters and an order as they stand in the address of a list."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Generic, TypeVar

from django import forms
from django.http import QueryDict
from django.utils.http import urlencode

Pair = tuple[str, str]
BIGGEST_KEY = 10**15
WORDS = 5
"""Of a search that are looked for."""
OFFERED = 500
"""Most choices of a filter."""
LONGEST_QUERY = 2_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Narrowing:
    """What a row must be to be listed; what is empty demands nothing. Each list has fields of its own."""

    q: str = ""

    @property
    def words(self) -> list[str]:
        """What ``q`` searches for. Words with digits are the rarest in names, and come first: the rows that a database
        leaves out by one word it looks through for no other.
        """
        return sorted(self.q.split()[:WORDS], key=lambda word: not any(map(str.isdigit, word)))

    def pairs(self) -> list[Pair]:
        """Names and values as an address has them."""
        found = []
        for field in fields(self):
            value = getattr(self, field.name)
            values = value if isinstance(value, tuple) else (value,)
            found += [(field.name, _written(one)) for one in values if one not in (None, "", False)]
        return found


N = TypeVar("N", bound=Narrowing)


@dataclass(frozen=True, slots=True)
class Asked(Generic[N]):
    """What an address of a list asks for: filters and an order."""

    filters: N
    sort: str

    def query(
        self,
        *,
        without: tuple[str, str] | None = None,
        plus: tuple[str, str] | None = None,
        sort: str = "",
        page: int = 1,
    ) -> str:
        """The same as a query, in one way of writing it, with these changes."""
        pairs = [pair for pair in self.filters.pairs() if pair != without]
        pairs += [plus] if plus else []
        pairs.append(("sort", sort or self.sort))
        return urlencode([*pairs, *([("page", str(page))] if page > 1 else [])])


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter as people read it, and the query of the list without it."""

    label: str
    text: str
    without: str


def remembered(posted: QueryDict, read: Callable[[QueryDict], Asked[N]]) -> str:
    """The query of the list that a form was sent from, as its hidden field ``back`` remembers it. ``read`` reads it
    anew: nobody is led anywhere else.
    """
    said = QueryDict(posted.get("back", "")[:LONGEST_QUERY])
    page = said.get("page", "")
    return read(said).query(page=int(page) if page.isdecimal() and len(page) < 6 else 1)


class NarrowingForm(forms.Form):
    """The reader of addresses: what cannot be read there is left out."""

    def said(self) -> dict[str, Any]:
        """What was asked for, as far as it could be read."""
        self.is_valid()
        read: dict[str, Any] = {}
        for name, value in self.cleaned_data.items():
            if value not in (None, "", [], False):
                read[name] = tuple(value) if isinstance(value, list) else value
        return read


def named(tags: Sequence[str]) -> list[tuple[str, str]]:
    """Choices of the tags that an address names. None holds a NUL, which no tag has and PostgreSQL takes none with."""
    return [(tag, tag) for tag in tags[:WORDS] if tag and "\0" not in tag]


def key_field(label: Any) -> forms.IntegerField:
    """A row's key, chosen by a select."""
    return forms.IntegerField(label=label, required=False, min_value=1, max_value=BIGGEST_KEY, widget=forms.Select)


def _written(value: object) -> str:
    if value is True:
        return "on"
    return value.isoformat() if isinstance(value, date) else f"{value:.12g}" if isinstance(value, float) else str(value)
