"""``/tuneboard/v1/tokens``: tokens counted before anything is started."""

from hashlib import sha256
from typing import Any

import pytest
import requests

from tests.processes import TuningServer, wait_until
from tests.tuning.server.test_uploads import ROWS, jsonl, put

BASE = "models/tiny-llama"


@pytest.fixture(scope="module")
def ready(server: TuningServer, key: str) -> TuningServer:
    """The server once it can count."""
    wait_until(lambda: server.get("/tuneboard/v1/status", key).json()["inference"])
    return server


def count(server: TuningServer, key: str, **body: Any) -> requests.Response:
    return server.post("/tuneboard/v1/tokens", key, json={"baseModel": BASE} | body)


def test_texts_have_as_many_tokens_as_when_they_are_asked(ready: TuningServer, key: str) -> None:
    texts = ["one", "", "ninety nine", "<|im_end|>"]
    counted = count(ready, key, texts=texts).json()
    assert counted["totalTokens"] == sum(counted["tokens"])
    for text, tokens in zip(["one", "ninety nine"], [counted["tokens"][0], counted["tokens"][2]], strict=True):
        question = {"contents": [{"parts": [{"text": text}]}], "generationConfig": {"maxOutputTokens": 1}}
        answer = ready.post(f"/v1beta/{BASE}:generateContent", key, json=question).json()
        assert tokens == answer["usageMetadata"]["promptTokenCount"]


def test_dataset_is_counted_example_by_example(ready: TuningServer, key: str) -> None:
    data = jsonl(ROWS)
    put(ready, key, data)
    counted = count(ready, key, dataset=f"sha256:{sha256(data).hexdigest()}").json()
    inputs = count(ready, key, texts=[row["text_input"] for row in ROWS]).json()["tokens"]
    assert counted["examples"] == len(ROWS)
    assert (counted["inputTokens"], counted["longestInput"]) == (sum(inputs), max(inputs))
    assert len(ROWS) < counted["outputTokens"] < counted["inputTokens"]
    assert counted["totalTokens"] == counted["inputTokens"] + counted["outputTokens"]


def test_datasets_of_others_are_not_counted(ready: TuningServer, key: str) -> None:
    data = jsonl(ROWS[:2])
    put(ready, key, data)
    eve = ready.api_key("eve@example.com")
    assert count(ready, eve, dataset=f"sha256:{sha256(data).hexdigest()}").status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"texts": []}, 400),
        ({"texts": ["x"] * 101}, 400),
        ({"texts": ["x" * 40_001]}, 400),
        ({"texts": [1]}, 400),
        ({"texts": "x"}, 400),
        ({"dataset": "x"}, 400),
        ({"texts": ["x"], "dataset": "sha256:" + "0" * 64}, 400),
        ({"dataset": "sha256:" + "0" * 64}, 404),
        ({"texts": ["x"], "baseModel": ""}, 400),
        ({"texts": ["x"], "baseModel": "models/none"}, 404),
    ],
)
def test_what_cannot_be_counted_is_refused(idle_server: TuningServer, idle_key: str, body: Any, status: int) -> None:
    assert count(idle_server, idle_key, **body).status_code == status


def test_nothing_is_counted_before_the_model_is_loaded(idle_server: TuningServer, idle_key: str) -> None:
    assert count(idle_server, idle_key, texts=["one"]).status_code == 503
