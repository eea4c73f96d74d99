"""Requests and responses as the rooms see them."""

import errno
import sys
from ipaddress import IPv4Address, IPv6Address, ip_address

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import defaults
from django.views.decorators.http import require_safe
from django_htmx.middleware import HtmxDetails

from dashboard.accounts.models import User


class Request(HttpRequest):
    """A request of a signed-in person: what every view behind ``login_required`` receives."""

    htmx: HtmxDetails
    user: User


class NoContent(HttpResponse):
    """204: a poll without news."""

    status_code = 204


def network_address(request: HttpRequest) -> IPv4Address | IPv6Address | None:
    """Where ``request`` comes from; ``None`` where that is not known, as with a unix socket."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    # Only a proxy that we were told of is believed; its entry is the last one.
    behind_proxy = settings.SECURE_PROXY_SSL_HEADER is not None
    try:
        return ip_address((forwarded if behind_proxy else "") or request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return None


def next_page(request: HttpRequest) -> str:
    """Where whoever signs in wanted to go, if that is a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if ours else resolve_url(settings.LOGIN_REDIRECT_URL)


@require_safe
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """Tells a supervisor that the web process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


def server_error(request: HttpRequest) -> HttpResponse:
    """The page for what nobody foresaw: 507 when the disk is full, else 500."""
    if _disk_is_full(sys.exception()):
        return HttpResponse(render_to_string("507.html"), status=507)
    return defaults.server_error(request)


def _disk_is_full(error: BaseException | None) -> bool:
    if error is None:
        return False
    full = getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT}
    sqlite_says_so = "disk is full" in str(error)
    return full or sqlite_says_so or _disk_is_full(error.__cause__ or error.__context__)
