"""A new password by e-mail, where a mail server is set."""

import re

import pytest
from django.conf import LazySettings
from django.core import mail
from django.test import Client

from dashboard.accounts.models import User
from dashboard.accounts.tries import TRIES_FROM_ONE_ADDRESS
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

NEW = "a staple of another kind"


@pytest.fixture
def mail_server(settings: LazySettings) -> None:
    settings.EMAIL_URL = "smtp://mail.example.com"
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}  # the worker's part
    settings.SITE_URL = "https://tuneboard.example"


@pytest.fixture
def alice() -> User:
    return UserFactory(email="alice@example.com")


def link_in_mail() -> str:
    match = re.search(r"https://tuneboard\.example(/\S+)", str(mail.outbox[-1].body))
    assert match
    return match[1]


def follow(client: Client, link: str) -> str:
    """Where the link leads: Django moves the token out of the address, so that it leaks nowhere."""
    response = client.get(link)
    return response["Location"] if response.status_code == 302 else link


@pytest.mark.usefixtures("mail_server", "alice")
def test_link_in_the_mail_sets_a_new_password(client: Client) -> None:
    assert client.post("/forgotten/", {"email": "Alice@example.com"}).status_code == 302
    page = follow(client, link_in_mail())
    assert client.post(page, {"new_password1": NEW, "new_password2": NEW}).status_code == 302
    entered = client.post("/sign-in/", {"email": "alice@example.com", "password": NEW})
    assert entered.status_code == 302


@pytest.mark.usefixtures("mail_server", "alice")
def test_link_works_once(client: Client) -> None:
    client.post("/forgotten/", {"email": "alice@example.com"})
    link = link_in_mail()
    client.post(follow(client, link), {"new_password1": NEW, "new_password2": NEW})
    assert "no longer good" in Client().get(link).text


@pytest.mark.usefixtures("mail_server")
def test_new_password_ends_the_open_sessions(client: Client, alice: User) -> None:
    elsewhere = Client()
    elsewhere.force_login(alice)
    client.post("/forgotten/", {"email": "alice@example.com"})
    client.post(follow(client, link_in_mail()), {"new_password1": NEW, "new_password2": NEW})
    assert elsewhere.get("/account/").status_code == 302


@pytest.mark.usefixtures("mail_server", "alice")
def test_answer_is_the_same_for_unknown_people(client: Client) -> None:
    known = client.post("/forgotten/", {"email": "alice@example.com"})
    unknown = client.post("/forgotten/", {"email": "nobody@example.com"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert len(mail.outbox) == 1


@pytest.mark.usefixtures("mail_server", "alice")
def test_link_in_the_mail_does_not_follow_the_host_header(client: Client, settings: LazySettings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    client.post("/forgotten/", {"email": "alice@example.com"}, headers={"Host": "evil.example"})
    assert "evil" not in str(mail.outbox[-1].body)


@pytest.mark.usefixtures("mail_server", "alice")
def test_mail_cannot_be_asked_for_without_end(client: Client) -> None:
    for _mail in range(TRIES_FROM_ONE_ADDRESS + 3):
        client.post("/forgotten/", {"email": "alice@example.com"})
    assert len(mail.outbox) == TRIES_FROM_ONE_ADDRESS


@pytest.mark.usefixtures("mail_server", "alice")
def test_asking_for_mail_does_not_keep_the_person_from_signing_in(client: Client) -> None:
    for _mail in range(TRIES_FROM_ONE_ADDRESS + 1):
        client.post("/forgotten/", {"email": "alice@example.com"})
    entered = client.post("/sign-in/", {"email": "alice@example.com", "password": PASSWORD})
    assert entered.status_code == 302


@pytest.mark.usefixtures("mail_server")
def test_wrong_link_offers_a_new_one(client: Client) -> None:
    response = client.get("/forgotten/MQ/wrong-token/")
    assert "no longer good" in response.text
    assert "/forgotten/" in response.text


@pytest.mark.parametrize("path", ["/forgotten/", "/forgotten/sent/", "/forgotten/MQ/token/"])
def test_pages_are_not_there_without_a_mail_server(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404
    assert "/forgotten/" not in client.get("/sign-in/").text


@pytest.mark.usefixtures("mail_server")
def test_sign_in_offers_it_with_a_mail_server(client: Client) -> None:
    assert 'href="/forgotten/"' in client.get("/sign-in/").text


@pytest.mark.usefixtures("mail_server")
def test_who_came_with_a_library_chooses_a_first_password(client: Client, alice: User) -> None:
    alice.set_unusable_password()
    alice.save()
    client.post("/forgotten/", {"email": alice.email})
    client.post(follow(client, link_in_mail()), {"new_password1": NEW, "new_password2": NEW})
    assert client.post("/sign-in/", {"email": alice.email, "password": NEW}).status_code == 302


@pytest.mark.usefixtures("mail_server")
def test_who_comes_by_a_provider_gets_no_link(client: Client, alice: User) -> None:
    alice.set_unusable_password()
    alice.save()
    alice.identities.create(issuer="https://id.example", subject="1", email=alice.email)
    assert client.post("/forgotten/", {"email": alice.email}).status_code == 302
    assert not mail.outbox
