"""The people room: administrators find people, see what they have, and change what they may."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from dashboard.accounts.models import User
from dashboard.audit.models import Entry
from dashboard.people import quotas
from dashboard.people.models import Allowance
from tests.factories import DatasetFactory, JobFactory, TunedModelFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(client: Client) -> User:
    """Signed in by ``client``."""
    root: User = UserFactory(email="root@example.com", name="Root", administrator=True)
    client.force_login(root)
    return root


ROOM = ["", "1/", "1/administrator/", "1/quota/"]


@pytest.mark.parametrize("end", ROOM)
def test_room_is_there_for_administrators_alone(browser: Client, alice: User, end: str) -> None:
    end = end.replace("1", str(alice.pk))
    sent = {"administrator": "yes", "jobs": "7"}
    answers = [browser.get(f"/people/{end}"), browser.post(f"/people/{end}", sent)]
    assert {answer.status_code for answer in answers} <= {404, 405}
    alice.refresh_from_db()
    assert not alice.is_administrator
    assert not Allowance.objects.exists()


def test_list_tells_what_people_have(client: Client, root: User, alice: User) -> None:
    model = TunedModelFactory(owner=alice)
    JobFactory(owner=alice, dataset_version=model.job.dataset_version)
    page = client.get("/people/")
    holding = next(row for row in page.context["rows"] if row.person == alice)
    assert (holding.jobs, holding.models, holding.datasets) == (2, 1, 1)
    assert holding.storage == model.job.dataset_version.size > 0
    assert "never" in page.text


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, {"alice@example.com", "root@example.com", "zoe@example.org"}),
        ({"q": "EXAMPLE.org"}, {"zoe@example.org"}),
        ({"q": "zoe gray"}, {"zoe@example.org"}),
        ({"q": "zoe smith"}, set()),
        ({"q": "%"}, set()),
        ({"which": "administrators"}, {"root@example.com"}),
        ({"which": "inactive"}, {"zoe@example.org"}),
        ({"which": "active", "q": "a"}, {"alice@example.com", "root@example.com"}),
        ({"which": "nonsense"}, {"alice@example.com", "root@example.com", "zoe@example.org"}),
        ({"q": "x" * 500}, {"alice@example.com", "root@example.com", "zoe@example.org"}),
        ({"page": "9999999"}, {"alice@example.com", "root@example.com", "zoe@example.org"}),
        ({"page": "x", "q": "\0"}, {"alice@example.com", "root@example.com", "zoe@example.org"}),
    ],
)
def test_people_are_found(client: Client, root: User, alice: User, asked: dict[str, str], found: set[str]) -> None:
    UserFactory(email="zoe@example.org", name="Zoë Gray zoe", is_active=False)
    rows = client.get("/people/", asked).context["rows"]
    assert {row.person.email for row in rows} == found


def test_list_asks_the_same_few_questions_for_any_number_of_people(
    client: Client, root: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    User.objects.bulk_create(User(email=f"p{n}@example.com", name=f"P {n}") for n in range(2000))
    with django_assert_max_num_queries(10):
        page = client.get("/people/?q=p&page=3")
    assert "Page 3 of" in page.text
    assert "?q=p&amp;page=4" in page.text


def test_search_while_typing_renews_the_list_alone(client: Client, root: User) -> None:
    answer = client.get("/people/?q=root", headers={"HX-Request": "true", "HX-Target": "found"})
    assert "root@example.com" in answer.text
    assert "<h1>" not in answer.text


def test_somebody_becomes_administrator_and_member_again(client: Client, root: User, alice: User) -> None:
    path = f"/people/{alice.pk}/administrator/"
    client.post(path, {"administrator": "yes"})
    alice.refresh_from_db()
    assert alice.is_administrator
    client.post(path, {"administrator": "no"})
    alice.refresh_from_db()
    assert not alice.is_administrator
    events = list(Entry.objects.order_by("pk").values_list("event", "name"))
    assert events == [
        ("person.administrator_made", "alice@example.com"),
        ("person.administrator_unmade", "alice@example.com"),
    ]


def test_last_administrator_stays_one(client: Client, root: User) -> None:
    UserFactory(administrator=True, is_active=False)  # who cannot sign in does not count
    answer = client.post(f"/people/{root.pk}/administrator/", {"administrator": "no"}, follow=True)
    assert "Root is the last administrator." in answer.text
    root.refresh_from_db()
    assert root.is_administrator
    assert not Entry.objects.exists()


def test_who_unmakes_themselves_is_led_out_of_the_room(client: Client, root: User) -> None:
    UserFactory(administrator=True)
    answer = client.post(f"/people/{root.pk}/administrator/", {"administrator": "no"}, follow=True)
    assert answer.redirect_chain[-1] == ("/account/", 302)
    assert answer.status_code == 200


def test_limits_of_a_person_win_over_everybodys(client: Client, root: User, alice: User, settings: Settings) -> None:
    settings.JOBS_AT_ONCE, settings.STORAGE_LIMIT_MB = 3, 0
    assert quotas.jobs_of(alice).limit == 3
    assert quotas.storage_of(alice).limit is None
    client.post(f"/people/{alice.pk}/quota/", {"jobs": "0", "storage_mb": "2"})
    assert quotas.jobs_of(alice).limit is None
    assert quotas.storage_of(alice).limit == 2 * 2**20
    client.post(f"/people/{alice.pk}/quota/", {"jobs": "", "storage_mb": ""})
    assert quotas.jobs_of(alice).limit == 3
    assert not Allowance.objects.exists()
    first, second = Entry.objects.order_by("pk")
    assert (first.event, first.facts) == ("person.quota_changed", {"jobs": "no limit", "storage": "2"})
    assert second.facts == {"jobs": "as everybody", "storage": "as everybody"}


@pytest.mark.parametrize("said", [{"jobs": "-1"}, {"jobs": "many"}, {"storage_mb": "1" * 30}, {"jobs": "1.5"}])
def test_limit_that_cannot_be_is_refused_beside_its_field(
    client: Client, root: User, alice: User, said: dict[str, str]
) -> None:
    answer = client.post(f"/people/{alice.pk}/quota/", said)
    assert 'aria-invalid="true"' in answer.text
    assert not Allowance.objects.exists()


def test_account_shows_what_one_has_and_may(browser: Client, alice: User, settings: Settings) -> None:
    assert "no limit" in browser.get("/account/").text
    settings.JOBS_AT_ONCE, settings.STORAGE_LIMIT_MB = 4, 1
    JobFactory(owner=alice, dataset_version=DatasetFactory(owner=alice).latest)
    page = browser.get("/account/").text
    assert "1 of 4" in page
    assert "of 1\xa0MB" in page
    assert "Administrators can raise these limits." in page


def test_person_who_is_not_there_is_not_found(client: Client, root: User) -> None:
    assert client.get("/people/999999/").status_code == 404
    assert client.post("/people/999999/administrator/", {"administrator": "yes"}).status_code == 404
