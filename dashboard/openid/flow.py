"""The round to a provider and back, for signing in and for connecting accounts: OAuth 2.0's authorization code, with
PKCE (RFC 7636) and, where ``openid`` is among the scopes, an ID token that answers a nonce.

::

    return redirect(begin(request, client, purpose="connect", scopes=SCOPES, redirect_uri=…, keeps={"pk": 7}))
    …
    granted = finish(request, client, purpose="connect", redirect_uri=…)

What a round needs at its end is kept in the session under its purpose, for one use and :data:`LIFETIME`. Several may
be under way in as many tabs.
"""

import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import requests
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from google_auth_oauthlib.flow import Flow
from oauthlib.oauth2 import OAuth2Error

from dashboard.openid.client import TIMEOUT, OAuthClient
from dashboard.openid.errors import ConsentError
from dashboard.openid.id_tokens import verified

LIFETIME = timedelta(minutes=15)
"""For how long somebody may think about what the provider asks them."""
ROUNDS = 8
"""How many rounds of one purpose may be under way in a session; the oldest is forgotten."""
LASTS = timedelta(minutes=5)
"""For how long an access token is taken to be good of which the provider does not say it."""

_SAME = {"email": "https://www.googleapis.com/auth/userinfo.email"}
_SAME |= {"profile": "https://www.googleapis.com/auth/userinfo.profile"}
"""Scopes that Google calls by another name when it grants them."""

# Two of oauthlib's checks are done here: addresses are https, or http on this machine (:mod:`dashboard.openid.client`);
# what was un-ticked is told in words.
os.environ |= {"OAUTHLIB_INSECURE_TRANSPORT": "1", "OAUTHLIB_RELAX_TOKEN_SCOPE": "1"}


@dataclass(frozen=True, kw_only=True)
class Granted:
    """What a person allowed us. ``id_claims`` is verified, and empty where no ID token was asked for."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    """Empty where the provider gave none."""
    expires: datetime
    scopes: frozenset[str]
    id_claims: dict[str, Any]
    keeps: dict[str, Any]


def begin(
    request: HttpRequest,
    client: OAuthClient,
    *,
    purpose: str,
    scopes: Iterable[str],
    redirect_uri: str,
    keeps: Mapping[str, Any],
    offline: bool = False,
    login_hint: str = "",
    wishes: Iterable[str] = (),
    **more: str,
) -> str:
    """The address at which the provider asks the person. ``keeps`` (JSON) comes back with the answer. ``offline`` asks
    for a refresh token; ``wishes`` are scopes that need not be granted; ``more`` is for the provider, like ``prompt``.
    """
    scopes = tuple(scopes)
    flow = _flow(client, (*scopes, *wishes), redirect_uri, secrets.token_urlsafe(64))
    state, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    if offline:  # Google gives a refresh token with the first consent alone, unless it is asked to ask again
        more = {"access_type": "offline", "prompt": "consent", **more}
    asked = {"access_type": "online", "nonce": nonce, "login_hint": login_hint, **more}
    address, _state = flow.authorization_url(state=state, **asked)
    this = {"state": state, "verifier": flow.code_verifier, "nonce": nonce, "scopes": scopes, "keeps": dict(keeps)}
    rounds = _under_way(request, purpose)[1 - ROUNDS :]
    request.session[_name(purpose)] = [*rounds, {**this, "begun": timezone.now().timestamp()}]
    return str(address)


def finish(request: HttpRequest, client: OAuthClient, *, purpose: str, redirect_uri: str) -> Granted:
    """What the person allowed, by the address that the provider sent them back to. Raises ``ConsentError``."""
    this = _taken(request, purpose)
    try:
        _check_answer(request, client)
        return _exchanged(request, client, this, redirect_uri)
    except ConsentError as error:
        error.keeps = this["keeps"]
        raise


def _under_way(request: HttpRequest, purpose: str) -> list[dict[str, Any]]:
    since = (timezone.now() - LIFETIME).timestamp()
    return [each for each in request.session.get(_name(purpose), []) if each["begun"] >= since]


def _taken(request: HttpRequest, purpose: str) -> dict[str, Any]:
    """The round that the answer belongs to, which is then over: saved at once, so that no second answer finds it."""
    state, rounds = request.GET.get("state", ""), _under_way(request, purpose)
    this = next((each for each in rounds if constant_time_compare(each["state"], state)), None)
    if this is None:
        raise ConsentError("consent_stale")
    request.session[_name(purpose)] = [each for each in rounds if each is not this]
    request.session.save()
    return this


def _check_answer(request: HttpRequest, client: OAuthClient) -> None:
    """Raises ``ConsentError`` where it is no code of ``client``'s provider."""
    issuer = request.GET.get("iss", client.issuer)  # RFC 9207: an answer of another provider goes to no other
    if not constant_time_compare(issuer, client.issuer):
        raise ConsentError("consent_failed", detail="the answer is another provider's")
    if error := request.GET.get("error"):
        refused = error in {"access_denied", "consent_required", "interaction_required", "login_required"}
        raise ConsentError("consent_refused" if refused else "consent_failed", detail=error)
    if not request.GET.get("code"):
        raise ConsentError("consent_failed", detail="neither a code nor an error")


def _exchanged(request: HttpRequest, client: OAuthClient, this: dict[str, Any], redirect_uri: str) -> Granted:
    """The code for tokens."""
    flow = _flow(client, this["scopes"], redirect_uri, this["verifier"])
    said = _tokens(flow, client, request.GET["code"])
    scopes = frozenset(said.get("scope") or this["scopes"])
    if missing := _missing(this["scopes"], scopes):
        raise ConsentError("consent_scopes", missing=", ".join(missing))
    return Granted(
        access_token=said["access_token"],
        refresh_token=said.get("refresh_token") or "",
        expires=_expires(said.get("expires_in")),
        scopes=scopes,
        id_claims=_claims(client, this, said.get("id_token") or ""),
        keeps=this["keeps"],
    )


def _tokens(flow: Flow, client: OAuthClient, code: str) -> dict[str, Any]:
    """What the token endpoint gives for ``code``."""
    flow.oauth2session.max_redirects = 0  # code, verifier and secret are for the token endpoint alone
    flow.oauth2session.register_compliance_hook("access_token_response", _checked)
    try:
        return dict(flow.fetch_token(code=code, timeout=TIMEOUT, include_client_id=client.posts_secret))
    except requests.TooManyRedirects:
        raise ConsentError("consent_failed", detail="the token endpoint leads elsewhere") from None
    except requests.RequestException as error:
        raise ConsentError("consent_unreachable", detail=type(error).__name__) from None
    except (OAuth2Error, ValueError) as error:
        raise ConsentError("consent_failed", detail=str(getattr(error, "error", ""))) from None


def _checked(answer: requests.Response) -> requests.Response:
    """A token endpoint's ``answer``, if all in it is of the right type (RFC 6749, sections 5.1 and 5.2)."""
    if answer.status_code >= 500:
        raise ConsentError("consent_unreachable", detail=f"HTTP {answer.status_code}")
    try:
        said = answer.json()
    except ValueError:
        said = None
    strings = ("access_token", "refresh_token", "id_token", "scope", "error")
    if not isinstance(said, dict) or not all(isinstance(said.get(name), str | None) for name in strings):
        raise ConsentError("consent_failed", detail=f"HTTP {answer.status_code}, no tokens")
    return answer


def _missing(asked: Iterable[str], granted: frozenset[str]) -> list[str]:
    return [scope for scope in asked if not granted & {scope, _SAME.get(scope, scope)}]


def _claims(client: OAuthClient, this: dict[str, Any], id_token: str) -> dict[str, Any]:
    if not id_token and "openid" not in this["scopes"]:
        return {}
    return verified(client, id_token, this["nonce"])


def _expires(seconds: int | None) -> datetime:
    return timezone.now() + (timedelta(seconds=min(seconds, 10**8)) if seconds and seconds > 0 else LASTS)


def _flow(client: OAuthClient, scopes: Iterable[str], redirect_uri: str, verifier: str) -> Flow:
    return Flow.from_client_config(
        client.for_flow, scopes=list(scopes), redirect_uri=redirect_uri, code_verifier=verifier
    )


def _name(purpose: str) -> str:
    """Of the place in the session."""
    return f"openid:{purpose}"
