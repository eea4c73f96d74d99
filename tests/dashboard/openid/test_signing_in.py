"""Coming in by an account elsewhere: who does, who stays out, and what becomes of it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from dashboard.accounts import welcome
from dashboard.accounts.models import User
from dashboard.audit.models import Entry
from dashboard.openid import admitting
from dashboard.openid.models import OpenIdentity
from dashboard.teams.models import Invitation, Team
from tests.dashboard.openid.conftest import BEGIN
from tests.dashboard.openid.provider import Provider
from tests.factories import PASSWORD, UserFactory
from tests.processes import free_port

pytestmark = pytest.mark.django_db

Come = Callable[..., HttpResponse]


@pytest.fixture(autouse=True)
def administrator(db: None) -> User:
    """The first person, who came by the welcome link."""
    return UserFactory(email="first@example.com", is_administrator=True)


def is_in(client: Client) -> str | None:
    """The e-mail of who is signed in."""
    key = client.session.get("_auth_user_id")
    return User.objects.get(pk=key).email if key else None


def linked(email: str = "ada@example.com", subject: str = "ada-1", *, issuer: str, **more: Any) -> User:
    """Somebody who comes by their account alone."""
    user = UserFactory(email=email, password=None, **more)
    user.set_unusable_password()
    user.save()
    OpenIdentity.objects.create(user=user, issuer=issuer, subject=subject, email=email)
    return user


def text(answer: HttpResponse) -> str:
    return " ".join(answer.text.split())


# In


def test_first_sign_in_makes_a_person_who_has_no_password(come: Come, client: Client) -> None:
    answer = come(next="/account/")
    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    ada = User.objects.get(email="ada@example.com")
    assert is_in(client) == "ada@example.com"
    assert (ada.name, ada.is_administrator, ada.has_usable_password()) == ("Ada Lovelace", False, False)
    assert [str(entry) for entry in Entry.objects.filter(person=ada)] == [
        "Signed in by Google",
        "Created the account ada@example.com",
    ]


def test_second_sign_in_is_the_same_person_whatever_their_email_is_by_then(come: Come, google: Provider) -> None:
    come()
    google.people["ada-1"]["email"] = "lovelace@example.com"
    other = Client()
    assert come(browser=other)["Location"] == "/jobs/"
    assert is_in(other) == "ada@example.com"
    assert OpenIdentity.objects.get().email == "lovelace@example.com"


def test_email_alone_makes_nobody_the_same_person(come: Come, google: Provider) -> None:
    come()
    google.people["eve-2"] = {**google.people["ada-1"]}
    other = Client()
    assert come("eve-2", browser=other)["Location"] == "/sign-in/openid/confirm/"
    assert is_in(other) is None


def test_session_has_another_key_afterwards(come: Come, client: Client) -> None:
    client.get(BEGIN)
    before = client.session.session_key
    come()
    assert client.session.session_key != before
    assert is_in(client)


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [("/account/?a=b", "/account/?a=b"), ("https://evil.example/", "/jobs/"), ("//evil.example", "/jobs/")],
)
def test_way_leads_on_to_a_page_of_ours(come: Come, wanted: str, reached: str) -> None:
    assert come(next=wanted)["Location"] == reached


def test_provider_may_tell_the_email_only_when_asked(come: Come, client: Client, google: Provider) -> None:
    google.edit = lambda claims: {name: value for name, value in claims.items() if not name.startswith("email")}
    come()
    assert is_in(client) == "ada@example.com"


def test_sessions_end_everywhere_as_others_do(come: Come, client: Client) -> None:
    come()
    User.objects.get(email="ada@example.com").end_sessions()
    assert client.get("/account/").status_code == 302


def test_who_is_in_already_goes_straight_on(offered: Settings, client: Client, administrator: User) -> None:
    client.force_login(administrator)
    assert client.get(BEGIN, {"next": "/account/"})["Location"] == "/account/"


def test_client_may_come_from_the_file_of_googles_console(come: Come, offered: Settings, tmp_path: Any) -> None:
    file = tmp_path / "client_secret.json"
    file.write_text('{"web": {"client_id": "of-file", "client_secret": "s", "auth_uri": "https://accounts.example"}}')
    offered.OPENID_CLIENT_ID, offered.OPENID_CLIENT_JSON = "", str(file)
    assert come().status_code == 302
    asked = Client().get(BEGIN)["Location"]
    assert parse_qs(urlsplit(asked).query)["client_id"] == ["of-file"]
    offered.OPENID_CLIENT_JSON = file.read_text().replace("of-file", "of-text")
    asked = Client().get(BEGIN)["Location"]
    assert parse_qs(urlsplit(asked).query)["client_id"] == ["of-text"]


# Out


def test_tampered_answer_lets_nobody_in(client: Client, google: Provider, offered: Settings) -> None:
    back = google.consent(client.get(BEGIN)["Location"], "ada-1")
    answer = client.get(back.replace("state=", "state=x"))
    assert answer.status_code == 403
    assert "This round is over" in answer.text
    assert is_in(client) is None
    assert client.get(back).status_code == 302  # the right answer is as good as before


def test_answer_opened_in_another_browser_lets_nobody_in(client: Client, google: Provider, offered: Settings) -> None:
    back = google.consent(client.get(BEGIN)["Location"], "ada-1")
    stranger = Client()
    assert "This round is over" in stranger.get(back).text
    assert is_in(stranger) is None


def test_answer_lets_in_once(client: Client, google: Provider, offered: Settings) -> None:
    back = google.consent(client.get(BEGIN)["Location"], "ada-1")
    client.get(back)
    client.logout()
    assert "This round is over" in client.get(back).text


@pytest.mark.parametrize("verified", [False, None, "false", 1])
def test_unverified_email_stays_out(come: Come, client: Client, google: Provider, verified: object) -> None:
    google.people["ada-1"]["email_verified"] = verified
    answer = come()
    assert "does not say that the e-mail is yours" in answer.text
    assert is_in(client) is None
    assert "select_account" in answer.text


@pytest.mark.parametrize("email", ["ａda@example.com", "no e-mail", ["ada@example.com"], "", f"{'a' * 250}@a.example"])
def test_what_is_no_email_or_would_be_taken_for_anothers_stays_out(
    come: Come, client: Client, google: Provider, email: object
) -> None:
    google.people["ada-1"]["email"] = email
    assert come().status_code == 403
    assert is_in(client) is None


def test_refusal_is_told_in_words_with_a_way_to_grant_again(
    client: Client, google: Provider, offered: Settings
) -> None:
    asked = client.get(BEGIN, {"next": "/account/"})["Location"]
    answer = client.get(google.refuse(asked))
    assert answer.status_code == 403
    assert "You did not agree" in answer.text
    assert "Grant again" in answer.text
    assert "/sign-in/openid/?prompt=consent&amp;next=%2Faccount%2F" in answer.text


def test_unticked_scope_is_told_in_words_with_a_way_to_grant_again(
    come: Come, client: Client, google: Provider
) -> None:
    google.unticked = {"email"}
    answer = come()
    assert "Missing: your e-mail address" in answer.text
    assert "Grant again" in answer.text
    google.unticked = set()
    come(prompt="consent")
    assert is_in(client) == "ada@example.com"


def test_granting_again_asks_the_provider_to_ask_again(client: Client, offered: Settings) -> None:
    asked = parse_qs(urlsplit(client.get(BEGIN, {"prompt": "consent"})["Location"]).query)
    assert asked["prompt"] == ["consent"]
    assert "prompt" not in parse_qs(urlsplit(client.get(BEGIN, {"prompt": "none"})["Location"]).query)


def test_provider_that_is_down_is_told_in_words(client: Client, offered: Settings) -> None:
    offered.OPENID_ISSUER = f"http://127.0.0.1:{free_port()}"
    answer = client.get(BEGIN)
    assert answer.status_code == 503
    assert "The provider does not answer" in answer.text
    assert "Begin again" in answer.text


def test_provider_of_another_name_is_not_believed(client: Client, google: Provider, offered: Settings) -> None:
    offered.OPENID_ISSUER = google.url.replace("localhost", "127.0.0.1")
    cache.clear()
    google.calls_itself = "https://accounts.google.com"
    assert client.get(BEGIN).status_code == 403


def test_person_who_was_switched_off_stays_out(come: Come, client: Client, google: Provider) -> None:
    linked(issuer=google.url, is_active=False)
    answer = come()
    assert "is not active" in answer.text
    assert is_in(client) is None


def test_stranger_stays_out_where_accounts_are_not_made(come: Come, client: Client, offered: Settings) -> None:
    offered.OPENID_CREATES = False
    answer = come()
    assert "There is no account for ada@example.com here" in answer.text
    assert not User.objects.filter(email="ada@example.com").exists()


@pytest.mark.parametrize(
    ("issuer", "email", "hd", "comes_in"),
    [
        ("other", "ada@example.com", None, True),
        ("other", "ada@EXAMPLE.com", None, True),
        ("other", "ada@evil.example", None, False),
        ("other", "ada@sub.example.com", None, False),
        ("other", "ada@notexample.com", None, False),
        ("google", "ada@example.com", "example.com", True),
        ("google", "ada@example.com", None, False),
        ("google", "ada@example.com", "evil.example", False),
        ("google", "ada@evil.example", "example.com", False),
        ("google", "ada@gmail.com", None, True),
    ],
)
def test_only_allowed_domains_come_in(
    come: Come,
    google: Provider,
    offered: Settings,
    monkeypatch: pytest.MonkeyPatch,
    *,
    issuer: str,
    email: str,
    hd: str | None,
    comes_in: bool,
) -> None:
    offered.OPENID_DOMAINS = ["example.com", "gmail.com"]
    if issuer == "google":
        monkeypatch.setattr(admitting, "GOOGLE", google.url)
    google.people["ada-1"] |= {"email": email, **({"hd": hd} if hd else {})}
    answer = come()
    assert (answer.status_code == 302) is comes_in
    assert User.objects.filter(email=email).exists() is comes_in


def test_domain_that_is_taken_off_the_list_stays_out_from_then_on(
    come: Come, client: Client, google: Provider, offered: Settings
) -> None:
    linked(issuer=google.url)
    offered.OPENID_DOMAINS = ["example.org"]
    assert "Accounts of example.com do not come in here" in come().text
    assert is_in(client) is None


def test_nobody_is_the_first_person_without_the_welcome_link(come: Come, administrator: User) -> None:
    administrator.delete()
    assert "Nobody has an account here yet" in come().text
    assert not User.objects.exists()


# By a link


def test_welcome_link_makes_the_first_person_by_their_account(
    come: Come, client: Client, administrator: User, offered: Settings
) -> None:
    administrator.delete()
    offered.OPENID_CREATES = offered.LOCAL_ACCOUNTS = False
    link = urlsplit(welcome.issue_link() or "").path
    page = client.get(link)
    assert "Sign in with Google" in page.text
    assert 'type="password"' not in page.text
    assert come(next=link)["Location"] == "/datasets/"
    assert User.objects.get().is_administrator
    assert is_in(client) == "ada@example.com"
    assert client.get(link).status_code == 410


@pytest.mark.parametrize(("email", "comes_in"), [("", True), ("ada@example.com", True), ("bob@example.com", False)])
def test_invitation_lets_in_whom_it_is_for(
    come: Come, client: Client, administrator: User, offered: Settings, *, email: str, comes_in: bool
) -> None:
    offered.OPENID_CREATES = False
    team = Team.objects.create(name="Night shift")
    admin = Client()
    admin.force_login(administrator)
    made = admin.post("/invitations/new/", {"email": email, "team": team.pk, "days": 7})
    link = urlsplit(made.context["link"]).path
    assert "Sign in with Google" in client.get(link).text
    answer = come(next=link)
    assert (is_in(client) == "ada@example.com") is comes_in
    assert (Invitation.objects.get().used is not None) is comes_in
    if comes_in:
        assert answer["Location"] == team.get_absolute_url()
        assert list(team.members.all()) == [User.objects.get(email="ada@example.com")]
        assert Entry.objects.filter(event="invitation.used").exists()


# Linking


def test_account_with_the_same_email_is_linked_by_its_password(come: Come, client: Client) -> None:
    ada = UserFactory(email="ada@example.com")
    assert come(next="/account/")["Location"] == "/sign-in/openid/confirm/"
    page = client.get("/sign-in/openid/confirm/")
    assert "There is an account for ada@example.com here already" in text(page)
    assert is_in(client) is None
    wrong = client.post("/sign-in/openid/confirm/", {"password": "not it"})
    assert "do not belong together" in wrong.text
    assert not OpenIdentity.objects.exists()
    answer = client.post("/sign-in/openid/confirm/", {"password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    assert is_in(client) == "ada@example.com"
    assert [str(entry).partition(" at http")[0] for entry in Entry.objects.filter(person=ada)] == [
        "Signed in by Google",
        "Linked the account ada@example.com",
    ]
    other = Client()
    come(browser=other)
    assert is_in(other) == "ada@example.com"
    assert User.objects.filter(email="ada@example.com").count() == 1


def test_guessing_that_password_is_bounded(come: Come, client: Client) -> None:
    UserFactory(email="ada@example.com")
    come()
    for _ in range(10):
        client.post("/sign-in/openid/confirm/", {"password": "not it"})
    answer = client.post("/sign-in/openid/confirm/", {"password": PASSWORD})
    assert answer.status_code == 429
    assert "Too many tries" in answer.text
    assert not OpenIdentity.objects.exists()


def test_person_without_a_password_is_not_taken_over(come: Come, client: Client) -> None:
    ada = UserFactory(email="ada@example.com")
    ada.set_unusable_password()
    ada.save()
    come()
    page = client.get("/sign-in/openid/confirm/")
    assert "It has no password" in page.text
    assert 'type="password"' not in page.text
    for password in ("", "!", ada.password):
        client.post("/sign-in/openid/confirm/", {"password": password})
    assert is_in(client) is None
    assert not OpenIdentity.objects.exists()


def test_what_waits_is_not_anothers_to_confirm(come: Come, client: Client, administrator: User) -> None:
    UserFactory(email="ada@example.com")
    come()
    stranger = Client()
    assert stranger.post("/sign-in/openid/confirm/", {"password": PASSWORD}).status_code == 403
    client.force_login(administrator)
    assert client.post("/sign-in/openid/confirm/", {}).status_code == 403
    assert not OpenIdentity.objects.exists()


def test_another_account_is_linked_from_ones_own_page_after_a_press(come: Come, client: Client) -> None:
    bob = UserFactory(email="bob@example.org")
    client.force_login(bob)
    assert "Link an account at Google" in client.get("/account/").text
    assert come(begin="/account/identities/add/")["Location"] == "/sign-in/openid/confirm/"
    assert not OpenIdentity.objects.exists()
    assert "ada@example.com at Google will be able to sign in as you" in text(client.get("/sign-in/openid/confirm/"))
    assert client.post("/sign-in/openid/confirm/")["Location"] == "/account/"
    assert "ada@example.com" in client.get("/account/").text
    other = Client()
    come(browser=other)
    assert is_in(other) == "bob@example.org"


def test_round_that_somebody_else_began_links_nothing(
    client: Client, google: Provider, offered: Settings, administrator: User
) -> None:
    client.force_login(UserFactory(email="bob@example.org"))
    back = google.consent(client.get("/account/identities/add/")["Location"], "ada-1")
    session = client.session
    session["_auth_user_id"] = str(administrator.pk)
    session["_auth_user_hash"] = administrator.get_session_auth_hash()
    session.save()
    assert "This round is over" in client.get(back).text


def test_account_that_is_linked_already_is_not_linked_with_a_second_person(
    come: Come, client: Client, google: Provider
) -> None:
    linked(issuer=google.url)
    client.force_login(UserFactory(email="bob@example.org"))
    answer = come(begin="/account/identities/add/")
    assert "linked with somebody else" in answer.text
    assert OpenIdentity.objects.get().user.email == "ada@example.com"


def test_account_is_unlinked_if_there_is_another_way_in(come: Come, client: Client, google: Provider) -> None:
    ada = linked(issuer=google.url)
    client.force_login(ada)
    first = ada.identities.get()
    assert "Your only way in" in client.get("/account/").text
    client.post(f"/account/identities/{first.pk}/remove/")
    assert ada.identities.count() == 1
    second = OpenIdentity.objects.create(user=ada, issuer=google.url, subject="ada-2", email="ada@example.org")
    client.post(f"/account/identities/{first.pk}/remove/")
    assert list(ada.identities.all()) == [second]
    client.post(f"/account/identities/{second.pk}/remove/")
    assert ada.identities.count() == 1
    ada.set_password(PASSWORD)
    ada.save()
    client.force_login(ada)
    client.post(f"/account/identities/{second.pk}/remove/")
    assert not ada.identities.exists()
    assert Entry.objects.filter(event="person.unlinked").count() == 2


def test_identity_at_a_provider_of_the_past_is_no_way_in(client: Client, google: Provider, offered: Settings) -> None:
    ada = linked(issuer=google.url)
    old = OpenIdentity.objects.create(user=ada, issuer="https://old.example", subject="x", email="x@example.com")
    client.force_login(ada)
    client.post(f"/account/identities/{ada.identities.get(issuer=google.url).pk}/remove/")
    assert ada.identities.count() == 2
    client.post(f"/account/identities/{old.pk}/remove/")
    assert ada.identities.count() == 1


def test_identity_of_somebody_else_is_not_found(client: Client, google: Provider, offered: Settings) -> None:
    theirs = linked(issuer=google.url).identities.get()
    client.force_login(UserFactory())
    assert client.post(f"/account/identities/{theirs.pk}/remove/").status_code == 404


# As things are set


def test_nothing_of_it_is_there_where_no_provider_is_set(client: Client) -> None:
    assert "Sign in with" not in client.get("/sign-in/").text
    assert client.get(BEGIN).status_code == 404
    client.force_login(UserFactory())
    assert "Accounts elsewhere" not in client.get("/account/").text


def test_button_stands_beside_the_form(client: Client, offered: Settings) -> None:
    page = client.get("/sign-in/", {"next": "/account/"})
    assert 'href="http://testserver/sign-in/openid/?next=%2Faccount%2F"' in page.text
    assert 'type="password"' in page.text


def test_no_password_opens_anything_where_local_accounts_are_off(client: Client, offered: Settings) -> None:
    ada = UserFactory(email="ada@example.com")
    offered.LOCAL_ACCOUNTS, offered.EMAIL_URL = False, "smtp://x"
    page = client.get("/sign-in/")
    assert "Sign in with Google" in page.text
    assert 'type="password"' not in page.text
    assert "forgotten" not in page.text
    assert client.post("/sign-in/", {"email": ada.email, "password": PASSWORD}).status_code == 200
    assert is_in(client) is None
    for path in ("/forgotten/", "/forgotten/sent/", "/forgotten/x/y/"):
        assert client.get(path).status_code == 404
    client.force_login(ada)
    assert client.get("/account/password/").status_code == 404
    assert "Change password" not in client.get("/account/").text


def test_invitation_makes_no_password_where_local_accounts_are_off(
    client: Client, administrator: User, offered: Settings
) -> None:
    offered.LOCAL_ACCOUNTS = False
    admin = Client()
    admin.force_login(administrator)
    link = urlsplit(admin.post("/invitations/new/", {"email": "", "days": 7}).context["link"]).path
    assert 'type="password"' not in client.get(link).text
    new = {"name": "Eve", "email": "eve@example.com", "password1": PASSWORD, "password2": PASSWORD}
    client.post(link, new)
    assert not User.objects.filter(email="eve@example.com").exists()
