"""Service accounts of Google Cloud: the JSON key that administrators upload, and the tokens it gives."""

import json
from threading import Lock
from typing import Any

import requests
from cryptography.exceptions import UnsupportedAlgorithm
from google.auth.exceptions import GoogleAuthError, MalformedError, RefreshError, TransportError
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials

from dashboard.connections.clients import is_googles, is_of
from dashboard.connections.models import Connection
from dashboard.openid.client import TIMEOUT, is_safe
from tuning.errors import Unauthenticated, Unavailable, Unreachable
from tuning.providers import scopes

GOOGLES = "https://oauth2.googleapis.com/token"
KEPT = ("type", "project_id", "private_key_id", "private_key", "client_email", "client_id", "token_uri")
LONGEST = 20_000

_known: dict[tuple[int, str], tuple[Credentials, Lock]] = {}
"""By connection and key, in the memory of this process only; who has the lock asks for a new token."""


def token(connection: Connection) -> str:
    """An access token of the connection's service account. Raises ``Unauthenticated`` and ``Unavailable``."""
    credentials, lock = _credentials(connection)
    try:
        with lock:
            if not credentials.valid:
                credentials.refresh(_Asking())  # type: ignore[no-untyped-call]
    except TransportError as error:
        raise Unreachable(detail=f"the token endpoint: {type(error).__name__}") from None
    except RefreshError as error:
        if error.retryable:
            raise Unavailable(detail="the token endpoint") from None
        raise Unauthenticated("service_account_refused") from None
    return str(credentials.token)


def read_key(text: str, base_url: str) -> str:
    """A JSON key as it is kept: without what we do not need. Raises ``ValueError`` for what is no such key, or would
    be shown to somebody else than Google, or the host of ``base_url``.
    """
    said = json.loads(text) if len(text) <= LONGEST else None
    if not isinstance(said, dict) or said.get("type") != "service_account":
        raise ValueError("no key of a service account")
    key = {name: said[name] for name in KEPT if isinstance(said.get(name), str)}
    address = key.setdefault("token_uri", GOOGLES)
    if not is_googles(address) and not (is_of(base_url, address) and is_safe(address)):
        raise ValueError("a token address that is not Google’s")
    if "@" not in key.get("client_email", ""):
        raise ValueError("no e-mail")
    try:
        _of(key)
    except (GoogleAuthError, MalformedError, UnsupportedAlgorithm, TypeError) as error:
        raise ValueError("no private key") from error
    return json.dumps(key)


def email_of(connection: Connection) -> str:
    """Whose name the connection asks in; empty without a key."""
    return str(json.loads(connection.service_account)["client_email"]) if connection.service_account else ""


def _credentials(connection: Connection) -> tuple[Credentials, Lock]:
    if not connection.service_account:
        raise Unauthenticated("service_account_missing")
    name = (connection.pk, connection.service_account)
    if (found := _known.get(name)) is None:
        for old in [old for old in list(_known) if old[0] == connection.pk]:
            _known.pop(old, None)
        key = json.loads(connection.service_account)
        credentials = _of(key, scopes=scopes(connection.kind))
        found = _known.setdefault(name, (credentials, Lock()))
    return found


def _of(key: dict[str, str], **more: Any) -> Credentials:
    return Credentials.from_service_account_info(key, **more)  # type: ignore[no-untyped-call, no-any-return]


class _Asking(Request):
    """google-auth's way to ask, which follows no redirect."""

    def __init__(self) -> None:
        session = requests.Session()
        session.max_redirects = 0
        super().__init__(session)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(*args, **{**kwargs, "timeout": TIMEOUT})  # type: ignore[no-untyped-call]
