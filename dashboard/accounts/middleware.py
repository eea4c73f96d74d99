"""Where sign-in leads back to."""

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse


class ReturnToPage:
    """Whose session ended under an open page comes back to that page.

    ``login_required`` would send them to what the page asked for last: a poll's fragment, or the address of a
    form, which cannot be opened by itself.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 302 and (request.method == "POST" or request.htmx):  # type: ignore[attr-defined]
            sign_in = reverse("accounts:sign_in")
            if response["Location"].startswith(f"{sign_in}?{REDIRECT_FIELD_NAME}="):
                return HttpResponseRedirect(f"{sign_in}?{urlencode({REDIRECT_FIELD_NAME: _page(request)})}")
        return response


def _page(request: HttpRequest) -> str:
    """The page that made ``request``, as a path; "/" when it does not say or is not ours."""
    page = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer", ""))
    ours = page.netloc == request.get_host()
    return page._replace(scheme="", netloc="", fragment="").geturl() if ours else "/"
