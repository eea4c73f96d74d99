"""The engine room, with a real tuning server behind it; what that cannot be made to say comes from a script."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from dashboard.accounts.models import User
from tests import tiny_models
from tests.factories import JobFactory, UserFactory
from tests.processes import TuningServer, wait_until
from tests.scripted import answer, scripted

pytestmark = pytest.mark.django_db

ENGINE = "/engine/"
HTMX = {"HX-Request": "true"}

TUNER: dict[str, Any] = {"name": "forge-1", "host": "forge", "alive": True, "slots": 2, "threads": 4, "children": []}
TUNER |= {"memoryBytes": 16 << 30, "freeMemoryBytes": 3 << 30, "diskBytes": 100 << 30, "freeDiskBytes": 50 << 30}
TUNER |= {"started": "2026-01-01T00:00:00Z", "heartbeat": "2026-01-01T00:00:00Z"}
BASE: dict[str, Any] = {"name": "tiny", "displayName": "Tiny", "state": "ready", "removable": True}


def engine(*tuners: dict[str, Any], waiting: int = 0, next_: Any = ()) -> dict[str, Any]:
    queue = {"waiting": waiting, "running": 0, "next": list(next_)}
    return {"version": "0.1.0", "tuners": list(tuners), "queue": queue}


def turn(name: str, **changes: Any) -> dict[str, Any]:
    waits = {"model": f"tunedModels/{name}", "displayName": name, "owner": "ada@example.com", "baseModel": "models/x"}
    return waits | {"priority": 0} | changes


@pytest.fixture
def root(db: None) -> User:
    return UserFactory(email="root@example.com", administrator=True)


@pytest.fixture
def browser(client: Client, root: User) -> Client:
    """An administrator, signed in."""
    client.force_login(root)
    return client


def page(browser: Client, settings: Settings, state: dict[str, Any], *bases: dict[str, Any]) -> str:
    """The page, when the service says that."""
    with scripted(answer(200, state), answer(200, {"baseModels": list(bases), "folders": []})) as service:
        settings.TUNING_SERVER_URL = service.url
        return browser.get(ENGINE).text


def test_page_shows_the_machine_and_what_runs_on_it(browser: Client, server: TuningServer) -> None:
    wait_until(lambda: "Answers questions" in browser.get(ENGINE).text)
    shown = browser.get(ENGINE).text
    assert "Alive" in shown
    assert "0 of 1 taken" in shown
    assert "Memory free" in shown
    assert "Nobody waits" in shown


@pytest.fixture
def three_jobs(server: TuningServer) -> Iterator[list[str]]:
    """One that runs for long, two that wait."""
    key = server.api_key("ada@example.com")
    names = ["at-work", "waits-1", "waits-2"]
    pairs = [{"textInput": str(number), "output": str(number + 1)} for number in range(15)]
    for name in names:
        task = {"trainingData": {"examples": {"examples": pairs}}, "hyperparameters": {"epochCount": 900}}
        model = {"displayName": name, "baseModel": "models/tiny-llama", "tuningTask": task}
        sent = server.post(f"/v1beta/tunedModels?tunedModelId={name}", key, json=model)
        assert sent.status_code == 200, sent.text
    server.wait_for_state("at-work", key, "RUNNING")
    yield names
    for name in reversed(names):
        server.delete(f"/v1beta/tunedModels/{name}", key)


def test_administrator_puts_a_job_to_the_front(browser: Client, server: TuningServer, three_jobs: list[str]) -> None:
    def waiting() -> list[str]:
        return re.findall(r"(waits-\d)<small>", browser.get(ENGINE).text)

    assert waiting() == ["waits-1", "waits-2"]
    job = JobFactory(model="tunedModels/at-work", display_name="My first model")
    wait_until(lambda: f'Tunes <a href="/jobs/{job.pk}/">My first model</a>' in browser.get(ENGINE).text)
    forms = re.findall(r'action="(/engine/jobs/[\w-]+/priority/)".*?name="priority" value="(\d+)"', oneline(browser))
    assert forms == [("/engine/jobs/waits-2/priority/", "1")]
    assert browser.post(forms[0][0], {"priority": forms[0][1]})["Location"] == ENGINE
    assert waiting() == ["waits-2", "waits-1"]
    assert "priority 1" in browser.get(ENGINE).text
    browser.post("/engine/jobs/waits-2/priority/", {"priority": "0"})
    assert waiting() == ["waits-1", "waits-2"]


def oneline(browser: Client) -> str:
    return browser.get(ENGINE).text.replace("\n", " ")


@pytest.mark.parametrize("priority", ["", "x", "101", "1.5"])
def test_priority_that_is_none_is_not_found(browser: Client, server: TuningServer, priority: str) -> None:
    assert browser.post("/engine/jobs/waits/priority/", {"priority": priority}).status_code == 404


def test_job_that_is_gone_is_said_to_be(browser: Client, server: TuningServer) -> None:
    answered = browser.post("/engine/jobs/nothing/priority/", {"priority": "1"}, follow=True)
    assert "Not found, or not yours" in answered.text


ADDRESSES = [
    ("get", ENGINE),
    ("get", "/engine/bases/"),
    ("post", "/engine/bases/"),
    ("post", "/engine/bases/tiny/prepare/"),
    ("get", "/engine/bases/tiny/remove/"),
    ("post", "/engine/bases/tiny/remove/"),
    ("post", "/engine/jobs/x/priority/"),
]


@pytest.mark.parametrize(("method", "address"), ADDRESSES)
def test_it_is_not_there_for_others(client: Client, alice: User, method: str, address: str) -> None:
    client.force_login(alice)
    assert getattr(client, method)(address, {"priority": "1"}).status_code == 404


def test_rail_leads_administrators_there_and_nobody_else(client: Client, browser: Client, alice: User) -> None:
    assert f'href="{ENGINE}"' in browser.get("/account/").text
    client.force_login(alice)
    assert f'href="{ENGINE}"' not in client.get("/account/").text


def test_poll_brings_the_page_only_when_something_has_changed(browser: Client, settings: Settings) -> None:
    shown = page(browser, settings, engine(TUNER), BASE)
    seen = re.findall(r'hx-get="/engine/\?seen=(\w+)"', shown)[0]
    busy = TUNER | {"children": [{"kind": "training", "pid": 7, "memoryBytes": 1 << 29, "model": "tunedModels/x"}]}
    bases = answer(200, {"baseModels": [BASE]})
    with scripted(answer(200, engine(TUNER)), bases, answer(200, engine(busy)), bases) as service:
        settings.TUNING_SERVER_URL = service.url
        assert browser.get(f"{ENGINE}?seen={seen}", headers=HTMX).status_code == 204
        news = browser.get(f"{ENGINE}?seen={seen}", headers=HTMX)
    assert "1 of 2 taken" in news.text
    assert "<html" not in news.text


def test_without_a_tuner_the_page_says_what_to_do(browser: Client, settings: Settings) -> None:
    shown = page(browser, settings, engine(waiting=1, next_=[turn("lonely")]))
    assert "No tuner is at work, so jobs wait." in shown
    assert "make run" in shown
    assert "lonely" in shown


def test_tuner_that_fell_silent_is_told_from_one_that_lives(browser: Client, settings: Settings) -> None:
    heard = (datetime.now(UTC) - timedelta(minutes=12)).isoformat()
    shown = page(browser, settings, engine(TUNER | {"alive": False, "heartbeat": heard}))
    assert "Last heard of" in shown
    assert "12 min ago" in shown
    assert "No tuner is at work" in shown


def test_queue_tells_when_a_job_may_start(browser: Client, settings: Settings) -> None:
    start = (datetime.now(UTC) + timedelta(minutes=5, seconds=30)).isoformat()
    shown = page(browser, settings, engine(TUNER, waiting=30, next_=[turn("soon", expectedStart=start)]))
    assert "in about 5 min" in shown
    assert "the first 1 of 30" in shown


def test_base_models_show_how_they_stand(browser: Client, settings: Settings) -> None:
    bases = [
        BASE | {"parameters": 134_515_008, "bytes": 300 << 20, "licence": "Apache-2.0", "fits": "fits"},
        BASE | {"name": "half", "state": "preparing", "preparing": 40, "removable": False},
        BASE | {"name": "huge", "state": "failed", "failure": "out_of_memory", "fits": "does_not_fit"},
        BASE | {"name": "far", "state": "absent"},
    ]
    shown = page(browser, settings, engine(TUNER), *bases)
    for word in ("135 M", "Apache-2.0", "40 % ready", "The machine ran out of memory", "Try again", "Make ready"):
        assert word in shown
    assert 'href="/engine/bases/tiny/remove/"' in shown
    assert 'href="/engine/bases/half/remove/"' not in shown


def test_hostile_names_are_shown_as_text(browser: Client, settings: Settings) -> None:
    bad = "<script>alert(1)</script>"
    child = {"kind": "training", "pid": 7, "memoryBytes": 1, "model": bad, "base": bad}
    tuner = TUNER | {"host": bad, "name": bad, "children": [child]}
    state = engine(tuner, waiting=1, next_=[turn("x", displayName=bad, owner=bad, baseModel=bad)])
    shown = page(browser, settings, state, BASE | {"displayName": bad, "licence": bad})
    assert "<script>alert" not in shown
    assert shown.count("&lt;script&gt;alert") >= 8


def test_service_that_is_away_says_so(browser: Client, no_server: None) -> None:
    away = browser.get(ENGINE)
    assert away.status_code == 503
    assert "does not answer" in away.text


def test_nothing_is_changed_without_a_csrf_token(root: User) -> None:
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(root)
    for method, address in ADDRESSES:
        if method == "post":
            assert forged.post(address, {"priority": "1"}).status_code == 403


def test_base_model_of_a_folder_becomes_ready_and_goes_again(browser: Client, server: TuningServer) -> None:
    tiny_models.publish("qwen2", server.var_dir / "bases" / "Small_Qwen")
    assert "Small_Qwen" in browser.get("/engine/bases/").text
    added = browser.post("/engine/bases/", {"folder": "Small_Qwen", "display_name": "Qwen, small"}, follow=True)
    assert "“small-qwen” is being made ready." in added.text
    again = browser.post("/engine/bases/", {"folder": "Small_Qwen"}).text
    assert "There is a base model of that name already" in again

    def removable() -> bool:
        return "/engine/bases/small-qwen/remove/" in browser.get(ENGINE).text

    wait_until(lambda: re.search(r"small-qwen</small></td>\s*<td>\s*<span[^>]*>Ready<", browser.get(ENGINE).text))
    assert removable()
    assert "was removed" in browser.post("/engine/bases/small-qwen/remove/", follow=True).text
    assert not removable()


def test_folder_that_cannot_be_tuned_is_refused_with_the_reason(browser: Client, server: TuningServer) -> None:
    config = tiny_models.publish("llama", server.var_dir / "bases" / "strange") / "config.json"
    config.write_text(config.read_text().replace("LlamaForCausalLM", "MambaForCausalLM"))
    shown = browser.post("/engine/bases/", {"folder": "strange"}).text
    assert "architecture cannot be tuned" in shown
    assert "Choose a base model that is a Llama, Mistral, Qwen2 or Gemma." in shown


FOLDERS = answer(200, {"baseModels": [BASE], "folders": ["Qwen2.5-0.5B_Instruct"]})


def test_base_model_is_added_from_a_folder(browser: Client, settings: Settings) -> None:
    with scripted(FOLDERS, answer(200, BASE)) as service:
        settings.TUNING_SERVER_URL = service.url
        sent = browser.post("/engine/bases/", {"folder": "Qwen2.5-0.5B_Instruct", "licence": "Apache-2.0"})
        assert sent["Location"] == ENGINE
        asked = service.asked[-1]
    wanted = {"name": "qwen2.5-0.5b-instruct", "folder": "Qwen2.5-0.5B_Instruct", "licence": "Apache-2.0"}
    assert asked.json() == wanted


def test_refusal_of_a_base_model_is_said_on_the_form(browser: Client, settings: Settings) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "ALREADY_EXISTS", "domain": "tuneboard"}
    refusal = {"error": {"code": 409, "message": "", "status": "ALREADY_EXISTS", "details": [info]}}
    with scripted(FOLDERS, answer(409, refusal)) as service:
        settings.TUNING_SERVER_URL = service.url
        shown = browser.post("/engine/bases/", {"folder": "Qwen2.5-0.5B_Instruct", "name": "tiny"}).text
    assert "A model of that name exists already" in shown
    assert 'value="tiny"' in shown


@pytest.mark.parametrize("name", ["Big", "-x", "a b", "x" * 65])
def test_name_that_cannot_be_is_refused_beside_the_field(browser: Client, settings: Settings, name: str) -> None:
    with scripted(FOLDERS) as service:
        settings.TUNING_SERVER_URL = service.url
        shown = browser.post("/engine/bases/", {"folder": "Qwen2.5-0.5B_Instruct", "name": name}).text
    assert 'aria-invalid="true"' in shown


def test_without_a_folder_the_page_says_where_to_put_one(browser: Client, settings: Settings) -> None:
    with scripted(answer(200, {"baseModels": []})) as service:
        settings.TUNING_SERVER_URL = service.url
        shown = browser.get("/engine/bases/").text
    assert "BASES_DIR" in shown
    assert "<form class" not in shown


def test_removing_asks_first(browser: Client, settings: Settings) -> None:
    with scripted(FOLDERS, FOLDERS, answer(200, {})) as service:
        settings.TUNING_SERVER_URL = service.url
        assert "Remove “Tiny”?" in browser.get("/engine/bases/tiny/remove/").text
        assert browser.post("/engine/bases/tiny/remove/")["Location"] == ENGINE
        assert service.asked[-1].path == "/tuneboard/v1/base-models/tiny"
