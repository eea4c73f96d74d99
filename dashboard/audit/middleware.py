"""Which request is being answered, so that an entry says where it came from however deep in the code it is made."""

from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

asked: ContextVar[HttpRequest | None] = ContextVar("asked", default=None)


class Asked:
    """Keeps the request at hand while it is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = asked.set(request)
        try:
            return self.get_response(request)
        finally:
            asked.reset(token)
