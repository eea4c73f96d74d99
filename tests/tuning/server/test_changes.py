"""PATCH of a tuned model."""

from itertools import count
from typing import Any

import pytest

from tests.processes import TuningServer
from tests.tuning.server import google_types as google
from tests.tuning.server.bodies import TUTORIAL

NUMBERS = count()


@pytest.fixture
def model(idle_server: TuningServer, idle_key: str) -> str:
    chosen = f"changed-{next(NUMBERS)}"
    sent = TUTORIAL | {"description": "before", "temperature": 0.5}
    assert idle_server.post(f"/v1beta/tunedModels?tunedModelId={chosen}", idle_key, json=sent).status_code == 200
    return f"/v1beta/tunedModels/{chosen}"


@pytest.mark.parametrize(
    ("mask", "changed"),
    [
        ("?updateMask=displayName", {"displayName"}),
        ("?update_mask=display_name", {"displayName"}),
        ("?updateMask=displayName,%20top_p", {"displayName", "topP"}),
        ("?updateMask=*", {"displayName", "description", "temperature", "topP", "topK", "readerProjectNumbers"}),
        ("", {"displayName", "description", "topP", "readerProjectNumbers"}),
    ],
)
def test_fields_of_the_mask_are_changed_and_no_others(
    idle_server: TuningServer, idle_key: str, model: str, mask: str, changed: set[str]
) -> None:
    before = idle_server.get(model, idle_key).json()
    sent = {
        "display_name": "after",
        "description": "after",
        "topP": 0.25,
        "readerProjectNumbers": ["9223372036854775807"],
    }
    answer = idle_server.patch(model + mask, idle_key, json=sent)
    google.read(google.TunedModel, answer.text)
    after = answer.json()
    assert after == idle_server.get(model, idle_key).json()
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} - {"updateTime"} == (
        changed - {"topK"}  # what the body lacks becomes the base model's default, as topK was
    )
    assert after["updateTime"] > before["updateTime"]


def test_whole_model_may_be_sent_back_with_its_output_only_fields(
    idle_server: TuningServer, idle_key: str, model: str
) -> None:
    before = idle_server.get(model, idle_key).json()
    sent = before | {"state": 2, "displayName": "renamed", "name": "tunedModels/another"}
    after = idle_server.patch(model, idle_key, json=sent).json()
    assert after == before | {"displayName": "renamed", "updateTime": after["updateTime"]}
    after = idle_server.patch(f"{model}?updateMask=description", idle_key, json=sent | {"temperature": 7}).json()
    assert (after["temperature"], after["description"]) == (0.5, "before")


def test_text_is_emptied_by_a_mask(idle_server: TuningServer, idle_key: str, model: str) -> None:
    after = idle_server.patch(f"{model}?updateMask=displayName,description", idle_key, json={}).json()
    assert "displayName" not in after
    assert "description" not in after


def test_nothing_to_change_changes_nothing(idle_server: TuningServer, idle_key: str, model: str) -> None:
    before = idle_server.get(model, idle_key).json()
    assert idle_server.patch(model, idle_key, json={}).json() == before
    assert idle_server.patch(model, idle_key, json={"state": "FAILED", "createTime": None}).json() == before


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (("tuningTask.hyperparameters", {}), "tuningTask.hyperparameters"),
        (("state", {"state": 3}), "state"),
        (("displayName,", {"displayName": "x"}), "update_mask"),
        (("colour", {}), "colour"),
        (("*,state", {}), "update_mask"),
        (("", {"colour": 1}), "colour"),
        (("", {"displayName": "x" * 41}), "tuned_model.display_name"),
        (("", {"displayName": "\0"}), "tuned_model"),
        (("", {"temperature": 1.5}), "tuned_model.temperature"),
        (("topP", {"topP": "NaN"}), "tuned_model.top_p"),
        (("", {"topK": -1}), "tuned_model.top_k"),
        (("", {"readerProjectNumbers": [2**63]}), "reader_project_numbers"),
        (("", []), "tuned_model"),
        (("", "x"), "tuned_model"),
    ],
)
def test_wrong_change_is_refused_and_changes_nothing(
    idle_server: TuningServer, idle_key: str, model: str, asked: tuple[str, Any], named: str
) -> None:
    mask, sent = asked
    before = idle_server.get(model, idle_key).json()
    answer = idle_server.patch(f"{model}?updateMask={mask}", idle_key, json=sent)
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT"), answer.text
    assert named in answer.json()["error"]["message"]
    assert idle_server.get(model, idle_key).json() == before
