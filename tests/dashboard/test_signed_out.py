"""Nobody who is not signed in sees anything: every address there is, found by walking the resolver."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

pytestmark = pytest.mark.django_db

PUBLIC = {
    "healthz",
    "sign-in/",
    "sign-in/openid/",
    "sign-in/openid/back/",
    "sign-in/openid/confirm/",
    "sign-out/",
    "way-in/<str:token>/",
    "welcome/<str:token>/",
    "invitation/<str:token>/",
    "forgotten/",
    "forgotten/sent/",
    "forgotten/<str:uidb64>/<str:token>/",
}
"""What strangers may open: the ways in."""

EXAMPLES = {"int": "1", "str": "x", "slug": "x", "path": "x/y", "uuid": "00000000-0000-0000-0000-000000000000"}


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, route)
        else:
            yield route, entry


def address(route: str) -> str:
    """The route with an example in each place."""
    return "/" + re.sub(r"<(?:(\w+):)?\w+>", lambda place: EXAMPLES[place[1] or "str"], route)


ROUTES = dict(routes(get_resolver()))


@pytest.mark.parametrize("route", sorted(ROUTES.keys() - PUBLIC))
def test_signed_out_visitor_is_sent_to_sign_in(client: Client, route: str) -> None:
    path = address(route)
    answers = [client.get(path), client.post(path)]
    if route == "":  # the front door leads to the jobs, which lead to sign-in
        answers = [client.get(answers[0]["Location"])]
    allowed = [answer for answer in answers if answer.status_code != 405]
    assert allowed, "neither GET nor POST is answered"
    for answer in allowed:
        assert answer.status_code == 302
        assert answer["Location"].startswith("/sign-in/?next=")


def test_public_list_names_only_what_is_there() -> None:
    assert ROUTES.keys() >= PUBLIC
