"""What a team is to the people in it and to services."""

import pytest

from dashboard.accounts.models import User
from dashboard.teams.models import Team
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_services_are_told_which_teams_somebody_is_in(alice: User) -> None:
    readers = Team.objects.create(name="Readers")
    readers.members.add(alice)
    Team.objects.create(name="Others")
    assert alice.identity().teams == (readers.address,)


def test_team_keeps_its_address_when_it_is_renamed() -> None:
    team = Team.objects.create(name="Readers")
    before = team.address
    team.name = "Writers"
    team.save()
    team.refresh_from_db()
    assert team.address == before


def test_team_of_a_name_that_was_taken_before_inherits_nothing() -> None:
    """What was shared with the address of a team that is gone must not be seen by the next one of its name."""
    first = Team.objects.create(name="Readers")
    earlier = first.address
    first.delete()
    assert Team.objects.create(name="Readers").address != earlier


@pytest.mark.parametrize("name", ["Grüne Wale", "团队", "x" * 60, "💡"])
def test_team_of_any_name_has_an_address(name: str) -> None:
    assert Team.objects.create(name=name).address.endswith("@teams.tuneboard")


def test_teams_are_seen_by_those_in_them_and_administrators(alice: User) -> None:
    team = Team.objects.create(name="Readers")
    team.members.add(alice)
    assert list(Team.objects.visible_to(alice)) == [team]
    assert not Team.objects.visible_to(UserFactory())
    assert list(Team.objects.visible_to(UserFactory(administrator=True))) == [team]
