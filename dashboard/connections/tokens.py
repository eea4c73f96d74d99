"""Access tokens: by whose right a service is asked, fresh at every call.

A person's token is kept, encrypted, in their :class:`Account`, and exchanged for a new one a while before it ends. Of
all processes one does that: it claims the row by an UPDATE, the others take the old token while it lasts, else wait
for the row. Tokens go to the provider's token endpoint and to the service, and nowhere else.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import requests
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.connections import service_accounts
from dashboard.connections.clients import client_of
from dashboard.connections.models import EARLY, LEASE, Account, Connection
from dashboard.openid.client import TIMEOUT, OAuthClient
from dashboard.openid.flow import Granted
from tuning.errors import BadAnswer, TimedOut, Unauthenticated, Unavailable, Unreachable

LAST_USE = timedelta(seconds=20)
"""A token that lasts no longer is not taken any more: the request that it goes with takes a while."""
PATIENCE = 35.0
"""Seconds that somebody waits for another's exchange; longer than :data:`LEASE`."""
PAUSE = 0.05
LASTS = 300
"""Seconds for which a token is taken to be good of which the provider does not say it."""
LONGEST = 10**6


def source(connection: Connection, user: User) -> Callable[[], str] | None:
    """What gives ``user`` an access token for ``connection`` whenever it is called; ``None`` where none is needed."""
    if connection.proof == Connection.Proof.OWN:
        return lambda: of_person(connection, user)
    if connection.proof == Connection.Proof.SERVICE_ACCOUNT:
        return lambda: service_accounts.token(connection)
    return None


QUIET = {"connect_account", "reconnect", "connection_closed"}
"""Codes of what is no fault of a service: it is a person's turn, and nobody has to read of it again and again."""


def needed(connection: Connection, user: User) -> None:
    """Raises ``Unauthenticated`` where ``user`` must connect an account before anything can be asked."""
    if connection.wants_account:
        account = connection.account_of(user)
        if account is None or not account.is_connected:
            raise _wanting(connection, account)


def of_person(connection: Connection, user: User) -> str:
    """An access token of the account that ``user`` connected. Raises ``Unauthenticated`` with code ``connect_account``
    or ``reconnect`` where there is none, and ``Unavailable`` where the provider gives no answer.
    """
    until = time.monotonic() + PATIENCE
    while True:
        account = connection.account_of(user)
        if account is None or not account.is_connected:
            raise _wanting(connection, account)
        left = account.expires - timezone.now()
        if left > EARLY:
            return account.access_token
        lease = timezone.now() + LEASE
        if Account.objects.claim(account, lease):
            return _renewed(account, lease, is_good=left > LAST_USE)
        if left > LAST_USE:
            return account.access_token
        if time.monotonic() > until:
            raise TimedOut(detail="another process did not get a new token")
        time.sleep(PAUSE)


def keep(connection: Connection, person: User, granted: Granted) -> Account:
    """Keep what ``person`` allowed. A refresh token that did not come again stays the old one."""
    told = {
        "state": Account.State.CONNECTED,
        "subject": str(granted.id_claims.get("sub", ""))[:255],
        "email": str(granted.id_claims.get("email", ""))[:254],
        "scopes": sorted(granted.scopes),
        "access_token": granted.access_token,
        "expires": granted.expires,
        "refreshing": None,
        "since": timezone.now(),
    }
    before = connection.account_of(person)
    is_same = before is not None and before.subject == told["subject"]
    if granted.refresh_token or not is_same:
        told["refresh_token"] = granted.refresh_token
    account, _is_new = Account.objects.update_or_create(connection=connection, person=person, defaults=told)
    return account


def forget(account: Account, by: Any, *, patiently: bool = False) -> bool:
    """Revoke what the account allowed us, and forget it: whether the provider confirmed it or not, which is returned.
    ``patiently``: raises ``Unavailable`` where the provider gives no answer, and then nothing is forgotten.
    """
    try:
        is_revoked = revoke(account)
    except Unavailable:
        if patiently:
            raise
        is_revoked = False
    with transaction.atomic():
        if Account.objects.filter(pk=account.pk).delete()[0]:
            audit.record(by, "account.disconnected", account.connection, account=account.email)
    return is_revoked


def revoke(account: Account) -> bool:
    """Have the provider take the tokens back (RFC 7009). False where it refused. Raises ``Unavailable``."""
    token = account.refresh_token or account.access_token
    try:
        client = client_of(account.connection)
    except Unauthenticated:
        return False
    if not (token and client.revocation_endpoint):
        return not token
    answer = _posted(client, client.revocation_endpoint, token=token)
    # Google says 400 of a token that is no good any more: there is nothing left to take back.
    return answer.status_code == requests.codes.ok or _said(answer).get("error") == "invalid_token"


def _renewed(account: Account, lease: Any, *, is_good: bool) -> str:
    """A new access token by the refresh token. Without an answer the old one serves where it ``is_good`` yet."""
    mine = Account.objects.filter(pk=account.pk, refreshing=lease)
    try:
        said = _exchanged(account)
    except Unavailable:
        mine.update(refreshing=None)
        if is_good:
            return account.access_token
        raise
    except Unauthenticated as refusal:
        _dropped(account, mine, refusal)
        raise
    seconds = said.get("expires_in")
    lasts = min(seconds, LONGEST) if isinstance(seconds, int) and seconds > 0 else LASTS
    fresh = {"access_token": said["access_token"], "expires": timezone.now() + timedelta(seconds=lasts)}
    if said.get("refresh_token"):
        fresh["refresh_token"] = said["refresh_token"]
    mine.update(**fresh, refreshing=None)
    return str(said["access_token"])


def _exchanged(account: Account) -> dict[str, Any]:
    """The token endpoint's answer. Raises ``Unauthenticated`` and ``Unavailable``."""
    if not account.refresh_token:
        raise _wanting(account.connection, account)
    client = client_of(account.connection)
    answer = _posted(client, client.token_endpoint, grant_type="refresh_token", refresh_token=account.refresh_token)
    said = _said(answer)
    if answer.status_code == requests.codes.ok and isinstance(said.get("access_token"), str):
        return said
    if said.get("error") == "invalid_grant":
        raise _wanting(account.connection, account)
    if said.get("error") in {"invalid_client", "unauthorized_client", "deleted_client"}:
        raise Unauthenticated("oauth_client_refused", detail=str(said["error"]))
    raise BadAnswer(detail=f"the token endpoint: HTTP {answer.status_code}")


def _dropped(account: Account, mine: Any, refusal: Unauthenticated) -> None:
    """Note that the account is of no use until it is connected anew. A client that is refused is no fault of it."""
    if refusal.code != "reconnect":
        mine.update(refreshing=None)
        return
    with transaction.atomic():
        gone = {"access_token": "", "refresh_token": "", "refreshing": None}
        if mine.update(state=Account.State.RECONNECT, **gone):
            about = {"person": account.person.email, "account": account.email}
            audit.record(None, "account.reconnect", account.connection, **about)


def _posted(client: OAuthClient, address: str, **form: str) -> requests.Response:
    """The answer of one of the provider's endpoints; no redirect is followed. Raises ``Unavailable``."""
    if client.posts_secret:
        form |= {"client_id": client.id, "client_secret": client.secret}
    auth = None if client.posts_secret else (client.id, client.secret)
    try:
        answer = requests.post(address, data=form, auth=auth, timeout=TIMEOUT, allow_redirects=False)
    except requests.Timeout:
        raise TimedOut(detail="the token endpoint") from None
    except requests.RequestException as error:
        raise Unreachable(detail=f"the token endpoint: {type(error).__name__}") from None
    if answer.status_code >= requests.codes.server_error or answer.status_code == requests.codes.too_many:
        raise Unavailable(detail=f"the token endpoint: HTTP {answer.status_code}")
    return answer


def _said(answer: requests.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _wanting(connection: Connection, account: Account | None) -> Unauthenticated:
    code = "reconnect" if account else "connect_account"
    link = reverse("connections:connect", args=[connection.pk])
    return Unauthenticated(code, link=link, connection=str(connection))
