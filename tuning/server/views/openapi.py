"""``/openapi.json``: the API's description, for everybody."""

from functools import cache

from django.http import HttpRequest, HttpResponse

from tuning.server import answers, openapi


def document(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_written(), content_type=answers.CONTENT_TYPE)


@cache
def _written() -> bytes:
    return answers.json_answer(openapi.document()).content
