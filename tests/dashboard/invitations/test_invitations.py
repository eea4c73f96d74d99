"""Links that let people in: made, shown once, used once, revoked, refused."""

import logging
import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from dashboard.accounts.models import User
from dashboard.audit.models import Entry
from dashboard.library.models import Grant, Role
from dashboard.logs import WithoutTokens
from dashboard.teams.models import Invitation, Team
from tests.factories import PASSWORD, TunedModelFactory, UserFactory

pytestmark = pytest.mark.django_db

ACCOUNT = {"name": "Nia", "email": "nia@example.com", "password1": PASSWORD, "password2": PASSWORD}


def as_(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def root() -> User:
    root: User = UserFactory(email="root@example.com", name="Root", administrator=True)
    return root


@pytest.fixture
def team() -> Team:
    return Team.objects.create(name="Readers")


def invite(maker: User, **said: object) -> str:
    """The path of the link that ``maker`` makes."""
    page = as_(maker).post("/invitations/new/", {"days": 7, **said}).text
    found = re.search(r"/invitation/[\w-]+/", page)
    assert found, page
    return found[0]


def test_new_person_makes_their_account_and_is_in_the_team(client: Client, root: User, team: Team) -> None:
    link = invite(root, team=team.pk)
    page = client.get(link).text
    assert "Root invites you" in page
    assert f"/sign-in/?next={link.replace('/', '%2F')}" in page
    assert client.post(link, ACCOUNT)["Location"] == f"/teams/{team.pk}/"
    nia = User.objects.get(email="nia@example.com")
    assert (nia.name, nia.is_administrator, nia.check_password(PASSWORD)) == ("Nia", False, True)
    assert list(nia.teams.all()) == [team]
    assert client.get("/account/").status_code == 200
    invitation = Invitation.objects.get()
    assert (invitation.used_by, bool(invitation.used)) == (nia, True)
    said = list(Entry.objects.order_by("pk").values_list("event", "who"))
    assert said == [
        ("invitation.created", "root@example.com"),
        ("person.created", "nia@example.com"),
        ("invitation.used", "nia@example.com"),
    ]


def test_link_works_once(client: Client, root: User) -> None:
    link = invite(root)
    client.post(link, ACCOUNT)
    other = Client()
    assert other.get(link).status_code == 410
    assert other.post(link, ACCOUNT | {"email": "eve@example.com"}).status_code == 410
    assert not User.objects.filter(email="eve@example.com").exists()


def test_looking_at_the_page_uses_nothing_up(client: Client, root: User) -> None:
    link = invite(root)
    client.get(link)
    client.head(link)
    assert client.post(link, ACCOUNT).status_code == 302


def test_only_a_digest_of_the_token_is_kept(root: User) -> None:
    token = invite(root).split("/")[2]
    kept = str(Invitation.objects.values().get())
    assert token not in kept
    assert token not in as_(root).get("/invitations/").text


@pytest.mark.parametrize("token", ["x", "x" * 500, "%00", "..%2f", "💡"])
def test_made_up_link_lets_nobody_in(client: Client, token: str) -> None:
    assert client.get(f"/invitation/{token}/").status_code in {404, 410}


def test_link_ends(client: Client, root: User) -> None:
    link = invite(root, days=1)
    assert timedelta(hours=23) < Invitation.objects.get().expires - timezone.now() <= timedelta(days=1)
    Invitation.objects.update(expires=timezone.now())
    assert client.post(link, ACCOUNT).status_code == 410


def test_revoked_link_lets_nobody_in(client: Client, root: User) -> None:
    link = invite(root)
    roots, pk = as_(root), Invitation.objects.get().pk
    assert "Revoke the invitation?" in roots.get(f"/invitations/{pk}/revoke/").text
    assert client.get(link).status_code == 200
    roots.post(f"/invitations/{pk}/revoke/")
    assert client.get(link).status_code == 410


def test_invitation_for_an_address_makes_its_account_and_no_other(client: Client, root: User) -> None:
    link = invite(root, email="Nia@Example.com")
    page = client.get(link).text
    assert "Your account is that of nia@example.com." in page
    assert 'name="email"' not in page
    client.post(link, ACCOUNT | {"email": "eve@example.com"})
    assert User.objects.filter(email="nia@example.com").exists()
    assert not User.objects.filter(email="eve@example.com").exists()


def test_link_without_an_address_does_not_give_away_what_is_shared_with_one(client: Client, root: User) -> None:
    """Models that are shared with an address are seen by whoever has the account of it."""
    Grant.objects.create(model=TunedModelFactory(), address="nia@example.com", role=Role.READER)
    page = client.post(invite(root), ACCOUNT).text
    assert "ask for an invitation made for it" in page
    assert not User.objects.filter(email="nia@example.com").exists()
    assert client.post(invite(root, email="nia@example.com"), ACCOUNT).status_code == 302


def test_form_with_mistakes_uses_nothing_up(client: Client, root: User) -> None:
    link = invite(root)
    for mistake in ({"password2": "another thing"}, {"name": ""}, {"email": "root@example.com"}, {"email": "none"}):
        assert client.post(link, ACCOUNT | mistake).status_code == 200
    assert "There is an account with this e-mail already" in client.post(link, ACCOUNT | {"email": root.email}).text
    assert client.post(link, ACCOUNT).status_code == 302


def test_weak_password_is_refused(client: Client, root: User) -> None:
    weak = {"password1": "nia@example", "password2": "nia@example"}
    client.post(invite(root, email="nia@example.com"), ACCOUNT | weak)
    assert not User.objects.filter(email="nia@example.com").exists()


def test_who_tries_often_has_to_wait(client: Client, root: User) -> None:
    link = invite(root)
    answers = [client.post(link, ACCOUNT | {"password2": "x"}).status_code for _ in range(11)]
    assert answers == [200] * 10 + [429]


def test_somebody_who_is_in_joins_the_team(browser: Client, alice: User, root: User, team: Team) -> None:
    link = invite(root, team=team.pk)
    assert "Join the team “Readers”?" in browser.get(link).text
    assert not alice.teams.exists()
    assert browser.post(link)["Location"] == f"/teams/{team.pk}/"
    assert list(alice.teams.all()) == [team]
    assert browser.get(link).status_code == 410


@pytest.mark.parametrize("said", [{}, {"email": "nia@example.com"}])
def test_invitation_that_gives_somebody_nothing_is_not_used_up(
    browser: Client, root: User, said: dict[str, str]
) -> None:
    link = invite(root, **said)
    assert "This invitation is not for you" in browser.get(link).text
    browser.post(link)
    assert Invitation.objects.open().count() == 1


def test_administrators_invite_administrators(client: Client, browser: Client, alice: User, root: User) -> None:
    browser.post(invite(root, makes_administrator="on"))
    alice.refresh_from_db()
    assert alice.is_administrator
    client.logout()
    client.post(invite(root, makes_administrator="on"), ACCOUNT)
    assert User.objects.get(email="nia@example.com").is_administrator


class TestManagers:
    """They invite to the teams that they manage, and to nothing else."""

    @pytest.fixture
    def manager(self, alice: User, team: Team) -> User:
        team.memberships.create(person=alice, is_manager=True)
        return alice

    def test_manager_invites_to_their_team(self, client: Client, manager: User, team: Team) -> None:
        client.post(invite(manager, team=team.pk), ACCOUNT)
        assert team.members.count() == 2

    def test_manager_makes_no_administrator(self, client: Client, manager: User, team: Team) -> None:
        client.post(invite(manager, team=team.pk, makes_administrator="on"), ACCOUNT)
        assert not User.objects.get(email="nia@example.com").is_administrator

    def test_manager_invites_to_no_other_team_and_not_to_none(self, manager: User) -> None:
        other = Team.objects.create(name="Others")
        for said in ({"team": other.pk}, {"team": ""}, {}):
            assert "link is ready" not in as_(manager).post("/invitations/new/", {"days": 7, **said}).text
        assert not Invitation.objects.exists()

    def test_link_of_somebody_who_may_no_longer_invite_is_dead(self, client: Client, manager: User, team: Team) -> None:
        link = invite(manager, team=team.pk)
        team.memberships.update(is_manager=False)
        assert client.get(link).status_code == 410
        assert client.post(link, ACCOUNT).status_code == 410
        team.memberships.update(is_manager=True)
        User.objects.filter(pk=manager.pk).update(is_active=False)
        assert client.post(link, ACCOUNT).status_code == 410

    def test_manager_sees_and_revokes_those_to_their_team_alone(self, root: User, manager: User, team: Team) -> None:
        invite(root, email="other@example.com")
        other = Invitation.objects.get()
        invite(root, email="mine@example.com", team=team.pk)
        page = as_(manager).get("/invitations/").text
        assert "mine@example.com" in page
        assert "other@example.com" not in page
        assert as_(manager).post(f"/invitations/{other.pk}/revoke/").status_code == 404
        assert "mine@example.com" in as_(manager).get(f"/teams/{team.pk}/").text


@pytest.mark.parametrize("path", ["/invitations/", "/invitations/new/", "/invitations/1/revoke/"])
def test_room_is_not_there_for_those_who_may_not_invite(browser: Client, path: str) -> None:
    assert browser.get(path).status_code == 404
    assert browser.post(path).status_code in {404, 405}


def test_link_is_mailed_where_mail_is_sent(client: Client, root: User, settings: Settings) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
    invite(root, email="nia@example.com")
    assert not mail.outbox
    settings.EMAIL_URL = "submission://mail.example.com"
    link = invite(root, email="nia@example.com")
    [sent] = mail.outbox
    assert sent.to == ["nia@example.com"]
    assert f"{settings.SITE_URL}{link}" in sent.body
    assert sent.subject == "Root invites you to Tuneboard"


def test_token_stands_in_no_log(client: Client, root: User, caplog: pytest.LogCaptureFixture) -> None:
    link = invite(root)
    caplog.handler.addFilter(WithoutTokens())
    with caplog.at_level("DEBUG"):
        logging.getLogger("x").warning("Gone: %s", link)
        logging.getLogger("x").warning("GET /sign-in/?next=%s", link.replace("/", "%2F"))
    assert link.split("/")[2] not in caplog.text


def test_nobody_makes_links_without_end(root: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.invitations.forms.MOST_OPEN", 2)
    invite(root)
    invite(root)
    assert "Revoke some first" in as_(root).post("/invitations/new/", {"days": 7}).text


@pytest.mark.parametrize("days", ["", "0", "365", "x"])
def test_link_is_good_for_days_that_are_offered(root: User, days: str) -> None:
    as_(root).post("/invitations/new/", {"days": days})
    assert not Invitation.objects.exists()


def test_mail_calls_its_sender_by_name(settings: Settings, root: User) -> None:
    settings.EMAIL_URL = "smtp://localhost"
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
    root.name = "Nuala O'Brien\r\nBcc: eve@example.com"
    root.save()
    invite(root, email="nia@example.com")
    assert mail.outbox[0].subject == "Nuala O'Brien Bcc: eve@example.com invites you to Tuneboard"
