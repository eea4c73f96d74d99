"""Who we are to an OpenID provider, and where it answers: from the settings, or a file of Google's console."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured

from dashboard.openid.errors import ConsentError

GOOGLE = "https://accounts.google.com"
TIMEOUT = (5, 15)
"""Seconds for a connection to the provider, and for each wait for more of its answer."""
KEPT = 60 * 60
"""Seconds for which what a provider says of itself, and its keys, are believed without asking again."""


@dataclass(frozen=True, kw_only=True)
class OAuthClient:
    """What OAuth calls a client. Every address is https, or http on this machine; else ``ValueError``."""

    id: str
    secret: str = field(default="", repr=False)
    issuer: str = GOOGLE
    authorization_endpoint: str = "https://accounts.google.com/o/oauth2/v2/auth"
    token_endpoint: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    revocation_endpoint: str = "https://oauth2.googleapis.com/revoke"
    jwks_uri: str = "https://www.googleapis.com/oauth2/v3/certs"
    userinfo_endpoint: str = "https://openidconnect.googleapis.com/v1/userinfo"
    posts_secret: bool = True
    """Whether the secret goes into the form, as Google documents it, and not into a header."""

    def __post_init__(self) -> None:
        if not all(is_safe(address) for name in _ADDRESSES if (address := getattr(self, name))):
            raise ValueError("an address that is not https")

    @classmethod
    def of_json(cls, text: str) -> Self:
        """The client of a ``client_secret.json`` as Google's console gives it. What such a file does not say (issuer,
        keys, where tokens are revoked) is Google's, unless it is said all the same. Raises ``ValueError``.
        """
        said = _credentials(text)
        named = {"auth_uri": "authorization_endpoint", "token_uri": "token_endpoint"}
        named |= {name: name for name in _ADDRESSES}
        addresses = {field: said[name] for name, field in named.items() if isinstance(said.get(name), str)}
        return cls(id=said["client_id"], secret=said["client_secret"], **addresses)

    @classmethod
    def discovered(cls, issuer: str, id: str, secret: str) -> Self:  # noqa: A002 - what OAuth calls it
        """The client with what ``issuer`` says of itself (OpenID Connect Discovery). Raises ``ConsentError``."""
        said = asked_of(issuer.rstrip("/") + "/.well-known/openid-configuration")
        if str(said.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
            raise ConsentError("consent_failed", detail="the provider calls itself by another name than OPENID_ISSUER")
        addresses = {name: str(said.get(name) or "") for name in _ADDRESSES}
        # Basic is what a provider understands that says nothing (OpenID Connect Discovery, section 3).
        posts = "client_secret_post" in (said.get("token_endpoint_auth_methods_supported") or ())
        try:
            return cls(id=id, secret=secret, posts_secret=posts, **addresses)
        except ValueError as error:
            raise ConsentError("consent_failed", detail=f"the provider names {error}") from None

    def told_of(self, token: str) -> dict[str, Any]:
        """What the provider tells of whom the access ``token`` is of. Raises ``ConsentError``."""
        return _fetched(self.userinfo_endpoint, token)

    @cached_property
    def for_flow(self) -> dict[str, dict[str, str]]:
        """As google-auth-oauthlib wants it."""
        ends = {"auth_uri": self.authorization_endpoint, "token_uri": self.token_endpoint}
        return {"web": {"client_id": self.id, "client_secret": self.secret, **ends}}


_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "revocation_endpoint", "userinfo_endpoint")
_ADDRESSES = ("issuer", "jwks_uri", *_ENDPOINTS)


def is_safe(address: str) -> bool:
    """Whether what is said there stays between us and them."""
    parts = urlsplit(address)
    here = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and here))


def is_offered() -> bool:
    """Whether people can sign in by a provider here."""
    return bool(settings.OPENID_CLIENT_ID or settings.OPENID_CLIENT_JSON)


def our_client() -> OAuthClient:
    """The client that the settings name. Raises ``ConsentError`` where the provider cannot be asked who it is."""
    return OAuthClient.discovered(settings.OPENID_ISSUER, *_named_client())


def asked_of(address: str, *, anew: bool = False) -> dict[str, Any]:
    """The JSON object that a provider publishes at ``address``, at most an hour old. Raises ``ConsentError``."""
    kept = None if anew else cache.get(f"openid:{address}")
    if kept is None:
        cache.set(f"openid:{address}", kept := _fetched(address), KEPT)
    return dict(kept)


def _fetched(address: str, token: str = "") -> dict[str, Any]:
    if not is_safe(address):
        raise ConsentError("consent_failed", detail="an address that is not https")
    try:
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        answer = requests.get(address, headers=sent, timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException as error:
        raise ConsentError("consent_unreachable", detail=type(error).__name__) from None
    if answer.status_code >= 500:
        raise ConsentError("consent_unreachable", detail=f"HTTP {answer.status_code}")
    try:
        said = answer.json() if answer.status_code == 200 else None
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise ConsentError("consent_failed", detail=f"HTTP {answer.status_code}, no JSON object")
    return said


def _named_client() -> tuple[str, str]:
    """Id and secret: as they are set, else out of the file that is, which may be set by path or as its text."""
    said = settings.OPENID_CLIENT_JSON
    if settings.OPENID_CLIENT_ID or not said:
        return settings.OPENID_CLIENT_ID, settings.OPENID_CLIENT_SECRET
    try:
        credentials = _credentials(said if said.lstrip().startswith("{") else Path(said).read_text())
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured("OPENID_CLIENT_JSON is no client_secret.json of Google's console.") from error
    return credentials["client_id"], credentials["client_secret"]


def _credentials(text: str) -> dict[str, Any]:
    """What ``client_secret.json`` says of a web application. Raises ``ValueError``."""
    said = json.loads(text)
    web = said.get("web") if isinstance(said, dict) else None
    if not isinstance(web, dict) or not all(web.get(name) and isinstance(web[name], str) for name in _WANTED):
        raise ValueError("no credentials of a web application")
    return web


_WANTED = ("client_id", "client_secret")
