"""The bin: hidden everywhere, restored whole, deleted at the service when the grace is over and not before."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from dashboard.accounts.models import User
from dashboard.audit.models import Entry
from dashboard.jobs.models import Job
from dashboard.library.models import Grant, Role, TunedModel
from dashboard.notices.models import Event, Notice
from dashboard.retiring import removing, tasks
from dashboard.retiring.models import Removal
from tests.factories import JobFactory, TunedModelFactory, UserFactory
from tests.processes import TuningServer
from tests.tuning.server.bodies import body
from tuning.jobs import JobState
from tuning.providers import Sharer

pytestmark = pytest.mark.django_db


def path(name: str, model: TunedModel) -> str:
    return reverse(f"retiring:{name}", args=[model.pk])


def over(model: TunedModel) -> None:
    """Its grace is over."""
    Removal.objects.filter(model=model).update(due=timezone.now(), next_try=timezone.now())


@pytest.fixture
def mine(alice: User) -> TunedModel:
    return TunedModelFactory(owner=alice, display_name="Hot line")


def test_deleted_model_is_hidden_at_once_with_its_job(browser: Client, mine: TunedModel) -> None:
    job = Job.objects.get()
    answer = browser.post(path("delete", mine), follow=True)
    assert "can be restored for 14 days" in answer.text
    assert browser.get(job.get_absolute_url()).status_code == 404
    assert browser.get(path("delete", mine)).status_code == 404
    assert "Hot line" not in browser.get("/jobs/").text
    assert not TunedModel.objects.visible_to(mine.owner).exists()
    assert Job.objects.get().chunks.model.objects.filter(job=job).count() == 0
    assert Entry.objects.filter(event="model.removed").get().name == "Hot line"


def test_copies_that_others_brought_in_are_hidden_too(mine: TunedModel) -> None:
    bob = UserFactory()
    copy = JobFactory(owner=bob, model=mine.name, state=JobState.SUCCEEDED)
    elsewhere = JobFactory(owner=bob, model="tunedModels/another", state=JobState.SUCCEEDED)
    removing.remove(mine, None, None)
    assert list(Job.objects.visible_to(bob)) == [elsewhere]
    removing.restore(mine, None)
    assert set(Job.objects.visible_to(bob)) == {copy, elsewhere}


def test_notices_of_what_is_in_the_bin_are_not_shown(browser: Client, mine: TunedModel) -> None:
    Notice.objects.create(person=mine.owner, job=mine.job, event=Event.ENDED, attempt=0)
    assert "Number generator" in browser.get("/notices/").text or "Hot line" in browser.get("/notices/").text
    removing.remove(mine, None, None)
    assert "Hot line" not in browser.get("/notices/").text


def test_bin_names_who_removed_it_and_restores_it(browser: Client, mine: TunedModel) -> None:
    browser.post(path("delete", mine))
    page = browser.get(reverse("retiring:bin")).text
    assert "Hot line" in page
    assert "by Alice" in page
    browser.post(path("restore", mine))
    assert TunedModel.objects.visible_to(mine.owner).get().job == Job.objects.visible_to(mine.owner).get()
    assert not Removal.objects.exists()
    assert "The bin is empty" in browser.get(reverse("retiring:bin")).text


def test_deleting_a_job_puts_its_model_into_the_bin(browser: Client, mine: TunedModel) -> None:
    browser.post(reverse("jobs:delete", args=[mine.job.pk]))
    assert TunedModel.objects.get().removed
    assert Job.objects.exists()


def test_deleting_many_jobs_puts_their_models_into_the_bin(browser: Client, mine: TunedModel) -> None:
    other = TunedModelFactory(owner=mine.owner)
    jobs = [mine.job.pk, other.job.pk]
    browser.post(reverse("jobs:bulk"), {"action": "delete", "job": jobs, "sure": "on"})
    assert TunedModel.objects.filter(removed__isnull=False).count() == 2


def test_stranger_finds_neither_model_nor_bin_entry(client: Client, mine: TunedModel) -> None:
    client.force_login(UserFactory())
    for name in ("archive", "delete", "expiry", "restore", "purge", "unarchive"):
        assert client.post(path(name, mine)).status_code == 404
    removing.remove(mine, None, None)
    for name in ("restore", "purge"):
        assert client.post(path(name, mine)).status_code == 404
    assert "Hot line" not in client.get(reverse("retiring:bin")).text


@pytest.mark.parametrize("role", [Role.READER, Role.WRITER])
def test_who_is_no_owner_is_told_so(client: Client, mine: TunedModel, role: Role) -> None:
    bob = UserFactory()
    Grant.objects.create(model=mine, person=bob, role=role)
    client.force_login(bob)
    answer = client.post(path("delete", mine))
    assert answer.status_code == 403
    assert "Only its owner" in answer.text
    removing.remove(mine, None, None)
    assert client.post(path("restore", mine)).status_code == 404


def test_administrators_restore_any(client: Client, mine: TunedModel) -> None:
    removing.remove(mine, None, None)
    client.force_login(UserFactory(administrator=True))
    assert "Hot line" in client.get(reverse("retiring:bin")).text
    client.post(path("restore", mine))
    assert TunedModel.objects.get().removed is None


@pytest.mark.parametrize("name", ["archive", "unarchive", "delete", "expiry", "restore", "purge"])
def test_who_is_not_signed_in_is_sent_to_sign_in(client: Client, mine: TunedModel, name: str) -> None:
    assert client.post(path(name, mine)).status_code == 302
    assert TunedModel.objects.get().removed is None


def test_grace_that_is_not_over_asks_no_service(no_server: None, mine: TunedModel) -> None:
    removing.remove(mine, None, None)
    tasks.purge.call(mine.pk)
    assert Removal.objects.get().tries == 0


def test_service_that_is_silent_is_asked_again_and_the_bin_says_so(
    no_server: None, browser: Client, mine: TunedModel
) -> None:
    removing.remove(mine, None, None)
    over(mine)
    tasks.purge.call(mine.pk)
    tasks.purge.call(mine.pk)  # not before an hour has passed
    entry = Removal.objects.get()
    assert (entry.tries, entry.problem) == (1, "unreachable")
    assert entry.next_try > timezone.now() + timedelta(minutes=50)
    assert "does not answer" in browser.get(reverse("retiring:bin")).text


def test_what_somebody_is_at_deleting_is_not_restored(browser: Client, mine: TunedModel) -> None:
    removing.remove(mine, None, None)
    over(mine)
    assert Removal.objects.claim(Removal.objects.get().pk)
    assert not Removal.objects.claim(Removal.objects.get().pk)
    Removal.objects.update(tries=0)  # nothing to be asked
    assert "being deleted at this moment" in browser.post(path("restore", mine), follow=True).text
    assert TunedModel.objects.get().removed


def test_worker_that_was_killed_over_it_leaves_it_to_the_next(mine: TunedModel) -> None:
    removing.remove(mine, None, None)
    over(mine)
    assert Removal.objects.claim(Removal.objects.get().pk)
    Removal.objects.update(begun=timezone.now() - timedelta(minutes=6))
    assert Removal.objects.claim(Removal.objects.get().pk)


def test_setting_says_for_how_long(settings: Settings, mine: TunedModel) -> None:
    settings.BIN_DAYS = 3
    removing.remove(mine, None, None)
    assert timedelta(days=2) < Removal.objects.get().due - timezone.now() < timedelta(days=4)


@pytest.mark.engine
def test_model_is_deleted_at_its_service_when_the_grace_is_over(
    server: TuningServer, browser: Client, alice: User
) -> None:
    job = JobFactory(owner=alice, ref="", display_name="Real")
    job.send()
    server.wait_for_state(job.ref.partition("/operations/")[0], server.api_key("alice@example.com"), "SUCCEEDED")
    Job.objects.filter(pk=job.pk).update(synced_at=None)
    job.refresh_from_db()
    job.refresh()
    model = TunedModel.objects.get()
    key = server.api_key("alice@example.com")
    browser.post(path("delete", model))
    assert server.get(f"/v1beta/{model.name}", key).status_code == 200
    browser.post(path("purge", model))
    tasks.purge.call(model.pk)
    tasks.purge.call(model.pk)
    assert server.get(f"/v1beta/{model.name}", key).status_code in (403, 404)
    assert not TunedModel.objects.exists()
    assert not Job.objects.exists()
    assert Entry.objects.filter(event="model.deleted").get().name == "Real"


def test_model_that_was_given_away_at_its_service_comes_out_of_the_bin(
    server: TuningServer, alice: User, settings: Settings
) -> None:
    """Whoever removed it was its owner for all that was known here, and is none any more."""
    bob = UserFactory(email="bob@example.com")
    server.post("/v1beta/tunedModels?tunedModelId=given-away", server.api_key(alice.email), json=body(epochs=1))
    given = TunedModelFactory(owner=alice, name="tunedModels/given-away")
    service = given.connection.open_for(alice)
    assert isinstance(service, Sharer)
    service.transfer(given.name, bob.email)
    removing.remove(given, alice, alice)
    over(given)
    tasks.purge.call(given.pk)
    given.refresh_from_db()
    assert (given.removed, given.owner) == (None, bob)
    assert not Removal.objects.exists()
    assert list(TunedModel.objects.visible_to(bob)) == [given]
