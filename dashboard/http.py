"""Requests and responses as the rooms see them."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
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


@require_safe
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """Tells a supervisor that the web process answers."""
    return HttpResponse("ok\n", content_type="text/plain")
