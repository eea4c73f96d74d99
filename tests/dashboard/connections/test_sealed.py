"""Secrets in the database: encrypted, and under the present key after it was changed."""

from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database
from pytest_django import Settings

from dashboard.connections.models import Connection
from dashboard.notices.models import Webhook
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
OLD, NEW, OTHER = "old-key" * 8, "new-key" * 8, "other-key" * 8


@pytest.fixture(autouse=True)
def forgetting() -> Iterator[None]:
    """Fields derive their keys once in a process, as a start does."""
    forget_keys()
    yield
    forget_keys()


def forget_keys() -> None:
    fields = [*Connection._meta.local_fields, *Webhook._meta.local_fields]
    for field in fields:
        field.__dict__.pop("keys", None)
        field.__dict__.pop("f", None)


def under(settings: Settings, *keys: str) -> None:
    """As the settings are with these keys, the present one first."""
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS, settings.SALT_KEY = keys[0], list(keys[1:]), list(keys)
    forget_keys()


def stored(column: str) -> str:
    with database.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM connections_connection WHERE name = 'Gemini'")
        return str(cursor.fetchone()[0])


def made() -> Connection:
    return Connection.objects.create(kind="gemini", name="Gemini", secret="an-api-key")


def test_secret_is_encrypted_and_nothing_is_nothing() -> None:
    made()
    assert stored("secret").startswith("gAAAA")
    assert stored("service_account") == ""
    assert Connection.objects.get(name="Gemini").secret == "an-api-key"


def test_changed_key_is_followed_and_the_old_one_can_go(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    under(settings, OLD)
    made()
    Webhook.objects.create(person=UserFactory(), url="https://example.com", secret="whsec_x")
    under(settings, NEW, OLD)
    assert Connection.objects.get(name="Gemini").secret == "an-api-key"
    call_command("reencrypt")
    assert "2 secrets" in capsys.readouterr().out
    under(settings, NEW)
    assert Connection.objects.get(name="Gemini").secret == "an-api-key"
    assert Webhook.objects.get().secret == "whsec_x"


def test_secret_that_no_key_opens_stays_and_is_told(settings: Settings) -> None:
    under(settings, OLD)
    made()
    before = stored("secret")
    under(settings, NEW, OTHER)
    assert Connection.objects.get(name="Gemini").secret == ""
    with pytest.raises(CommandError, match="1 secrets open by no key"):
        call_command("reencrypt")
    assert stored("secret") == before
