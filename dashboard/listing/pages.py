"""A page of a list: first its keys, which indexes have; then its rows."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.db.models.expressions import OrderBy

ROWS_A_PAGE = 50
FEW = 1_000
"""Rows found by words that are counted by reading their keys."""

M = TypeVar("M", bound=Model)


class Keyed(Protocol):
    @property
    def pk(self) -> int: ...


R = TypeVar("R", bound=Keyed)


def page_of_keys(
    matching: "QuerySet[M]", ordering: tuple[OrderBy, ...], number: str | None, *, searched: bool
) -> Page[int]:
    """Page ``number`` of the keys of ``matching``; one that there is not is the nearest that there is. What is
    ``searched`` for words is searched once, if few are found: to look through every row takes longer than to read keys.
    """
    keys = matching.order_by(*ordering).values_list("pk", flat=True)
    few = list(keys[: FEW + 1]) if searched else None
    page: Page[int] = Paginator(keys if few is None or len(few) > FEW else few, ROWS_A_PAGE).get_page(number)
    page.object_list = list(page.object_list)
    return page


def in_order(rows: Iterable[R], keys: Sequence[int]) -> list[R]:
    """``rows`` in the order of their ``keys``; what is gone is left out."""
    by_key = {row.pk: row for row in rows}
    return [by_key[key] for key in keys if key in by_key]
