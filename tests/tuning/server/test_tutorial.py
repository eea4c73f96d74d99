"""The published tutorial's Python, with only the base URL and the credentials replaced."""

import pytest
import requests

from tests.processes import TuningServer, wait_until
from tests.tuning.server import google_types as google
from tests.tuning.server.bodies import TUTORIAL


@pytest.fixture(scope="module")
def finished(server: TuningServer, key: str) -> dict:
    """The tutorial's operation once it is done."""
    operation = server.post("/v1beta/tunedModels", key, headers={"x-goog-user-project": "p"}, json=TUTORIAL)
    assert operation.status_code == 200, operation.text
    name = operation.json()["name"]

    def done() -> dict | None:
        polled = server.get(f"/v1/{name}", key).json()
        return polled if "response" in polled or "error" in polled else None

    return wait_until(done)


def test_operation_is_done_with_a_response_and_a_snapshot_a_step(finished: dict) -> None:
    operation = google.operation(requests.models.complexjson.dumps(finished))
    metadata = google.unpack(operation.metadata, google.Metadata)
    assert operation.done
    assert (metadata.total_steps, metadata.completed_steps, metadata.completed_percent) == (19, 19, 100)
    assert [snapshot.step for snapshot in metadata.snapshots] == list(range(1, 20))
    assert [snapshot.epoch for snapshot in metadata.snapshots] == [step * 4 // 15 for step in range(1, 20)]
    model = google.unpack(operation.response, google.TunedModel)
    assert model.State.Name(model.state) == "ACTIVE"


def test_last_snapshot_is_shaped_as_recorded(finished: dict) -> None:
    last = finished["metadata"]["snapshots"][-1]
    assert list(last) == ["step", "epoch", "meanLoss", "computeTime"]
    assert (last["step"], last["epoch"]) == (19, 5)


def test_tuned_model_echoes_what_was_asked(server: TuningServer, key: str, finished: dict) -> None:
    answer = server.get(f"/v1beta/{finished['metadata']['tunedModel']}", key)
    google.read(google.TunedModel, answer.text)
    model = answer.json()
    assert model["baseModel"] == "models/gemini-1.0-pro-001"
    assert model["displayName"] == "number generator"
    assert (model["temperature"], model["topP"], model["topK"]) == (0.9, 1, 0)
    assert model["tuningTask"]["hyperparameters"] == {"epochCount": 5, "batchSize": 4, "learningRate": 0.001}
    assert model["updateTime"] == model["tuningTask"]["completeTime"]
    assert model["createTime"] <= model["tuningTask"]["startTime"] <= model["tuningTask"]["completeTime"]
    assert "trainingData" not in model["tuningTask"]


def test_tuned_model_answers(server: TuningServer, key: str, finished: dict) -> None:
    name = finished["metadata"]["tunedModel"]
    wait_until(lambda: server.get("/tuneboard/v1/status", key).json()["inference"])
    answer = server.post(f"/v1beta/{name}:generateContent", key, json={"contents": [{"parts": [{"text": "LXIII"}]}]})
    assert answer.status_code == 200, answer.text
    response = google.read(google.Answer, answer.text)
    assert response.candidates[0].content.role == "model"
    assert answer.json()["candidates"][0]["index"] == 0
    assert answer.json()["candidates"][0]["finishReason"] in {"STOP", "MAX_TOKENS"}
    usage = response.usage_metadata
    assert usage.total_token_count == usage.prompt_token_count + usage.candidates_token_count > 0


def test_answers_are_pretty_json_that_ends_in_a_newline(server: TuningServer, key: str, finished: dict) -> None:
    answer = server.get(f"/v1/{finished['name']}", key)
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert answer.text.startswith('{\n  "name"')
    assert answer.text.endswith("}\n")
