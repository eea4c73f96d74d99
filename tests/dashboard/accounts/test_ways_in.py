"""The link that the command line makes for somebody."""

from datetime import timedelta
from io import StringIO
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from dashboard.accounts import ways_in
from dashboard.accounts.models import User
from dashboard.audit.models import Entry
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    """Somebody who has no password."""
    user = UserFactory(email="ada@example.com")
    user.set_unusable_password()
    user.save()
    return user


def link_of(email: str) -> str:
    said = StringIO()
    call_command("sign_in_link", email, stdout=said)
    return urlsplit(said.getvalue().strip()).path


@pytest.mark.usefixtures("ada")
def test_link_lets_in_once_and_looking_uses_nothing_up(client: Client) -> None:
    link = link_of("Ada@Example.com")
    assert "Sign in as Alice" in client.get(link).text
    assert "_auth_user_id" not in client.session
    assert client.post(link)["Location"] == "/account/"
    assert "_auth_user_id" in client.session
    stranger = Client()
    assert stranger.get(link).status_code == 410
    assert stranger.post(link).status_code == 410
    assert [entry.event for entry in Entry.objects.all()] == ["person.way_in_used", "person.way_in_made"]


def test_link_is_void_once_sessions_are_ended(client: Client, ada: User) -> None:
    link = link_of("ada@example.com")
    ada.end_sessions()
    assert client.post(link).status_code == 410


def test_link_is_void_for_who_was_switched_off(client: Client, ada: User) -> None:
    link = link_of("ada@example.com")
    User.objects.update(is_active=False)
    assert client.post(link).status_code == 410


@pytest.mark.usefixtures("ada")
def test_link_is_void_after_an_hour(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    link = link_of("ada@example.com")
    monkeypatch.setattr(ways_in, "LIFETIME", timedelta(seconds=-1))
    assert client.post(link).status_code == 410


@pytest.mark.usefixtures("ada")
def test_tampered_link_lets_nobody_in(client: Client) -> None:
    link = link_of("ada@example.com")
    assert client.post(link[:-3] + "xx/").status_code == 410


@pytest.mark.parametrize("email", ["nobody@example.com", "gone@example.com"])
def test_no_link_is_made_for_who_is_not_there(email: str) -> None:
    UserFactory(email="gone@example.com", is_active=False)
    with pytest.raises(CommandError):
        link_of(email)
