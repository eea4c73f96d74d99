"""The teams room: made, renamed, deleted by those who may; people come, manage, and go."""

import pytest
from django.test import Client

from dashboard.accounts.models import User
from dashboard.audit.models import Entry
from dashboard.teams.models import Membership, Team
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(alice: User) -> Team:
    """Alice manages it."""
    team = Team.objects.create(name="Readers")
    team.memberships.create(person=alice, is_manager=True)
    return team


@pytest.fixture
def bob(team: Team) -> User:
    """In the team."""
    bob: User = UserFactory(email="bob@example.com", name="Bob")
    team.memberships.create(person=bob)
    return bob


def as_(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def root() -> Client:
    return as_(UserFactory(administrator=True))


def events() -> list[str]:
    return list(Entry.objects.order_by("pk").values_list("event", flat=True))


def test_people_see_their_own_teams_alone(browser: Client, team: Team) -> None:
    Team.objects.create(name="Secret circle")
    page = browser.get("/teams/").text
    assert "Readers" in page
    assert "you manage it" in page
    assert "Secret circle" not in page
    assert "Secret circle" in root().get("/teams/").text


def test_who_is_in_no_team_is_told_how_to_get_into_one(browser: Client) -> None:
    page = browser.get("/teams/").text
    assert "You are in no team" in page
    assert "/teams/new/" not in page


def test_administrator_makes_a_team_and_manages_it() -> None:
    boss = UserFactory(administrator=True)
    answer = as_(boss).post("/teams/new/", {"name": "Writers"})
    team = Team.objects.get()
    assert answer["Location"] == f"/teams/{team.pk}/"
    assert Membership.objects.get().is_manager
    assert events() == ["team.created"]


def test_nobody_else_makes_teams(browser: Client) -> None:
    assert browser.get("/teams/new/").status_code == 404
    assert browser.post("/teams/new/", {"name": "Mine"}).status_code == 404
    assert not Team.objects.exists()


@pytest.mark.parametrize("name", ["readers", "  ", "x" * 61, "a\u0007b"])
def test_name_that_cannot_be_is_refused(team: Team, name: str) -> None:
    assert 'aria-invalid="true"' in root().post("/teams/new/", {"name": name}).text
    assert Team.objects.count() == 1


def test_manager_renames_the_team(browser: Client, team: Team) -> None:
    assert browser.post(f"/teams/{team.pk}/rename/", {"name": "Writers"}).status_code == 302
    team.refresh_from_db()
    assert team.name == "Writers"
    entry = Entry.objects.get()
    assert (entry.event, entry.name, entry.facts) == ("team.renamed", "Writers", {"before": "Readers"})


def test_team_is_deleted_by_administrators_alone(browser: Client, team: Team, bob: User) -> None:
    assert browser.post(f"/teams/{team.pk}/delete/").status_code == 403
    boss = root()
    assert "2 people lose" in boss.get(f"/teams/{team.pk}/delete/").text
    assert Team.objects.exists()
    boss.post(f"/teams/{team.pk}/delete/")
    assert not Team.objects.exists()
    assert User.objects.filter(pk=bob.pk).exists()


def test_manager_adds_somebody_by_email(browser: Client, team: Team) -> None:
    carol = UserFactory(email="carol@example.com", name="Carol")
    answer = browser.post(f"/teams/{team.pk}/members/", {"email": "Carol@Example.com"}, follow=True)
    assert "Carol is in the team now." in answer.text
    assert team.members.filter(pk=carol.pk).exists()
    assert events() == ["team.member_added"]


@pytest.mark.parametrize(
    ("email", "said"),
    [
        ("nobody@example.com", "Nobody here signs in with this e-mail"),
        ("gone@example.com", "Nobody here signs in with this e-mail"),
        ("bob@example.com", "Bob is in the team already"),
        ("no address", "Enter a valid email address"),
    ],
)
def test_who_cannot_be_added_is_told_beside_the_field(
    browser: Client, team: Team, bob: User, email: str, said: str
) -> None:
    UserFactory(email="gone@example.com", is_active=False)
    page = browser.post(f"/teams/{team.pk}/members/", {"email": email}).text
    assert said in page
    assert email in page
    assert team.members.count() == 2


def test_manager_makes_another_manager_and_takes_it_back(browser: Client, team: Team, bob: User) -> None:
    path = f"/teams/{team.pk}/members/{bob.pk}/manage/"
    browser.post(path, {"manager": "yes"})
    assert as_(bob).get(f"/teams/{team.pk}/rename/").status_code == 200
    browser.post(path, {"manager": "no"})
    assert as_(bob).get(f"/teams/{team.pk}/rename/").status_code == 403
    assert events() == ["team.manager_made", "team.manager_unmade"]


def test_manager_removes_a_member_after_a_question(browser: Client, team: Team, bob: User) -> None:
    path = f"/teams/{team.pk}/members/{bob.pk}/remove/"
    assert "Remove Bob from “Readers”?" in browser.get(path).text
    assert team.members.count() == 2
    browser.post(path)
    assert list(team.members.all()) == [User.objects.get(email="alice@example.com")]
    assert as_(bob).get(f"/teams/{team.pk}/").status_code == 404


def test_member_leaves(team: Team, bob: User) -> None:
    bobs = as_(bob)
    assert "Leave the team" in bobs.get(f"/teams/{team.pk}/leave/").text
    assert bobs.post(f"/teams/{team.pk}/leave/")["Location"] == "/teams/"
    assert not bob.teams.exists()
    assert events() == ["team.left"]


def test_member_sees_who_is_in_the_team_and_changes_nothing(team: Team, bob: User) -> None:
    bobs = as_(bob)
    page = bobs.get(f"/teams/{team.pk}/").text
    assert "alice@example.com" in page
    assert "Make manager" not in page
    assert "Add somebody" not in page
    path = f"/teams/{team.pk}/"
    for refused in (
        bobs.get(f"{path}rename/"),
        bobs.post(f"{path}rename/", {"name": "Bobs"}),
        bobs.get(f"{path}delete/"),
        bobs.post(f"{path}members/", {"email": "x@example.com"}),
        bobs.post(f"{path}members/{bob.pk}/manage/", {"manager": "yes"}),
        bobs.post(f"{path}members/{bob.pk}/remove/"),
    ):
        assert refused.status_code == 403
        assert "Only the managers of a team and administrators change it." in refused.text
    assert Membership.objects.get(person=bob).is_manager is False


@pytest.mark.parametrize("end", ["", "rename/", "delete/", "leave/", "members/1/remove/"])
def test_team_of_others_is_not_found(team: Team, end: str) -> None:
    assert as_(UserFactory()).get(f"/teams/{team.pk}/{end}").status_code == 404


@pytest.mark.parametrize("end", ["rename/", "delete/", "leave/", "members/", "members/1/manage/", "members/1/remove/"])
def test_nothing_is_changed_in_the_team_of_others(team: Team, end: str) -> None:
    stranger = as_(UserFactory())
    sent = {"name": "Stolen", "email": "alice@example.com", "manager": "yes"}
    assert stranger.post(f"/teams/{team.pk}/{end}", sent).status_code == 404
    assert Team.objects.get().name == "Readers"
    assert team.members.count() == 1


def test_administrator_is_in_no_team_that_they_have_not_joined(team: Team) -> None:
    assert root().get(f"/teams/{team.pk}/leave/").status_code == 404


def test_member_of_another_team_cannot_be_changed_through_mine(browser: Client, team: Team) -> None:
    other = Team.objects.create(name="Others")
    carol = UserFactory()
    other.members.add(carol)
    assert browser.post(f"/teams/{team.pk}/members/{carol.pk}/remove/").status_code == 404
    assert other.members.count() == 1


def test_hostile_name_is_shown_as_text() -> None:
    boss = root()
    boss.post("/teams/new/", {"name": "<script>alert(1)</script>"})
    assert "<script>alert" not in boss.get(f"/teams/{Team.objects.get().pk}/").text
