"""Clean-ups: a rule finds what it says, a preview shows it, and exactly that is done."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dashboard.accounts.models import User
from dashboard.jobs.models import Tag
from dashboard.library.models import Grant, Role, TunedModel
from dashboard.retiring import cleaning, tasks
from dashboard.retiring.cleaning import Rule
from dashboard.retiring.models import Cleanup, CleanupItem, Fate, Removal
from tests.factories import TunedModelFactory, UserFactory

pytestmark = pytest.mark.django_db

URL = "/library/cleanup/"


def days_ago(days: int) -> Any:
    return timezone.now() - timedelta(days=days)


@pytest.fixture
def old(alice: User) -> TunedModel:
    return TunedModelFactory(owner=alice, display_name="Old one", created=days_ago(90), last_loss=0.5)


@pytest.fixture
def new(alice: User) -> TunedModel:
    return TunedModelFactory(owner=alice, display_name="New one", last_loss=0.1)


def found(user: User, fate: Fate = Fate.REMOVE, **rule: Any) -> list[str]:
    return sorted(str(model) for model in Rule(**rule).found(user, fate))


def test_rule_means_what_it_says(alice: User, old: TunedModel, new: TunedModel) -> None:
    assert found(alice) == []
    assert found(alice, older_days=30) == ["Old one"]
    assert found(alice, older_days=91) == []
    assert found(alice, loss_above=0.3) == ["Old one"]
    assert found(alice, unused_days=30) == ["Old one"]
    assert found(alice, owner=alice.pk) == ["New one", "Old one"]
    TunedModel.objects.update(last_used=timezone.now())
    assert found(alice, unused_days=30) == []


def test_favourites_shared_tagged_and_archived_models_are_told_apart(
    alice: User, old: TunedModel, new: TunedModel
) -> None:
    bob = UserFactory()
    old.favourites.add(bob)
    assert found(alice, no_favourite=True) == ["New one"]
    Grant.objects.create(model=new, person=bob, role=Role.READER)
    assert found(alice, not_shared=True) == ["Old one"]
    tag = Tag.objects.create(name="Attic", key="attic")
    new.tags.add(tag)
    assert found(alice, tag="attic") == ["New one"]
    TunedModel.objects.filter(pk=old.pk).update(archived=timezone.now())
    assert found(alice, Fate.ARCHIVE, owner=alice.pk) == ["New one"]


def test_only_what_one_owns_is_meant(alice: User, old: TunedModel) -> None:
    bob = UserFactory()
    Grant.objects.create(model=old, person=bob, role=Role.WRITER)
    assert found(bob, older_days=1) == []
    assert found(UserFactory(administrator=True), older_days=1) == ["Old one"]


def preview(browser: Client, **rule: Any) -> tuple[str, dict[str, str]]:
    """The page, and what its button sends."""
    page = browser.get(URL, {"fate": "remove", **rule}).text
    return page, dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))


def test_preview_shows_exactly_what_is_done(browser: Client, old: TunedModel, new: TunedModel) -> None:
    page, sent = preview(browser, older_days=30)
    assert "Put 1 model into the bin" in page
    assert "Old one" in page
    assert "New one" not in page
    assert not CleanupItem.objects.exists()
    answer = browser.post(URL, sent)
    cleanup = Cleanup.objects.get()
    assert answer.url == cleanup.get_absolute_url()
    assert TunedModel.objects.present().count() == 2, "the worker does it"
    assert "0 / 1" in browser.get(answer.url).text
    tasks.clean.call(cleanup.pk)
    assert [str(model) for model in TunedModel.objects.present()] == ["New one"]
    assert Removal.objects.get().model == old
    assert "1 / 1" in browser.get(answer.url).text


def test_sent_twice_is_one_clean_up(browser: Client, old: TunedModel) -> None:
    _page, sent = preview(browser, older_days=30)
    assert browser.post(URL, sent).url == browser.post(URL, sent).url
    assert Cleanup.objects.count() == 1


def test_what_the_rule_finds_only_now_is_shown_first(browser: Client, old: TunedModel, new: TunedModel) -> None:
    _page, sent = preview(browser, older_days=30)
    TunedModel.objects.filter(pk=new.pk).update(created=days_ago(60))
    answer = browser.post(URL, sent)
    assert "Meanwhile the rule finds other models" in answer.text
    assert not Cleanup.objects.exists()


def test_worker_killed_in_the_middle_goes_on(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    models = [TunedModelFactory(owner=alice) for _ in range(3)]
    cleanup = Cleanup.objects.create(by=alice, fate=Fate.REMOVE, key="k" * 20)
    for model in models:
        cleanup.items.create(model=model, name="x")
    usual = cleaning.removing.remove

    def killed(model: TunedModel, *rest: Any) -> None:
        if model == models[1]:
            raise KeyboardInterrupt
        usual(model, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(cleaning.removing, "remove", killed)
        with pytest.raises(KeyboardInterrupt):
            tasks.clean.call(cleanup.pk)
    assert Removal.objects.count() == 1
    assert Cleanup.objects.unfinished().exists()
    tasks.clean.call(cleanup.pk)
    tasks.clean.call(cleanup.pk)
    assert Removal.objects.count() == 3
    assert not Cleanup.objects.unfinished().exists()


def test_model_that_was_handed_over_meanwhile_is_left_alone(browser: Client, alice: User, old: TunedModel) -> None:
    cleanup = Cleanup.objects.create(by=alice, fate=Fate.REMOVE, key="k" * 20)
    cleanup.items.create(model=old, name="Old one")
    TunedModel.objects.update(owner=UserFactory())
    tasks.clean.call(cleanup.pk)
    assert not Removal.objects.exists()
    page = browser.get(cleanup.get_absolute_url()).text
    assert "left alone" in page
    assert "Old one" in page


@pytest.mark.parametrize(
    "query",
    [
        "fate=remove",
        "fate=x&older_days=1",
        "fate=remove&older_days=-1",
        "fate=remove&loss_above=NaN",
        "fate=remove&owner=x",
    ],
)
def test_rule_that_cannot_be_read_finds_nothing(browser: Client, old: TunedModel, query: str) -> None:
    answer = browser.get(f"{URL}?{query}")
    assert answer.status_code == 200
    assert "Old one" not in answer.text


def test_others_clean_ups_are_not_found(client: Client, alice: User) -> None:
    cleanup = Cleanup.objects.create(by=alice, fate=Fate.REMOVE, key="k" * 20)
    assert client.get(cleanup.get_absolute_url()).status_code == 302
    client.force_login(UserFactory())
    assert client.get(cleanup.get_absolute_url()).status_code == 404


def test_poll_without_news_is_empty(browser: Client, alice: User) -> None:
    cleanup = Cleanup.objects.create(by=alice, fate=Fate.REMOVE, key="k" * 20)
    page = browser.get(cleanup.get_absolute_url()).text
    seen = re.search(r"cleanup/\d+/\?seen=(\w+)", page)
    assert seen
    url = f"{reverse('retiring:cleaning', args=[cleanup.pk])}?seen={seen[1]}"
    assert browser.get(url, headers={"HX-Request": "true"}).status_code == 204
