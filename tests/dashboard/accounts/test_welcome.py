"""The link by which the first person comes in."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from dashboard.accounts import welcome
from dashboard.accounts.forms import WelcomeForm
from dashboard.accounts.models import User, WelcomeLink
from tests.factories import PASSWORD, UserFactory

ANSWERS = {"name": "Ada", "email": "Ada@Example.com", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture
def path(db: None) -> str:
    link = welcome.issue_link()
    assert link
    return re.sub(r"^http://127\.0\.0\.1:\d+", "", link)


def test_link_makes_the_first_person_administrator_and_signs_them_in(client: Client, path: str) -> None:
    response = client.post(path, ANSWERS)
    assert response.status_code == 302
    ada = User.objects.get()
    assert (ada.name, ada.email, ada.is_administrator) == ("Ada", "ada@example.com", True)
    assert client.session["_auth_user_id"] == str(ada.pk)


def test_link_is_not_used_up_by_being_looked_at(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200
    assert client.get(path).status_code == 200
    assert client.post(path, ANSWERS).status_code == 302


def test_link_is_not_used_up_by_a_form_with_mistakes(client: Client, path: str) -> None:
    response = client.post(path, {**ANSWERS, "password2": "another one altogether"})
    assert response.status_code == 200
    assert 'aria-invalid="true"' in response.text
    assert "Ada@Example.com" in response.text
    assert client.post(path, ANSWERS).status_code == 302


def test_link_works_once(client: Client, path: str) -> None:
    client.post(path, ANSWERS)
    response = Client().post(path, {**ANSWERS, "email": "eve@example.com"})
    assert response.status_code == 410
    assert "Sign in" in response.text
    assert User.objects.count() == 1


def test_expired_link_says_what_to_do(client: Client, path: str) -> None:
    WelcomeLink.objects.update(expires=timezone.now() - timedelta(seconds=1))
    response = client.post(path, ANSWERS)
    assert response.status_code == 410
    assert "start it again" in response.text
    assert not User.objects.exists()


@pytest.mark.parametrize("token", ["guessed", "x" * 43, "ünïcode", "%00"])
@pytest.mark.usefixtures("path")
def test_wrong_token_is_refused(client: Client, token: str) -> None:
    assert client.post(f"/welcome/{token}/", ANSWERS).status_code == 410
    assert not User.objects.exists()


def test_new_link_ends_the_last(client: Client, path: str) -> None:
    welcome.issue_link()
    assert client.get(path).status_code == 410


def test_no_link_is_made_once_there_is_somebody(client: Client, path: str) -> None:
    UserFactory()
    assert welcome.issue_link() is None
    assert client.post(path, ANSWERS).status_code == 410
    assert User.objects.count() == 1


def test_token_is_not_in_the_database(path: str) -> None:
    token = path.split("/")[-2]
    assert token not in str(WelcomeLink.objects.values())


@pytest.mark.parametrize("password", ["short", "1234567890123", "password123", "ada@example.com"])
def test_weak_password_is_refused_with_a_reason(client: Client, path: str, password: str) -> None:
    response = client.post(path, {**ANSWERS, "password1": password, "password2": password})
    assert response.status_code == 200
    assert 'class="error"' in response.text
    assert not User.objects.exists()


def test_two_people_at_once_make_one_administrator(path: str) -> None:
    token = path.split("/")[-2]
    link = welcome.find_link(token)
    assert link
    ada, bob = (WelcomeForm({**ANSWERS, "email": f"{name}@example.com"}) for name in ("ada", "bob"))
    assert ada.is_valid()
    assert bob.is_valid()
    assert welcome.redeem(link, ada.save)
    assert welcome.redeem(link, bob.save) is None
    assert [user.email for user in User.objects.all()] == ["ada@example.com"]
