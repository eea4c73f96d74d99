"""Pages of a listing, newest first. A token names where the next begins, so what comes or goes shifts nothing."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.core import signing
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from tuning.errors import InvalidRequest
from tuning.server.routing import number, query

PAGE_SIZE = 10
MODELS_PAGE_SIZE = 50
LARGEST_PAGE = 1000
SALT = "tuning.server.paging"

Row = TypeVar("Row", bound=Model)
Item = TypeVar("Item")


def page(rows: QuerySet[Row], request: HttpRequest) -> tuple[list[Row], str]:
    """One page of ``rows`` and the token of the next, empty on the last. Raises ``InvalidRequest``."""
    size = _size(request, PAGE_SIZE)
    if token := _token(request):
        rows = rows.filter(pk__lt=_read_token(token))
    found = list(rows.order_by("-pk")[: size + 1])
    shown = found[:size]
    return shown, signing.dumps(shown[-1].pk, salt=SALT) if len(found) > size else ""


def page_of(items: Sequence[Item], request: HttpRequest, *, name: Callable[[Item], str]) -> tuple[Sequence[Item], str]:
    """One page of a list in memory, as :func:`page`; its tokens hold the ``name`` of the next item."""
    size, token = _size(request, MODELS_PAGE_SIZE), _token(request)
    names = [name(item) for item in items]
    start = _place(token, names) if token else 0
    following = names[start + size : start + size + 1]
    return items[start : start + size], signing.dumps(following[0], salt=SALT) if following else ""


def _size(request: HttpRequest, default: int) -> int:
    return min(number(request, "pageSize", "page_size", default=default) or default, LARGEST_PAGE)


def _token(request: HttpRequest) -> str:
    return query(request, "pageToken", "page_token")


def _place(token: str, names: list[str]) -> int:
    try:
        return names.index(signing.loads(token, salt=SALT))
    except (signing.BadSignature, ValueError) as exc:
        raise InvalidRequest("page_token_invalid") from exc


def _read_token(token: str) -> int:
    try:
        return int(signing.loads(token, salt=SALT))
    except (signing.BadSignature, ValueError, TypeError) as exc:
        raise InvalidRequest("page_token_invalid") from exc
