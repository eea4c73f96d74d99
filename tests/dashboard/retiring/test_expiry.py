"""Archives, warnings about use, and models that are kept until a date."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dashboard.accounts.models import User
from dashboard.library.models import Grant, Role, TunedModel
from dashboard.notices.models import Event, Notice
from dashboard.retiring import tasks
from tests.factories import JobFactory, TunedModelFactory, UserFactory
from tuning.jobs import JobState

pytestmark = pytest.mark.django_db


@pytest.fixture
def mine(alice: User) -> TunedModel:
    return TunedModelFactory(owner=alice, display_name="Hot line")


def path(name: str, model: TunedModel) -> str:
    return reverse(f"retiring:{name}", args=[model.pk])


def test_archived_model_is_still_seen_and_comes_back(browser: Client, mine: TunedModel) -> None:
    browser.post(path("archive", mine))
    assert TunedModel.objects.visible_to(mine.owner).get().archived
    browser.post(path("unarchive", mine))
    assert TunedModel.objects.get().archived is None


@pytest.mark.parametrize("name", ["archive", "delete"])
def test_who_still_needs_it_is_said_before(browser: Client, mine: TunedModel, name: str) -> None:
    assert "in use" not in browser.get(path(name, mine)).text
    TunedModel.objects.update(last_used=timezone.now() - timedelta(days=2))
    TunedModelFactory(tuned_from=mine)
    JobFactory(tuned_from=mine.name, state=JobState.RUNNING)
    JobFactory(tuned_from=mine.name, state=JobState.FAILED)
    Grant.objects.create(model=mine, person=UserFactory(), role=Role.READER)
    page = browser.get(path(name, mine)).text
    assert "It was last asked 2 days ago" in page
    assert "1 model was tuned further from it" in page
    assert "1 job under way tunes it further" in page
    assert "shared with 1 person or team" in page


def test_use_of_long_ago_is_none(browser: Client, mine: TunedModel) -> None:
    TunedModel.objects.update(last_used=timezone.now() - timedelta(days=8))
    assert "in use" not in browser.get(path("delete", mine)).text


def test_owner_is_warned_once_and_again_of_another_date(browser: Client, mine: TunedModel) -> None:
    browser.post(path("expiry", mine), {"expires": day(3), "fate": "remove"})
    tasks.sweep.call_local()
    tasks.sweep.call_local()
    assert Notice.objects.filter(event=Event.EXPIRES).count() == 1
    page = browser.get("/notices/").text
    assert "Hot line” is kept not much longer" in page
    assert "It goes into the bin on" in page
    browser.post(path("expiry", mine), {"expires": day(60), "fate": "archive"})
    tasks.sweep.call_local()
    assert not Notice.objects.filter(event=Event.EXPIRES).exists()
    browser.post(path("expiry", mine), {"expires": day(2), "fate": "archive"})
    tasks.sweep.call_local()
    assert "It is archived on" in browser.get("/notices/").text


@pytest.mark.parametrize("fate", ["archive", "remove"])
def test_expired_model_meets_the_fate_that_was_chosen(browser: Client, mine: TunedModel, fate: str) -> None:
    browser.post(path("expiry", mine), {"expires": day(1), "fate": fate})
    TunedModel.objects.update(expires=timezone.now())
    tasks.sweep.call_local()
    tasks.sweep.call_local()
    model = TunedModel.objects.get()
    assert (bool(model.archived), bool(model.removed)) == (fate == "archive", fate == "remove")
    assert model.expires is None
    if fate == "remove":
        assert "it had expired" in browser.get(reverse("retiring:bin")).text


def test_model_is_kept_to_the_end_of_its_day(browser: Client, mine: TunedModel) -> None:
    browser.post(path("expiry", mine), {"expires": day(0), "fate": "archive"})
    expires = TunedModel.objects.get().expires
    assert expires
    assert expires > timezone.now()


@pytest.mark.parametrize("said", [{"expires": "2001-01-01"}, {"expires": "9999-12-31"}, {"expires": "x"}, {"fate": ""}])
def test_date_that_cannot_be_is_refused(browser: Client, mine: TunedModel, said: dict[str, str]) -> None:
    answer = browser.post(path("expiry", mine), {"expires": day(3), "fate": "archive", **said})
    assert answer.status_code == 200
    assert TunedModel.objects.get().expires is None


def test_no_date_keeps_it(browser: Client, mine: TunedModel) -> None:
    browser.post(path("expiry", mine), {"expires": day(3), "fate": "archive"})
    browser.post(path("expiry", mine), {"expires": "", "fate": "archive"})
    assert TunedModel.objects.get().expires is None


def day(ahead: int) -> str:
    return (timezone.localdate() + timedelta(days=ahead)).isoformat()
