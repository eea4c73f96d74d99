"""How a URL finds its view. No view is reached by somebody unknown, unless its route says so."""

from collections.abc import Callable
from typing import TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from tuning import wire
from tuning.errors import InvalidRequest
from tuning.server import access, answers

View = Callable[..., HttpResponseBase]
Resource = TypeVar("Resource")


class VersionConverter:
    """The API versions that look alike to a caller."""

    regex = "v1beta3|v1beta|v1"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class IdConverter(VersionConverter):
    """A resource id; whether it is well formed is the view's business."""

    regex = "[^/:]+"


def methods(**views: View) -> View:
    """One URL's views by HTTP method; each is given the request and the identity of the caller."""

    def route(request: HttpRequest, **captured: str) -> HttpResponseBase:
        method = "GET" if request.method == "HEAD" else request.method or ""
        if method not in views:
            return answers.wrong_method(request, sorted(views))
        return views[method](request, access.caller(request), **captured)

    return route


def read(kind: type[Resource], request: HttpRequest, *, at: str = "") -> Resource:
    """The resource in the request's body. Raises ``InvalidRequest``."""
    if "HTTP_TRANSFER_ENCODING" in request.META:  # Django reads nothing without a length
        raise InvalidRequest("length_required")
    return wire.loads(kind, request.body or b"{}", at=at)


def number(request: HttpRequest, *names: str, default: int) -> int:
    """A count in the query, under any of ``names``. Raises ``InvalidRequest`` unless it is one."""
    text = next((request.GET[name] for name in names if name in request.GET), "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise InvalidRequest("out_of_range", field=names[0], value=text[:20], rule="a whole number, 0 or more")
    return int(text)
