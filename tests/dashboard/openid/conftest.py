"""A provider on this machine, and people it vouches for."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from tests.dashboard.openid.provider import Provider, provider


@pytest.fixture
def google() -> Iterator[Provider]:
    """The provider; Ada has an account there."""
    cache.clear()
    with provider() as google:
        google.people["ada-1"] = {"email": "ada@example.com", "email_verified": True, "name": "Ada Lovelace"}
        yield google
