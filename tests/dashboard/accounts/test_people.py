"""People as the rest of the program knows them."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError

from dashboard.accounts.models import User
from tests.factories import PASSWORD, UserFactory
from tuning.assertions import Identity

pytestmark = pytest.mark.django_db


def test_administrator_can_be_made_without_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "Root@Example.com")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", "--noinput", verbosity=0)
    root = User.objects.get()
    assert root.email == "root@example.com"
    assert root.is_administrator
    assert root.check_password(PASSWORD)


def test_two_people_cannot_share_an_email_in_different_letter_case() -> None:
    UserFactory(email="alice@example.com")
    with pytest.raises(IntegrityError):
        UserFactory(email="Alice@Example.com")


def test_person_is_found_by_email_in_any_letter_case() -> None:
    alice = UserFactory(email="Alice@Example.com")
    assert User.objects.get(email="ALICE@example.com") == alice
    assert User.objects.get_by_natural_key("alice@EXAMPLE.com") == alice


def test_person_made_without_password_cannot_sign_in_by_one() -> None:
    assert not User.objects.create_user("bob@example.com").has_usable_password()


def test_identity_is_what_a_service_is_told() -> None:
    assert UserFactory(email="a@example.com").identity() == Identity(email="a@example.com")
    assert UserFactory(email="r@example.com", administrator=True).identity().administrator


def test_people_show_their_name_else_their_email() -> None:
    assert str(UserFactory(name="Ada")) == "Ada"
    assert str(UserFactory(name="", email="b@example.com")) == "b@example.com"
