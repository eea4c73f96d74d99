"""Who we are to Google when people connect their accounts."""

import json
from urllib.parse import urlsplit

from django.conf import settings

from dashboard.connections.models import Connection
from dashboard.openid.client import GOOGLE, OAuthClient, is_offered, our_client
from dashboard.openid.errors import ConsentError
from tuning.errors import Unauthenticated, Unreachable


def has_client(base_url: str) -> bool:
    """Whether the client that people sign in by serves a connection to ``base_url``: it must be Google's, or of a
    provider at that very host. Another's means nothing there, and people would show it to the wrong one.
    """
    issuer = settings.OPENID_ISSUER.rstrip("/")
    return is_offered() and (issuer == GOOGLE or is_of(base_url, issuer))


def client_of(connection: Connection) -> OAuthClient:
    """The connection's own client, else the one that people sign in by. Raises ``Unauthenticated``
    (``oauth_client_missing``) and ``Unreachable``.
    """
    try:
        if connection.oauth_client:
            return OAuthClient.of_json(connection.oauth_client)
        if has_client(connection.base_url):
            return our_client()
    except ConsentError as error:
        raise Unreachable(detail=error.detail) from None
    except ValueError:
        pass
    raise Unauthenticated("oauth_client_missing")


def read_client(text: str, base_url: str) -> str:
    """``client_secret.json`` as it is kept: without what we do not need. Its addresses must be Google's, or stand at
    the host of ``base_url`` where the service is not Google. Raises ``ValueError``.
    """
    client = OAuthClient.of_json(text)
    addresses = {
        "auth_uri": client.authorization_endpoint,
        "token_uri": client.token_endpoint,
        "issuer": client.issuer,
        "revocation_endpoint": client.revocation_endpoint,
        "jwks_uri": client.jwks_uri,
    }
    if not all(is_googles(address) or is_of(base_url, address) for address in addresses.values()):
        raise ValueError("addresses that are not Google’s")
    return json.dumps({"web": {"client_id": client.id, "client_secret": client.secret, **addresses}})


def is_googles(address: str) -> bool:
    """Whether ``address`` is one of Google's own."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    return parts.scheme == "https" and (host == urlsplit(GOOGLE).hostname or host.endswith(".googleapis.com"))


def is_of(base_url: str, address: str) -> bool:
    """Whether ``address`` is at the host of ``base_url``, which is not Google's."""
    host = urlsplit(base_url).hostname
    return bool(host) and host == urlsplit(address).hostname
