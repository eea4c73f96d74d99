"""What the library does with a model's service: it presents the model anew, and hears when it was asked."""

import html
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from dashboard.accounts.models import User
from dashboard.audit.models import Entry
from dashboard.library import tasks, uses
from dashboard.library.models import Grant, Role, TunedModel
from tests.factories import TunedModelFactory, UserFactory
from tests.processes import TuningServer, wait_until
from tests.tuning.server.bodies import body

pytestmark = [pytest.mark.django_db, pytest.mark.engine]

NAME = "presented"


@pytest.fixture
def model(server: TuningServer, alice: User) -> TunedModel:
    """A model of Alice's that its service has."""
    key = server.api_key(alice.email)
    path = f"/v1beta/tunedModels/{NAME}"
    if server.get(path, key).status_code != 200:
        server.post(f"/v1beta/tunedModels?tunedModelId={NAME}", key, json=body(epochs=1))
        assert server.wait_for_state(NAME, key)["state"] == "SUCCEEDED"
    sent = {"displayName": "Counting", "description": "", "temperature": 0.9, "topP": 0.95, "topK": 40}
    assert server.patch(path, key, json=sent).status_code == 200
    made: TunedModel = TunedModelFactory(owner=alice, name=f"tunedModels/{NAME}", display_name="Counting")
    return made


def sent(page: str, **changes: str) -> dict[str, str]:
    """What a browser sends of the form on ``page``, with ``changes``."""
    fields = {}
    for tag in re.findall(r"<input[^>]*>", page):
        said = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "name" in said and said["name"] != "csrfmiddlewaretoken":
            fields[said["name"]] = html.unescape(said.get("value", ""))
    for name, text in re.findall(r'<textarea name="(\w+)"[^>]*>\r?\n?([^<]*)</textarea>', page):
        fields[name] = html.unescape(text)
    return fields | changes


def test_service_takes_a_name_and_the_record_follows(browser: Client, model: TunedModel, server: TuningServer) -> None:
    page = browser.get(f"/library/{model.pk}/edit/").content.decode()
    assert 'value="0.9"' in page  # as its service has it
    changed = sent(page, display_name="Next number", description="Line one\r\nline two", temperature="0.2", top_k="")
    assert browser.post(f"/library/{model.pk}/edit/", changed)["Location"] == f"/library/{model.pk}/"
    at_service = server.get(f"/v1beta/{model.name}", server.api_key(model.owner.email)).json()
    assert at_service["displayName"] == "Next number"
    assert at_service["description"] == "Line one\nline two"
    assert at_service["temperature"] == 0.2
    model.refresh_from_db()
    assert (model.display_name, model.description, model.temperature) == ("Next number", "Line one\nline two", 0.2)
    assert (model.top_p, model.top_k) == (at_service["topP"], at_service["topK"])  # the base model's again
    entry = Entry.objects.latest("pk")
    assert (entry.event, entry.facts["fields"]) == ("model.presented", "description, display_name, temperature, top_k")


def test_only_what_the_person_changed_is_sent(browser: Client, model: TunedModel, server: TuningServer) -> None:
    page = browser.get(f"/library/{model.pk}/edit/").content.decode()
    key = server.api_key(model.owner.email)
    server.patch(f"/v1beta/{model.name}", key, json={"displayName": "Somebody else's word"})
    browser.post(f"/library/{model.pk}/edit/", sent(page, temperature="0.3"))
    model.refresh_from_db()
    assert (model.display_name, model.temperature) == ("Somebody else's word", 0.3)


def test_refusal_is_shown_and_the_record_stays(browser: Client, model: TunedModel) -> None:
    page = browser.get(f"/library/{model.pk}/edit/").content.decode()
    refused = browser.post(f"/library/{model.pk}/edit/", sent(page, display_name="Better", temperature="9"))
    assert refused.status_code == 200
    shown = refused.content.decode()
    assert 'role="alert"' in shown
    assert 'value="Better"' in shown
    model.refresh_from_db()
    assert model.display_name == "Counting"


def test_reader_of_the_record_whom_the_service_does_not_know_as_writer_is_refused_by_it(
    client: Client, model: TunedModel
) -> None:
    """The mirror says writer; the service, which judges, does not."""
    person: User = UserFactory()
    Grant.objects.create(model=model, person=person, role=Role.WRITER)
    client.force_login(person)
    answer = client.post(f"/library/{model.pk}/edit/", {"display_name": "Mine", "initial-display_name": "Counting"})
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    model.refresh_from_db()
    assert model.display_name == "Counting"


@pytest.mark.usefixtures("no_server")
def test_silent_service_is_said_so(browser: Client, alice: User) -> None:
    model = TunedModelFactory(owner=alice)
    assert "does not answer" in browser.get(f"/library/{model.pk}/edit/").content.decode()
    assert "does not answer" in browser.get(f"/library/{model.pk}/sampling/").content.decode()


def test_page_asks_for_sampling_that_it_does_not_know(browser: Client, model: TunedModel) -> None:
    assert f'hx-get="/library/{model.pk}/sampling/"' in browser.get(f"/library/{model.pk}/").content.decode()
    assert "temperature 0.9" in browser.get(f"/library/{model.pk}/sampling/").content.decode()
    page = browser.get(f"/library/{model.pk}/").content.decode()
    assert "top-k 40" in page
    assert "/sampling/" not in page


def test_use_by_a_script_is_heard_and_one_in_the_playground_is_noted(
    browser: Client, model: TunedModel, server: TuningServer
) -> None:
    key = server.api_key(model.owner.email)
    wait_until(lambda: server.get("/tuneboard/v1/status", key).json()["inference"])
    question = {"contents": [{"parts": [{"text": "one"}]}], "generationConfig": {"maxOutputTokens": 1}}
    assert server.post(f"/v1beta/{model.name}:generateContent", key, json=question).status_code == 200
    tasks.hear_uses.call(model.connection_id)
    model.refresh_from_db()
    assert model.last_used is not None
    assert timezone.now() - model.last_used < timedelta(minutes=5)
    assert "scripts" not in uses.told(model).source
    TunedModel.objects.filter(pk=model.pk).update(last_used=None)
    asked = {"target": f"{model.connection_id}:{model.name}", "prompt": "one", "max_output_tokens": "1"}
    browser.post("/playground/", asked)
    model.refresh_from_db()
    assert model.last_used is not None


@pytest.mark.usefixtures("no_server")
def test_silent_service_tells_of_no_use(alice: User) -> None:
    model = TunedModelFactory(owner=alice)
    tasks.hear_uses.call(model.connection_id)
    model.refresh_from_db()
    assert model.last_used is None


def test_playground_begins_with_the_sampling_that_was_set(browser: Client, model: TunedModel) -> None:
    TunedModel.objects.filter(pk=model.pk).update(temperature=0.125, display_name="Renamed")
    page = browser.get("/playground/", {"model": model.name}).content.decode()
    assert 'value="0.125"' in page
    assert "Renamed" in page
