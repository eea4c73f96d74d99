"""Columns of a list, and by what each is sorted."""

from dataclasses import dataclass, field

from django.db.models import F, Subquery
from django.db.models.expressions import Expression, OrderBy
from django.utils.functional import Promise

NEWEST_FIRST = "-created"


@dataclass(frozen=True, slots=True)
class Column:
    """``order`` is what its sorting goes by; ``down`` says that the first click puts the highest on top."""

    name: str
    label: str | Promise
    order: F | Expression | Subquery = field(compare=False)
    number: bool = False
    wide: bool = True
    """Left out where a screen is narrow."""
    down: bool = False

    @property
    def look(self) -> str:
        """The classes of its cells."""
        return " ".join(name for name, has in (("number", self.number), ("wide", self.wide)) if has)


class Columns(dict[str, Column]):
    """The columns of one list by their names."""

    def __init__(self, *columns: Column) -> None:
        super().__init__((column.name, column) for column in columns)

    def readable(self, sort: str) -> str:
        """``sort`` if it names a column (``-`` before it: from high to low); else newest first."""
        return sort if sort.removeprefix("-") in self else NEWEST_FIRST

    def ordering(self, sort: str) -> tuple[OrderBy, ...]:
        """What ``sort`` means to the database. What has no value comes last; equals are told apart by age."""
        if sort == NEWEST_FIRST:  # the order of an index, which "nulls last" would not be
            return F("created").desc(), F("pk").desc()
        by = self[sort.removeprefix("-")].order
        first = OrderBy(by, descending=sort.startswith("-"), nulls_last=True)
        return first, F("pk").desc()


def toggled(column: Column, sort: str) -> str:
    """What a click on the head of ``column`` sorts by."""
    up, down = column.name, f"-{column.name}"
    if sort in (up, down):
        return up if sort == down else down
    return down if column.down else up


def direction(column: Column, sort: str) -> str:
    """As ARIA says it; empty where the list is sorted by something else."""
    return {column.name: "ascending", f"-{column.name}": "descending"}.get(sort, "")
