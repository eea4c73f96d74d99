"""A provider of accounts that answers on this machine, and a connection that is asked in each person's own name."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from dashboard.accounts.models import User
from dashboard.connections.models import Account, Connection
from tests.dashboard.openid.provider import Provider, provider
from tests.factories import UserFactory
from tests.google.cloud import Cloud


@pytest.fixture
def google() -> Iterator[Provider]:
    """Alice has two accounts there."""
    cache.clear()
    with provider() as google:
        for who in ("ada", "bob"):
            google.people[who] = {"email": f"{who}@example.com", "email_verified": True}
        yield google


@pytest.fixture
def shared(google: Provider, settings: Settings) -> Connection:
    """A Gemini API connection that each person asks in their own name."""
    settings.OPENID_ISSUER, settings.SITE_URL = google.url, "http://testserver"
    settings.OPENID_CLIENT_ID, settings.OPENID_CLIENT_SECRET = "us", "our-secret"
    return Connection.objects.create(kind="gemini", name="Gemini", base_url="http://localhost:9", proof="own")


@pytest.fixture
def connect(google: Provider, shared: Connection, browser: Client) -> Callable[..., HttpResponse]:
    """What Alice sees after she agreed as ``who``."""

    def connect(who: str = "ada") -> HttpResponse:
        to_provider = browser.get(f"/connections/{shared.pk}/connect/")
        assert to_provider.status_code == 302, to_provider.text
        return browser.get(google.consent(to_provider["Location"], who), follow=True)

    return connect


@pytest.fixture
def own(cloud: Cloud) -> Connection:
    """One whose people connected their accounts by a client of its own at the stand-in for Google."""
    addresses = {"token_uri": f"{cloud.url}/token", "revocation_endpoint": f"{cloud.url}/revoke"}
    web = {"client_id": cloud.tokens.client_id, "client_secret": cloud.tokens.client_secret, **addresses}
    made = Connection(kind="gemini", name="Own", base_url=cloud.url, proof="own")
    made.oauth_client = json.dumps({"web": web})
    made.save()
    return made


@pytest.fixture
def account(cloud: Cloud, own: Connection, alice: User) -> Account:
    """Alice's; its access token has ended."""
    return ended(own, alice, cloud)


def ended(connection: Connection, person: User, cloud: Cloud) -> Account:
    return Account.objects.create(
        connection=connection,
        person=person,
        subject="1",
        email="alice@gmail.example",
        access_token="old",
        refresh_token=cloud.tokens.grant(),
        expires=timezone.now() - timedelta(minutes=1),
    )


@pytest.fixture
def administrator(client: Client) -> Client:
    client.force_login(UserFactory(administrator=True, email="root@example.com"))
    return client
