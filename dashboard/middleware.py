"""htmx's plumbing and the mapping of service errors, so that views need to know of neither."""

import logging
from collections.abc import Callable

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect

from dashboard.messages import explain
from tuning.errors import Exhausted, NotFound, TuningError, Unavailable

logger = logging.getLogger(__name__)

STATUSES: dict[type[TuningError], int] = {NotFound: 404, Exhausted: 429, Unavailable: 503}
GetResponse = Callable[[HttpRequest], HttpResponse]


class HtmxPlumbing:
    """Answers htmx as htmx expects: redirects by header, messages out of band, caches told apart."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        patch_vary_headers(response, ["HX-Request"])
        if not request.htmx or request.htmx.boosted:  # type: ignore[attr-defined]
            return response
        if response.status_code in (301, 302):
            return HttpResponseClientRedirect(response["Location"])
        kind = "" if response.streaming else response.get("Content-Type", "")
        is_page = response.status_code == 200 and kind.startswith("text/html")
        # What a page fetches by itself takes away no message: nobody has read it yet.
        if is_page and (request.method != "GET" or len(get_messages(request))):
            response.write(render_to_string("_messages.html", {"out_of_band": True}, request=request))
        return response


class ServiceErrors:
    """A ``TuningError`` that a view lets through becomes a page that says what happened and what to do."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, TuningError):
            return None
        logger.info("%s %s: %s", request.method, request.path, error.code)
        status = next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 502)
        return render(request, "service_error.html", {"message": explain(error), "detail": error.detail}, status=status)
