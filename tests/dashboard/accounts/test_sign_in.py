"""Coming in with e-mail and password, and how often one may try."""

import re
from datetime import timedelta
from io import BytesIO

import pytest
from django.conf import LazySettings
from django.contrib.sessions.models import Session
from django.db.models import F
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from dashboard.accounts import tasks, tries
from dashboard.accounts.models import SignInTry, User
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

SIGN_IN = "/sign-in/"


@pytest.fixture
def alice() -> User:
    return UserFactory(email="alice@example.com")


def sign_in(client: Client, email: str, password: str, **more: str) -> HttpResponse:
    return client.post(SIGN_IN, {"email": email, "password": password, **more})


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def as_shown(response: HttpResponse) -> str:
    """The page without what differs each time it is made."""
    return re.sub(r'(nonce|csrfmiddlewaretoken" value)="[^"]*"|X-CSRFToken": "\w+"', "", response.text)


def let_pass(time: timedelta) -> None:
    """As if the tries so far were that much older."""
    SignInTry.objects.update(time=F("time") - time)


@pytest.mark.parametrize("email", ["alice@example.com", "ALICE@Example.COM", " alice@example.com "])
def test_right_password_signs_in_whatever_the_case_of_the_email(client: Client, alice: User, email: str) -> None:
    response = sign_in(client, email, PASSWORD)
    assert response.status_code == 302
    assert client.session["_auth_user_id"] == str(alice.pk)


@pytest.mark.usefixtures("alice")
def test_wrong_password_and_unknown_person_get_the_same_words(client: Client) -> None:
    wrong = sign_in(client, "alice@example.com", "not the password")
    unknown = sign_in(client, "nobody@example.com", "not the password")
    assert "do not belong together" in wrong.text
    assert as_shown(wrong) == as_shown(unknown).replace("nobody@", "alice@")
    assert not is_in(client)


def test_email_stays_and_password_goes_after_a_mistake(client: Client) -> None:
    response = sign_in(client, "alice@example.com", "not the password")
    assert "alice@example.com" in response.text
    assert "not the password" not in response.text


def test_person_who_was_switched_off_cannot_sign_in(client: Client) -> None:
    UserFactory(email="gone@example.com", is_active=False)
    sign_in(client, "gone@example.com", PASSWORD)
    assert not is_in(client)


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/account/?a=b", "/account/?a=b"),
        ("https://evil.example/", "/jobs/"),
        ("//evil.example/", "/jobs/"),
        ("/\\evil.example", "/jobs/"),
        ("javascript:alert(1)", "/jobs/"),
        ("", "/jobs/"),
    ],
)
@pytest.mark.usefixtures("alice")
def test_next_leads_to_our_own_pages_only(client: Client, wanted: str, reached: str) -> None:
    response = sign_in(client, "alice@example.com", PASSWORD, next=wanted)
    assert response["Location"].startswith(reached)
    assert "evil" not in response["Location"]


def test_who_is_in_already_goes_straight_on(client: Client, alice: User) -> None:
    client.force_login(alice)
    response = client.get(SIGN_IN, {"next": "/account/"})
    assert response["Location"] == "/account/"


def test_page_sends_to_the_welcome_link_while_there_is_nobody(client: Client) -> None:
    assert "welcome link" in client.get(SIGN_IN).text
    UserFactory()
    assert "welcome link" not in client.get(SIGN_IN).text


@pytest.mark.parametrize("email", ["alice@example.com", "nobody@example.com"])
@pytest.mark.usefixtures("alice")
def test_too_many_wrong_passwords_for_one_email_must_wait(client: Client, email: str) -> None:
    for _try in range(tries.TRIES_FROM_ONE_ADDRESS):
        assert sign_in(client, email, "not the password").status_code == 200
    refused = sign_in(client, email.upper(), PASSWORD)
    assert refused.status_code == 429
    assert "in 15 minutes" in refused.text
    assert not is_in(client)


@pytest.mark.usefixtures("alice")
def test_trying_on_does_not_lengthen_the_wait(client: Client) -> None:
    for _try in range(tries.TRIES_FROM_ONE_ADDRESS):
        sign_in(client, "alice@example.com", "not the password")
    let_pass(timedelta(minutes=10))
    for _try in range(tries.TRIES_FROM_ONE_ADDRESS):
        assert "in 5 minutes" in sign_in(client, "alice@example.com", PASSWORD).text
    let_pass(timedelta(minutes=5))
    assert sign_in(client, "alice@example.com", PASSWORD).status_code == 302


@pytest.mark.usefixtures("alice")
def test_success_forgives_earlier_mistakes(client: Client) -> None:
    for _try in range(tries.TRIES_FROM_ONE_ADDRESS - 1):
        sign_in(client, "alice@example.com", "not the password")
    sign_in(client, "alice@example.com", PASSWORD)
    assert sign_in(Client(), "alice@example.com", "not the password").status_code == 200


def test_many_emails_from_one_address_must_wait_and_others_need_not(client: Client) -> None:
    for number in range(tries.TRIES_PER_ADDRESS):
        sign_in(client, f"person{number}@example.com", "a guess")
    assert sign_in(client, "one.more@example.com", "a guess").status_code == 429
    elsewhere = Client(REMOTE_ADDR="203.0.113.7")
    assert sign_in(elsewhere, "one.more@example.com", "a guess").status_code == 200


def test_email_of_a_try_is_not_kept(client: Client) -> None:
    sign_in(client, "typed.my.password.here@example.com", "a guess")
    assert "typed" not in str(SignInTry.objects.values())


@pytest.mark.parametrize(
    ("remote", "forwarded", "believed", "address"),
    [
        ("198.51.100.1", "", False, "198.51.100.1"),
        ("198.51.100.1", "203.0.113.9", False, "198.51.100.1"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.7", True, "198.51.100.7"),
        ("127.0.0.1", "", True, "127.0.0.1"),
        ("127.0.0.1", "<script>", True, "0.0.0.0"),
        ("", "", False, "0.0.0.0"),
        ("2001:db8:1:2:3:4:5:6", "", False, "2001:db8:1:2::"),
    ],
)
def test_address_counted_is_the_one_that_can_be_trusted(
    settings: LazySettings, remote: str, forwarded: str, believed: bool, address: str
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if believed else None
    request = RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded)
    assert tries.address_of(request) == address


@pytest.mark.usefixtures("alice")
def test_password_is_in_no_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    sign_in(client, "alice@example.com", "a very secret guess")
    assert "a very secret guess" not in caplog.text


@pytest.mark.parametrize("spelling", ["alice@ｅxample.com", "alice@exａmple.com", "ALICE@example.com"])
@pytest.mark.usefixtures("alice")
def test_another_spelling_of_the_email_is_no_further_try(client: Client, spelling: str) -> None:
    for _try in range(tries.TRIES_FROM_ONE_ADDRESS):
        sign_in(client, "alice@example.com", "not the password")
    assert sign_in(client, spelling, PASSWORD).status_code == 429


@pytest.mark.usefixtures("alice")
def test_guesses_from_elsewhere_do_not_keep_the_person_out(client: Client) -> None:
    for _try in range(tries.TRIES_FROM_ONE_ADDRESS):
        sign_in(Client(REMOTE_ADDR="203.0.113.7"), "alice@example.com", "a guess")
    assert sign_in(client, "alice@example.com", PASSWORD).status_code == 302


@pytest.mark.usefixtures("alice")
def test_guesses_from_everywhere_are_bounded_too(client: Client) -> None:
    for number in range(tries.TRIES_PER_EMAIL):
        sign_in(Client(REMOTE_ADDR=f"203.0.113.{number}"), "alice@example.com", "a guess")
    assert sign_in(client, "alice@example.com", PASSWORD).status_code == 429


def test_stranger_sends_nothing_large(client: Client) -> None:
    client.get(SIGN_IN)
    refused = client.post("/datasets/new/", {"file": BytesIO(b"x" * 100_000)})
    assert refused.status_code == 302
    assert refused["Location"].startswith(SIGN_IN)
    assert not refused.wsgi_request._read_started


def test_what_a_signed_in_person_sees_is_not_kept(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/datasets/")["Cache-Control"] == "private, no-store"


def test_session_that_is_over_or_gone_lets_nobody_in(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/datasets/").status_code == 200
    session = Session.objects.get(pk=client.session.session_key)
    Session.objects.update(expire_date=timezone.now())
    assert client.get("/datasets/")["Location"].startswith(SIGN_IN)
    Session.objects.update(expire_date=timezone.now() + timedelta(minutes=1))
    client.cookies["sessionid"] = session.pk
    assert client.get("/datasets/").status_code == 200
    Session.objects.all().delete()
    assert client.get("/datasets/")["Location"].startswith(SIGN_IN)


def test_sessions_that_are_over_are_forgotten(client: Client, alice: User) -> None:
    client.force_login(alice)
    other = Client()
    other.force_login(alice)
    Session.objects.filter(pk=other.session.session_key).update(expire_date="2020-01-01T00:00:00Z")
    tasks.sweep.call_local()
    assert list(Session.objects.values_list("pk", flat=True)) == [client.session.session_key]
