"""Asking base models and tuned models."""

from typing import Any

import pytest
import requests

from tests.processes import TuningServer, wait_until
from tests.tuning.server import google_types as google
from tests.tuning.server.bodies import TUTORIAL, body

BASE = "/v1beta/models/tiny-llama:generateContent"


def question(text: str = "one", **config: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], "generationConfig": config}


@pytest.fixture(scope="module")
def asked(server: TuningServer, key: str) -> TuningServer:
    """The server once it can be asked."""
    wait_until(lambda: server.get("/tuneboard/v1/status", key).json()["inference"])
    return server


def test_base_model_answers(asked: TuningServer, key: str) -> None:
    answer = asked.post(BASE, key, json=question(temperature=0, maxOutputTokens=5))
    assert answer.status_code == 200, answer.text
    response = google.read(google.Answer, answer.text)
    assert 0 < response.usage_metadata.candidates_token_count <= 5


def test_service_name_of_a_base_model_answers(asked: TuningServer, key: str) -> None:
    answer = asked.post("/v1/models/gemini-1.0-pro-001:generateContent", key, json=question(maxOutputTokens=3))
    assert answer.status_code == 200, answer.text


def test_greedy_answers_of_tuned_and_base_model_differ(asked: TuningServer, key: str) -> None:
    sent = body(epochs=20)
    sent["tuning_task"]["hyperparameters"]["learning_rate"] = 0.01
    asked.post("/v1beta/tunedModels?tunedModelId=learnt", key, json=sent)
    assert asked.wait_for_state("learnt", key)["state"] == "SUCCEEDED"
    greedy = question(temperature=0, maxOutputTokens=8)
    tuned, again = (asked.post("/v1beta/tunedModels/learnt:generateContent", key, json=greedy).json() for _ in range(2))
    base = asked.post(BASE, key, json=greedy).json()
    assert tuned["candidates"] == again["candidates"]
    assert tuned["candidates"] != base["candidates"]


def refused(answer: requests.Response) -> str:
    assert answer.status_code == 400, answer.text
    return str(answer.json()["error"]["message"])


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"temperature": 2.5}, "temperature"),
        ({"temperature": "NaN"}, "temperature"),
        ({"topP": 2}, "top_p"),
        ({"topK": -1}, "top_k"),
        ({"maxOutputTokens": 0}, "max_output_tokens"),
        ({"maxOutputTokens": 100_000}, "max_output_tokens"),
        ({"candidateCount": 2}, "candidate_count"),
        ({"seed": 1e300}, "seed"),
        ({"stopSequences": ["x"] * 6}, "stop_sequences"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_generation_config_is_refused(asked: TuningServer, key: str, config: dict[str, Any], named: str) -> None:
    assert named in refused(asked.post(BASE, key, json=question(**config)))


@pytest.mark.parametrize(
    "sent", [{}, {"contents": []}, {"contents": [{"parts": []}]}, {"contents": [{"parts": [{"text": ""}]}]}]
)
def test_empty_question_is_refused(asked: TuningServer, key: str, sent: dict[str, Any]) -> None:
    assert "contents is not specified" in refused(asked.post(BASE, key, json=sent))


def test_conversation_is_refused(asked: TuningServer, key: str) -> None:
    turns = [{"role": role, "parts": [{"text": "hi"}]} for role in ("user", "model", "user")]
    assert "Multiturn chat is not enabled" in refused(asked.post(BASE, key, json={"contents": turns}))


def test_prompt_that_does_not_fit_is_refused(asked: TuningServer, key: str) -> None:
    assert refused(asked.post(BASE, key, json=question("x" * 40_001)))
    assert "context" in refused(asked.post(BASE, key, json=question("word " * 2_000)))


def test_model_still_creating_cannot_be_asked(idle_server: TuningServer, idle_key: str) -> None:
    idle_server.post("/v1beta/tunedModels?tunedModelId=unripe", idle_key, json=TUTORIAL)
    answer = idle_server.post("/v1beta/tunedModels/unripe:generateContent", idle_key, json=question())
    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "FAILED_PRECONDITION"


def test_without_an_inference_process_the_answer_is_unavailable(idle_server: TuningServer, idle_key: str) -> None:
    answer = idle_server.post(BASE, idle_key, json=question())
    assert answer.status_code == 503
    assert answer.json()["error"]["status"] == "UNAVAILABLE"


def test_base_models_are_listed_with_their_methods(idle_server: TuningServer, idle_key: str) -> None:
    answer = idle_server.get("/v1beta/models", idle_key)
    models = {model.name: model for model in google.read(google.ModelPage, answer.text).models}
    assert {"models/tiny-llama", "models/smollm2-135m-instruct", "models/gemini-1.5-flash-001-tuning"} <= models.keys()
    assert "createTunedModel" in models["models/tiny-llama"].supported_generation_methods
    one = idle_server.get("/v1beta/models/gemini-1.0-pro-001", idle_key)
    assert google.read(google.Model, one.text).temperature == pytest.approx(0.9)
