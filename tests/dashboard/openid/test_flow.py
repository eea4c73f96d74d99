"""The round to a provider and back, over real HTTP: what comes of it, and what is not believed."""

import socket
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import flask
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils import timezone

from dashboard.openid import client as clients
from dashboard.openid.client import OAuthClient
from dashboard.openid.errors import ConsentError
from dashboard.openid.flow import LIFETIME, ROUNDS, Granted, begin, finish
from tests.dashboard.openid.provider import Provider
from tests.processes import free_port

pytestmark = pytest.mark.django_db

HERE = "http://testserver/back/"
SCOPES = ("openid", "email")


@pytest.fixture
def session() -> SessionBase:
    return SessionStore()


@pytest.fixture
def us(google: Provider) -> OAuthClient:
    return OAuthClient.discovered(google.url, "us", "our-secret")


@pytest.fixture
def ask(session: SessionBase, us: OAuthClient) -> Callable[..., str]:
    """Begins a round; where the provider asks the person."""

    def ask(purpose: str = "sign-in", **more: Any) -> str:
        more = {"scopes": SCOPES, "keeps": {}, **more}
        return begin(visit("/", session), us, purpose=purpose, redirect_uri=HERE, **more)

    return ask


@pytest.fixture
def come_back(session: SessionBase, us: OAuthClient) -> Callable[..., Granted]:
    """Ends a round, by the address that the provider sends the person to."""

    def come_back(address: str, purpose: str = "sign-in", who: OAuthClient = us) -> Granted:
        return finish(visit(address, session), who, purpose=purpose, redirect_uri=HERE)

    return come_back


def visit(address: str, session: SessionBase) -> HttpRequest:
    request = RequestFactory().get(address)
    request.session = session
    return request


def said(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def refused(come_back: Callable[..., Granted], address: str, **more: Any) -> ConsentError:
    with pytest.raises(ConsentError) as caught:
        come_back(address, **more)
    return caught.value


def test_round_brings_tokens_claims_and_what_it_kept(google: Provider, ask: Any, come_back: Any) -> None:
    address = ask(keeps={"next": "/jobs/7/"}, wishes=["profile"])
    granted = come_back(google.consent(address, "ada-1"))
    assert granted.keeps == {"next": "/jobs/7/"}
    assert granted.scopes == {"openid", "email", "profile"}
    assert granted.id_claims["sub"] == "ada-1"
    assert granted.id_claims["email"] == "ada@example.com"
    assert {granted.access_token, granted.refresh_token} <= google.secrets
    assert timedelta(minutes=55) < granted.expires - timezone.now() <= timedelta(hours=1)
    assert granted.access_token not in repr(granted)
    assert granted.refresh_token not in repr(granted)


def test_person_is_asked_with_pkce_a_state_and_a_nonce_that_differ_each_time(ask: Any) -> None:
    first, second = said(ask()), said(ask())
    assert first["code_challenge_method"] == "S256"
    assert first["response_type"] == "code"
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 43
        assert first[name] != second[name]


def test_verifier_goes_to_the_token_endpoint_alone(google: Provider, ask: Any, come_back: Any) -> None:
    address = ask()
    come_back(google.consent(address, "ada-1"))
    [form] = google.asked
    assert len(form["code_verifier"]) >= 43
    assert form["code_verifier"] not in address
    assert "our-secret" not in address


def test_refresh_token_is_asked_for_only_where_it_is_wanted(ask: Any) -> None:
    assert said(ask())["access_type"] == "online"
    offline = said(ask(offline=True, login_hint="ada@example.com"))
    assert (offline["access_type"], offline["prompt"]) == ("offline", "consent")
    assert offline["login_hint"] == "ada@example.com"


def test_answer_is_good_once(google: Provider, ask: Any, come_back: Any) -> None:
    back = google.consent(ask(), "ada-1")
    come_back(back)
    assert refused(come_back, back).code == "consent_stale"
    assert len(google.asked) == 1


def test_answer_that_was_not_believed_is_not_tried_again(google: Provider, ask: Any, come_back: Any) -> None:
    google.edit = lambda claims: {**claims, "nonce": "another"}
    back = google.consent(ask(), "ada-1")
    assert refused(come_back, back).code == "consent_failed"
    google.edit = None
    assert refused(come_back, back).code == "consent_stale"


@pytest.mark.parametrize("state", ["", "tampered", "ü"])
def test_answer_with_another_state_is_not_looked_at(google: Provider, ask: Any, come_back: Any, state: str) -> None:
    back = google.consent(ask(), "ada-1")
    assert refused(come_back, back.replace(said(back)["state"], state)).code == "consent_stale"
    assert not google.asked
    come_back(back)


def test_answer_belongs_to_the_browser_that_asked(google: Provider, ask: Any, us: OAuthClient) -> None:
    back = google.consent(ask(), "ada-1")
    with pytest.raises(ConsentError, match="consent_stale"):
        finish(visit(back, SessionStore()), us, purpose="sign-in", redirect_uri=HERE)


def test_answer_is_for_one_purpose(google: Provider, ask: Any, come_back: Any) -> None:
    back = google.consent(ask("connect"), "ada-1")
    assert refused(come_back, back, purpose="sign-in").code == "consent_stale"
    assert come_back(back, purpose="connect").id_claims["sub"] == "ada-1"


def test_several_tabs_each_end_their_own_round(google: Provider, ask: Any, come_back: Any) -> None:
    tabs = [ask(keeps={"tab": tab}) for tab in range(ROUNDS)]
    for tab in (2, 0, 1):
        assert come_back(google.consent(tabs[tab], "ada-1")).keeps == {"tab": tab}


def test_oldest_of_many_rounds_is_forgotten(google: Provider, ask: Any, come_back: Any) -> None:
    tabs = [ask() for _ in range(ROUNDS + 1)]
    assert refused(come_back, google.consent(tabs[0], "ada-1")).code == "consent_stale"
    come_back(google.consent(tabs[1], "ada-1"))


def test_round_that_took_too_long_is_over(google: Provider, ask: Any, come_back: Any, session: SessionBase) -> None:
    back = google.consent(ask(), "ada-1")
    for each in session["openid:sign-in"]:
        each["begun"] -= LIFETIME.total_seconds()
    assert refused(come_back, back).code == "consent_stale"


def test_refusal_keeps_what_the_round_had_kept(google: Provider, ask: Any, come_back: Any) -> None:
    error = refused(come_back, google.refuse(ask(keeps={"next": "/jobs/7/"})))
    assert (error.code, error.keeps) == ("consent_refused", {"next": "/jobs/7/"})


def test_scope_that_was_unticked_is_named(google: Provider, ask: Any, come_back: Any) -> None:
    google.unticked = {"email"}
    error = refused(come_back, google.consent(ask(keeps={"a": 1}), "ada-1"))
    assert (error.code, error.params, error.keeps) == ("consent_scopes", {"missing": "email"}, {"a": 1})


def test_scope_that_is_only_wished_for_may_be_left_out(google: Provider, ask: Any, come_back: Any) -> None:
    google.unticked = {"profile"}
    assert "profile" not in come_back(google.consent(ask(wishes=["profile"]), "ada-1")).scopes


def test_google_may_call_a_scope_by_its_other_name(google: Provider, ask: Any, come_back: Any) -> None:
    back = google.consent(ask(scopes=("openid", "email")), "ada-1")
    google.renamed = {"email": "https://www.googleapis.com/auth/userinfo.email"}
    come_back(back)


WRONG: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another nonce": lambda claims: {**claims, "nonce": "another"},
    "no nonce": lambda claims: {name: value for name, value in claims.items() if name != "nonce"},
    "another audience": lambda claims: {**claims, "aud": "somebody-else"},
    "several audiences and nobody who asked": lambda claims: {**claims, "aud": ["us", "somebody-else"]},
    "asked for by another": lambda claims: {**claims, "azp": "somebody-else"},
    "another issuer": lambda claims: {**claims, "iss": "https://evil.example"},
    "too old": lambda claims: {**claims, "exp": time.time() - 120},
    "from the future": lambda claims: {**claims, "iat": time.time() + 600},
    "no subject": lambda claims: {name: value for name, value in claims.items() if name != "sub"},
    "a subject that is no text": lambda claims: {**claims, "sub": 7},
    "no end": lambda claims: {name: value for name, value in claims.items() if name != "exp"},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_id_token_is_not_believed(google: Provider, ask: Any, come_back: Any, wrong: str) -> None:
    google.edit = WRONG[wrong]
    assert refused(come_back, google.consent(ask(), "ada-1")).code == "consent_failed"


def test_id_token_for_several_is_believed_where_we_asked_for_it(google: Provider, ask: Any, come_back: Any) -> None:
    google.edit = lambda claims: {**claims, "aud": ["us", "somebody-else"], "azp": "us"}
    come_back(google.consent(ask(), "ada-1"))


def test_id_token_that_somebody_else_signed_is_not_believed(google: Provider, ask: Any, come_back: Any) -> None:
    google.key = rsa.generate_private_key(65537, 2048)
    assert refused(come_back, google.consent(ask(), "ada-1")).code == "consent_failed"


def test_code_of_another_provider_goes_nowhere(google: Provider, ask: Any, come_back: Any) -> None:
    back = google.consent(ask(), "ada-1") + "&iss=https%3A%2F%2Fevil.example"
    assert refused(come_back, back).code == "consent_failed"
    assert not google.asked


ANSWERS: dict[str, tuple[Callable[[], Any], str]] = {
    "HTML": (lambda: flask.make_response("<h1>Hello</h1>"), "consent_failed"),
    "half of it": (lambda: flask.make_response('{"access_token": "ya29'), "consent_failed"),
    "a list": (lambda: flask.make_response("[]"), "consent_failed"),
    "wrong types": (lambda: flask.make_response({"access_token": 7}), "consent_failed"),
    "a wrong time": (lambda: flask.make_response({"access_token": "a", "expires_in": []}), "consent_failed"),
    "no ID token": (lambda: flask.make_response({"access_token": "a", "token_type": "Bearer"}), "consent_failed"),
    "an ID token that is none": (lambda: flask.make_response({"access_token": "a", "id_token": "x"}), "consent_failed"),
    "the client is not known": (lambda: flask.make_response({"error": "invalid_client"}, 401), "consent_failed"),
    "elsewhere": (lambda: flask.redirect("https://evil.example/", 307), "consent_failed"),
    "500": (lambda: flask.make_response("broken", 500), "consent_unreachable"),
    "503": (lambda: flask.make_response({"error": "busy"}, 503), "consent_unreachable"),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_bad_answer_is_told_in_words(google: Provider, ask: Any, come_back: Any, answer: str) -> None:
    google.answer, code = ANSWERS[answer]
    assert refused(come_back, google.consent(ask(), "ada-1")).code == code


def test_provider_that_is_gone_is_told_in_words(google: Provider, ask: Any, come_back: Any, us: OAuthClient) -> None:
    back = google.consent(ask(), "ada-1")
    gone = f"http://127.0.0.1:{free_port()}/token"
    who = OAuthClient(id="us", issuer=us.issuer, token_endpoint=gone)
    assert refused(come_back, back, who=who).code == "consent_unreachable"


def test_provider_that_is_silent_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "TIMEOUT", (0.2, 0.2))
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(ConsentError) as caught:
        OAuthClient.discovered(f"http://127.0.0.1:{silent.getsockname()[1]}", "us", "")
    assert caught.value.code == "consent_unreachable"
