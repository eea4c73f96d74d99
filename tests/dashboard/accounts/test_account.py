"""One's own account: name, password, and the ways out."""

import pytest
from django.test import Client

from dashboard.accounts.models import User
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

NEW = "a staple of another kind"


@pytest.fixture
def alice(client: Client) -> User:
    alice: User = UserFactory(email="alice@example.com")
    client.force_login(alice)
    return alice


@pytest.fixture
def elsewhere(alice: User) -> Client:
    """Alice on another device."""
    other = Client()
    other.force_login(alice)
    return other


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def test_name_can_be_changed(client: Client, alice: User) -> None:
    client.post("/account/", {"name": "Alice Liddell"})
    alice.refresh_from_db()
    assert alice.name == "Alice Liddell"


def test_empty_name_is_refused_beside_the_field(client: Client, alice: User) -> None:
    response = client.post("/account/", {"name": "  "})
    assert 'aria-invalid="true"' in response.text
    alice.refresh_from_db()
    assert alice.name == "Alice"


@pytest.mark.parametrize("stolen", ["email", "is_administrator", "session_epoch", "password"])
def test_nothing_but_the_name_can_be_changed_there(client: Client, alice: User, stolen: str) -> None:
    before = getattr(alice, stolen)
    client.post("/account/", {"name": "Alice", stolen: "1"})
    alice.refresh_from_db()
    assert getattr(alice, stolen) == before


def test_hostile_name_is_shown_as_text(client: Client, alice: User) -> None:
    client.post("/account/", {"name": "<script>alert(1)</script>"})
    assert "<script>alert" not in client.get("/account/").text


def test_sign_out_ends_this_session_alone(client: Client, elsewhere: Client) -> None:
    assert client.post("/sign-out/").status_code == 302
    assert not is_in(client)
    assert is_in(elsewhere)


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize("path", ["/sign-out/", "/account/sign-out-everywhere/"])
def test_looking_at_a_sign_out_address_signs_nobody_out(client: Client, path: str) -> None:
    assert client.get(path).status_code == 405
    assert is_in(client)


def test_sign_out_everywhere_ends_every_session(client: Client, elsewhere: Client) -> None:
    client.post("/account/sign-out-everywhere/")
    assert not is_in(client)
    assert not is_in(elsewhere)


def test_sign_out_everywhere_leaves_other_people_in(client: Client, alice: User) -> None:
    bob = Client()
    bob.force_login(UserFactory())
    client.post("/account/sign-out-everywhere/")
    assert is_in(bob)


def change(client: Client, old: str, new: str, again: str | None = None) -> int:
    fields = {"old_password": old, "new_password1": new, "new_password2": new if again is None else again}
    return client.post("/account/password/", fields).status_code


def test_new_password_works_and_ends_the_other_sessions(client: Client, alice: User, elsewhere: Client) -> None:
    assert change(client, PASSWORD, NEW) == 302
    alice.refresh_from_db()
    assert alice.check_password(NEW)
    assert is_in(client)
    assert not is_in(elsewhere)


@pytest.mark.parametrize(
    ("old", "new", "again"), [("wrong", NEW, NEW), (PASSWORD, NEW, "different"), (PASSWORD, "short", "short")]
)
def test_password_stays_when_the_form_has_mistakes(client: Client, alice: User, old: str, new: str, again: str) -> None:
    assert change(client, old, new, again) == 200
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize("path", ["/account/", "/account/password/", "/account/sign-out-everywhere/", "/sign-out/"])
def test_post_from_elsewhere_is_refused(path: str, alice: User) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(alice)
    assert careful.post(path, {"name": "Mallory"}).status_code == 403


@pytest.mark.parametrize("path", ["/account/", "/account/password/"])
def test_signed_out_visitor_is_sent_to_sign_in(client: Client, path: str) -> None:
    assert client.get(path)["Location"] == f"/sign-in/?next={path}"


class TestReturnToPage:
    """Whose session ended under an open page comes back to that page."""

    def test_poll_leads_back_to_the_page_that_polls(self, client: Client) -> None:
        page = "http://testserver/jobs/?state=RUNNING"
        response = client.get("/account/", headers={"HX-Request": "true", "HX-Current-URL": page})
        assert response["HX-Redirect"] == "/sign-in/?next=%2Fjobs%2F%3Fstate%3DRUNNING"

    def test_form_leads_back_to_its_page(self, client: Client) -> None:
        response = client.post("/account/sign-out-everywhere/", headers={"Referer": "http://testserver/account/"})
        assert response["Location"] == "/sign-in/?next=%2Faccount%2F"

    @pytest.mark.parametrize(
        "referer", ["", "https://evil.example/x", "not an address", "http://testserver//evil.example"]
    )
    def test_page_of_somebody_else_is_not_led_to(self, client: Client, referer: str) -> None:
        UserFactory(email="alice@example.com")
        response = client.post("/account/sign-out-everywhere/", headers={"Referer": referer})
        wanted = response["Location"]
        entered = client.post(wanted, {"email": "alice@example.com", "password": PASSWORD})
        assert entered.status_code == 302
        assert not entered["Location"].startswith(("//", "http"))
