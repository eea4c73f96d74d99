"""What signing in means to every request: how much a stranger may send, what is kept, where sign-in leads back to."""

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

STRANGERS_BYTES = 64 * 1024
"""The forms of signing in are far smaller."""


class Strangers:
    """Who is not signed in sends little: an upload is refused before its first byte is read or stored.

    It stands before the CSRF check reads the body, which happens once all middleware has been passed.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _announced(request) > STRANGERS_BYTES and not request.user.is_authenticated:
            return redirect_to_login(_page(request))
        return self.get_response(request)


def _announced(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or ""
    return int(length) if length.isascii() and length.isdigit() else 0


class NotKept:
    """What a signed-in person sees is kept by no browser and no proxy: after they sign out, "Back" shows nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated and "Cache-Control" not in response:
            response["Cache-Control"] = "private, no-store"
        return response


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
