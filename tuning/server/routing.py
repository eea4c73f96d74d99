"""How a URL finds its view. No view is reached by somebody unknown, unless its route says so."""

from collections.abc import Callable, Set
from typing import TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from tuning import wire
from tuning.errors import InvalidRequest
from tuning.server import access, answers, rates

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


def methods(*, limited: bool = True, **views: View) -> View:
    """One URL's views by HTTP method; each is given the request and the identity of the caller.

    Requests count towards the limit of the caller's key, unless the URL is not ``limited``.
    """

    def route(request: HttpRequest, **captured: str) -> HttpResponseBase:
        method = "GET" if request.method == "HEAD" else request.method or ""
        if method not in views:
            return answers.wrong_method(request, sorted(views))
        caller = access.caller(request)
        if limited:
            rates.count(caller)
        return views[method](request, caller, **captured)

    return route


def read(kind: type[Resource], request: HttpRequest, *, at: str = "") -> Resource:
    """The resource in the request's body. Raises ``InvalidRequest``."""
    return wire.loads(kind, _body(request), at=at)


def _body(request: HttpRequest) -> bytes:
    if "HTTP_TRANSFER_ENCODING" in request.META:  # Django reads nothing without a length
        raise InvalidRequest("length_required")
    return request.body or b"{}"


def read_masked(
    kind: type[Resource], request: HttpRequest, changeable: Set[str], *, at: str
) -> tuple[Resource, frozenset[str]]:
    """The resource in a PATCH's body, and which of its ``changeable`` attributes are to be changed.

    Those that ``updateMask`` names (``*``: all); without one, those that the body sets: it may be a whole resource,
    output-only fields and all. Raises ``InvalidRequest``.
    """
    body = wire.load_json(_body(request))
    resource = wire.loads(kind, body, at=at)
    mask = query(request, "updateMask", "update_mask")
    return resource, _masked(kind, mask, changeable) if mask else wire.given(kind, body) & changeable


def _masked(kind: type, mask: str, changeable: Set[str]) -> frozenset[str]:
    paths = [path.strip() for path in mask.split(",")]
    if paths == ["*"]:
        return frozenset(changeable)
    names = {path: wire.attribute(kind, path) for path in paths}
    if strange := [path for path, name in names.items() if name not in changeable]:
        raise InvalidRequest("mask_unknown", path=strange[0][:80], known=", ".join(sorted(changeable)))
    return frozenset(name for name in names.values() if name)


def query(request: HttpRequest, *names: str) -> str:
    """What the query says under the first of ``names`` it has; empty if none."""
    return next((request.GET[name] for name in names if request.GET.get(name)), "")


def number(request: HttpRequest, *names: str, default: int) -> int:
    """A count in the query, under any of ``names``. Raises ``InvalidRequest`` unless it is one."""
    text = next((request.GET[name] for name in names if name in request.GET), "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise InvalidRequest("out_of_range", field=names[0], value=text[:20], rule="a whole number, 0 or more")
    return int(text)
