"""A provider on this machine, and people it vouches for."""

from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from tests.dashboard.openid.provider import Provider, provider

BEGIN = "/sign-in/openid/"


@pytest.fixture
def google() -> Iterator[Provider]:
    """The provider; Ada has an account there."""
    cache.clear()
    with provider() as google:
        google.people["ada-1"] = {"email": "ada@example.com", "email_verified": True, "name": "Ada Lovelace"}
        yield google


@pytest.fixture
def offered(google: Provider, settings: Settings) -> Settings:
    """People may sign in by the provider; whom it vouches for gets an account."""
    settings.OPENID_ISSUER, settings.OPENID_NAME = google.url, "Google"
    settings.OPENID_CLIENT_ID, settings.OPENID_CLIENT_SECRET = "us", "our-secret"
    settings.OPENID_CREATES, settings.SITE_URL = True, "http://testserver"
    return settings


@pytest.fixture
def come(google: Provider, offered: Settings, client: Client) -> Callable[..., HttpResponse]:
    """What somebody sees who signs in as ``who`` at the provider, and agrees."""

    def come(who: str = "ada-1", begin: str = BEGIN, browser: Client = client, **query: str) -> HttpResponse:
        to_provider = browser.get(begin, query)
        assert to_provider.status_code == 302, to_provider.text
        return browser.get(google.consent(to_provider["Location"], who))

    return come
