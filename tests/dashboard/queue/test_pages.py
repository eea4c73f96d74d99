"""The queue room: my jobs by their names, others' as places; cancelling, and moving for administrators."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from dashboard.accounts.models import User
from dashboard.audit.models import Entry
from dashboard.connections.models import Connection
from dashboard.engine.forms import HIGHEST
from dashboard.jobs.models import Job
from dashboard.queue.places import Way, rearranged
from tests.factories import JobFactory, UserFactory
from tests.processes import TuningServer, wait_until
from tests.scripted import answer, scripted
from tests.tuning.server.bodies import LONG, body
from tuning.jobs import JobState
from tuning.providers import InQueue

HTMX = {"HX-Request": "true"}
STEPS = {"totalSteps": 19, "completedSteps": 7}
QUEUE: dict[str, Any] = {
    "waiting": 2,
    "running": [{"model": "tunedModels/mine", "displayName": "Mine", "owner": "alice@example.com", **STEPS}],
    "next": [
        {"place": 1, **STEPS},
        {"place": 2, "model": "tunedModels/by-curl", "displayName": "", "owner": "alice@example.com", **STEPS},
    ],
}


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    cache.clear()


@pytest.mark.django_db
def test_mine_has_its_name_and_others_are_only_places(browser: Client, alice: User, settings: Settings) -> None:
    JobFactory(owner=alice, display_name="Number <b>generator", ref="tunedModels/mine/operations/o")
    JobFactory(display_name="Secret plan")
    with scripted(answer(200, QUEUE)) as service:
        settings.TUNING_SERVER_URL = service.url
        page = browser.get("/queue/").content.decode()
    assert "Number &lt;b&gt;generator" in page
    assert "7 / 19" in page
    assert page.count("Somebody’s job") == 1
    assert "tunedModels/by-curl" in page
    assert "Secret" not in page
    assert "/move/" not in page


@pytest.mark.django_db
def test_renewal_without_news_is_empty(browser: Client, settings: Settings) -> None:
    with scripted(answer(200, QUEUE)) as service:
        settings.TUNING_SERVER_URL = service.url
        seen = browser.get("/queue/").context["seen"]
        quiet = browser.get(f"/queue/?seen={seen}", headers=HTMX)
        assert (quiet.status_code, quiet.content) == (204, b"")
        news = browser.get("/queue/?seen=x", headers=HTMX).content.decode()
    assert "<html" not in news
    assert "data-live" in news


@pytest.mark.django_db
@pytest.mark.usefixtures("no_server")
def test_service_that_is_away_is_said_to_be(browser: Client) -> None:
    assert "does not answer" in browser.get("/queue/").content.decode()


@pytest.mark.django_db
def test_however_often_somebody_looks_the_service_is_asked_once(browser: Client, settings: Settings) -> None:
    with scripted(answer(200, QUEUE)) as service:
        settings.TUNING_SERVER_URL = service.url
        pages = [browser.get("/queue/").content.decode() for _ in range(4)]
        assert len(service.asked) == 1
        bob = Client()
        bob.force_login(UserFactory())
        bob.get("/queue/")
        assert len(service.asked) == 2, "what one person may see is not shown to another"
    assert all("tunedModels/by-curl" in page for page in pages)


@pytest.mark.django_db
def test_silent_service_is_not_asked_for_everybody_who_looks(browser: Client, settings: Settings) -> None:
    bob = Client()
    bob.force_login(UserFactory())
    with scripted(answer(200, b"no JSON")) as service:
        settings.TUNING_SERVER_URL = service.url
        said = [one.get("/queue/").context["lines"][0].silent for one in (browser, bob, browser)]
        assert len(service.asked) == 1
    assert said[0]
    assert said == [said[0]] * 3


@pytest.mark.django_db
def test_what_somebody_changed_is_seen_at_once(browser: Client, settings: Settings) -> None:
    empty = {"waiting": 0, "running": [], "next": []}
    with scripted(answer(200, QUEUE), answer(200, {"state": "RUNNING"}), answer(200), answer(200, empty)) as service:
        settings.TUNING_SERVER_URL = service.url
        assert "tunedModels/by-curl" in browser.get("/queue/").content.decode()
        page = browser.post(f"/queue/{Connection.objects.local().pk}/by-curl/cancel/", follow=True).content.decode()
    assert "tunedModels/by-curl" not in page


@pytest.mark.django_db
def test_job_that_had_ended_is_not_said_to_be_cancelled(browser: Client, settings: Settings) -> None:
    empty = {"waiting": 0, "running": [], "next": []}
    with scripted(answer(200, {"state": "SUCCEEDED"}), answer(200, empty)) as service:
        settings.TUNING_SERVER_URL = service.url
        page = browser.post(f"/queue/{Connection.objects.local().pk}/by-curl/cancel/", follow=True).content.decode()
    assert "The job had ended already." in page
    assert not Entry.objects.filter(event="job.cancelled").exists()


@pytest.mark.django_db
def test_empty_queue_says_what_to_do(browser: Client, settings: Settings) -> None:
    with scripted(answer(200, {"waiting": 0, "running": [], "next": []})) as service:
        settings.TUNING_SERVER_URL = service.url
        assert "a new job starts at once" in browser.get("/queue/").content.decode()


@pytest.mark.django_db
def test_only_administrators_move_jobs(browser: Client, settings: Settings, client: Client) -> None:
    path = f"/queue/{Connection.objects.local().pk}/by-curl/move/"
    with scripted(answer(200, QUEUE)) as service:
        settings.TUNING_SERVER_URL = service.url
        assert browser.post(path, {"way": "first"}).status_code == 404
        client.force_login(UserFactory(administrator=True))
        assert client.post(path, {"way": "sideways"}).status_code == 404
        assert client.post(path.replace("by-curl", "gone"), {"way": "up"}, follow=True).status_code == 200
        client.post(path, {"way": "first"})
        patched = [asked for asked in service.asked if asked.method == "PATCH"]
    assert [asked.path for asked in patched] == ["/tuneboard/v1/jobs/by-curl"]
    assert patched[0].json() == {"priority": 1}


@pytest.mark.django_db
def test_job_of_somebody_else_cannot_be_cancelled(browser: Client, server: TuningServer) -> None:
    key = server.api_key("bob@example.com")
    server.post("/v1beta/tunedModels?tunedModelId=bobs", key, json=body(epochs=LONG))
    path = f"/queue/{Connection.objects.local().pk}/bobs/cancel/"
    assert browser.post(path).status_code == 404
    assert server.job("bobs", key)["state"] in ("QUEUED", "RUNNING")
    server.post("/v1beta/tunedModels/bobs:cancel", key, json={})


@pytest.mark.django_db
def test_my_job_is_cancelled_from_the_queue(browser: Client, alice: User, server: TuningServer) -> None:
    key = server.api_key("alice@example.com")
    made = server.post("/v1beta/tunedModels?tunedModelId=alices", key, json=body(epochs=LONG)).json()
    job = JobFactory(owner=alice, ref=made["name"])
    assert job.display_name in browser.get("/queue/").content.decode()
    browser.post(f"/queue/{job.connection_id}/alices/cancel/")

    def cancelled() -> bool:
        Job.objects.update(synced_at=None)
        job.refresh_quietly()
        return job.state == JobState.CANCELLED

    wait_until(cancelled)


@pytest.mark.django_db
def test_strangers_are_asked_to_sign_in(client: Client) -> None:
    assert client.get("/queue/")["Location"].startswith("/sign-in/")
    for verb in ("cancel", "move"):
        assert client.post(f"/queue/1/x/{verb}/")["Location"].startswith("/sign-in/")


@given(
    st.lists(st.integers(-3, 3), min_size=1, max_size=8),
    st.integers(0, 7),
    st.sampled_from([Way.UP, Way.DOWN, Way.FIRST]),
)
def test_moving_puts_the_job_where_it_was_meant_and_leaves_the_others_in_order(
    priorities: list[int], place: int, way: Way
) -> None:
    priorities.sort(reverse=True)
    waiting = [
        InQueue(total_steps=1, completed_steps=0, model=f"m{n}", priority=priority)
        for n, priority in enumerate(priorities)
    ]
    place %= len(waiting)
    changed = rearranged(waiting, f"m{place}", way)
    expected = [turn.model for turn in waiting]
    goal = {Way.UP: max(place - 1, 0), Way.DOWN: min(place + 1, len(waiting) - 1), Way.FIRST: 0}[way]
    expected.insert(goal, expected.pop(place))
    after = sorted(waiting, key=lambda turn: -changed.get(turn.model, turn.priority))
    assert [turn.model for turn in after] == expected


def test_what_no_priority_can_move_is_refused() -> None:
    waiting = [
        InQueue(total_steps=1, completed_steps=0, model="a", priority=HIGHEST),
        InQueue(total_steps=1, completed_steps=0, model="b", priority=0),
    ]
    with pytest.raises(ValueError, match="priority"):
        rearranged(waiting, "b", Way.FIRST)
    with pytest.raises(ValueError, match="list"):
        rearranged(waiting, "gone", Way.FIRST)
    assert rearranged(waiting, "a", Way.BACK) == {"a": 0}
