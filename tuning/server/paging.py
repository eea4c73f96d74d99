"""Pages of a listing, newest first. A token names where the next begins, so what comes or goes shifts nothing."""

from typing import TypeVar

from django.core import signing
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from tuning.errors import InvalidRequest
from tuning.server.routing import number

PAGE_SIZE = 10
LARGEST_PAGE = 1000
SALT = "tuning.server.paging"

Row = TypeVar("Row", bound=Model)


def page(rows: QuerySet[Row], request: HttpRequest) -> tuple[list[Row], str]:
    """One page of ``rows`` and the token of the next, empty on the last. Raises ``InvalidRequest``."""
    size = min(number(request, "pageSize", "page_size", default=PAGE_SIZE) or PAGE_SIZE, LARGEST_PAGE)
    if token := request.GET.get("pageToken") or request.GET.get("page_token"):
        rows = rows.filter(pk__lt=_read_token(token))
    found = list(rows.order_by("-pk")[: size + 1])
    shown = found[:size]
    return shown, signing.dumps(shown[-1].pk, salt=SALT) if len(found) > size else ""


def _read_token(token: str) -> int:
    try:
        return int(signing.loads(token, salt=SALT))
    except (signing.BadSignature, ValueError, TypeError) as exc:
        raise InvalidRequest("page_token_invalid") from exc
