"""Connecting one's account, over real HTTP to an OpenID provider: agreed, refused, un-ticked, anew, taken back."""

from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client

from dashboard.accounts.models import User
from dashboard.audit.models import Entry
from dashboard.connections.models import Account, Connection
from tests.dashboard.openid.provider import Provider
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

Connect = Callable[..., HttpResponse]


def test_account_is_connected_with_everything_that_is_needed(connect: Connect, alice: User, google: Provider) -> None:
    page = connect()
    assert "ada@example.com is connected." in page.text
    account = Account.objects.get(person=alice)
    assert (account.state, account.email, account.subject) == ("connected", "ada@example.com", "ada")
    assert account.refresh_token
    assert "https://www.googleapis.com/auth/generative-language.tuning" in account.scopes
    assert Entry.objects.filter(event="account.connected", person=alice).exists()


def test_refusal_is_told_and_changes_nothing(browser: Client, shared: Connection, google: Provider) -> None:
    address = browser.get(f"/connections/{shared.pk}/connect/")["Location"]
    page = browser.get(google.refuse(address))
    assert (page.status_code, "You did not agree" in page.text) == (400, True)
    assert f'href="/connections/{shared.pk}/connect/"' in page.text
    assert not Account.objects.exists()


def test_unticked_scope_is_named_and_asked_for_again(connect: Connect, google: Provider) -> None:
    google.unticked = {"https://www.googleapis.com/auth/generative-language.tuning"}
    page = connect()
    assert "Missing: tuned models of the Gemini API (generative-language.tuning)" in page.text
    assert "Grant again" in page.text
    assert not Account.objects.exists()
    google.unticked = set()
    assert "is connected" in connect().text


def test_answer_is_used_once(browser: Client, shared: Connection, google: Provider) -> None:
    back = google.consent(browser.get(f"/connections/{shared.pk}/connect/")["Location"], "ada")
    assert browser.get(back).status_code == 302
    assert "This round is over" in browser.get(back, follow=True).text


def test_answer_of_somebody_elses_round_is_no_use(browser: Client, shared: Connection, google: Provider) -> None:
    mallory = Client()
    mallory.force_login(UserFactory())
    back = google.consent(mallory.get(f"/connections/{shared.pk}/connect/")["Location"], "bob")
    assert "This round is over" in browser.get(back, follow=True).text
    assert not Account.objects.exists()


def test_code_that_comes_back_to_nobody_is_in_no_page(browser: Client, shared: Connection, google: Provider) -> None:
    back = google.consent(browser.get(f"/connections/{shared.pk}/connect/")["Location"], "ada")
    to_sign_in = Client().get(back)
    assert (to_sign_in.status_code, to_sign_in["Location"]) == (302, "/sign-in/?next=/connections/")


def test_another_account_than_before_is_told(connect: Connect, alice: User) -> None:
    connect("ada")
    assert "Before, it was ada@example.com" in connect("bob").text
    assert Account.objects.get(person=alice).subject == "bob"


def test_disconnecting_takes_it_back_at_the_provider(
    connect: Connect, browser: Client, shared: Connection, google: Provider
) -> None:
    connect()
    token = Account.objects.get().refresh_token
    page = browser.post(f"/connections/{shared.pk}/disconnect/", follow=True)
    assert "ada@example.com is disconnected." in page.text
    assert google.revoked == [token]
    assert not Account.objects.exists()
    assert Entry.objects.filter(event="account.disconnected").exists()


def test_connection_that_is_not_theirs_asks_nobody(browser: Client, shared: Connection) -> None:
    shared.access = "administrators"
    shared.save()
    assert browser.get(f"/connections/{shared.pk}/connect/").status_code == 404


def test_without_a_client_it_is_said_what_is_missing(browser: Client, shared: Connection, settings) -> None:
    settings.OPENID_CLIENT_ID = ""
    page = browser.get(f"/connections/{shared.pk}/connect/")
    assert "Nobody can connect an account here yet" in page.text


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    caplog.set_level("DEBUG", "dashboard")
    return lambda: caplog.text


def test_no_secret_is_seen_anywhere(
    connect: Connect, browser: Client, alice: User, google: Provider, logged: Callable[[], str]
) -> None:
    """Every code, verifier and token that went over the wire, looked for in everything that tells of it."""
    seen = [connect().text]
    account = Account.objects.get()
    shared = account.connection
    User.objects.filter(pk=alice.pk).update(is_administrator=True)
    Connection.objects.filter(pk=shared.pk).update(secret="an-api-key-that-nobody-sees")
    paths = ["", f"{shared.pk}/", f"{shared.pk}/edit/", f"{shared.pk}/remove/"]
    seen += [browser.get(f"/connections/{path}").text for path in paths]
    seen += [browser.get(path).text for path in ("/account/", "/jobs/new/", "/playground/", "/audit/", "/jobs/import/")]
    seen += [b"".join(browser.get(f"/audit/audit.{form}").streaming_content).decode() for form in ("json", "csv")]
    seen += [browser.post(f"/connections/{shared.pk}/test/").text]
    settings = shared.settings_for(alice)
    seen += [repr(account), str(account), repr(shared), repr(shared.open_for(alice)), repr(settings)]
    seen += [browser.post(f"/connections/{shared.pk}/disconnect/", follow=True).text, logged()]
    secrets = google.secrets | {account.refresh_token, "an-api-key-that-nobody-sees", "our-secret"}
    assert len(google.secrets) >= 4
    assert not [secret for secret in secrets for text in seen if secret in text]
