"""Thousands of bodies that are nearly right: none makes the server fail, and none leaves half of something behind."""

import json
import sqlite3
from collections.abc import Iterator
from copy import deepcopy
from itertools import count
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.processes import TuningServer, tuning_server
from tests.tuning.server import google_types as google
from tests.tuning.server.bodies import body
from tuning import assertions
from tuning.assertions import Identity

CREATE = body(epochs=2, description="what for", temperature=0.5, topP=0.9, top_k=3)
CREATE["tuning_task"]["training_data"]["examples"]["examples"] = [{"text_input": "NEW", "output": "2"}] * 2
ASK = {
    "contents": [{"role": "user", "parts": [{"text": "1"}]}],
    "generationConfig": {"temperature": 0.5, "topP": 0.9, "topK": 3, "maxOutputTokens": 4, "stopSequences": ["."]},
    "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
}
RIGHT: dict[str, tuple[str, Any]] = {
    "tunedModels?tunedModelId={new}": ("POST", CREATE),
    "tunedModels/{there}": ("PATCH", {"displayName": "new", "description": "new", "temperature": 0.1, "top_k": 4}),
    "tunedModels/{there}?updateMask=display_name,topP": ("PATCH", {"display_name": "new", "topP": 0.3}),
    "tunedModels/{there}/permissions": (
        "POST",
        {"granteeType": "USER", "emailAddress": "bob@example.com", "role": "READER"},
    ),
    "tunedModels/{there}/permissions/everyone?updateMask=role": ("PATCH", {"role": "READER"}),
    "tunedModels/{there}:transferOwnership": ("POST", {"emailAddress": "eve@example.com"}),
    "tunedModels/{there}:generateContent": ("POST", ASK),
    "models/tiny-llama:generateContent": ("POST", ASK),
    "models/tiny-llama:streamGenerateContent": ("POST", ASK),
    "models/tiny-llama:generateText": (
        "POST",
        {
            "prompt": {"text": "1"},
            "temperature": 0.5,
            "candidateCount": 2,
            "maxOutputTokens": 4,
            "stopSequences": ["."],
        },
    ),
    "models/tiny-llama:countTokens": ("POST", {"generateContentRequest": ASK}),
    "/tuneboard/v1/tokens": ("POST", {"baseModel": "models/tiny-llama", "texts": ["1", "2"]}),
    "/tuneboard/v1/keys": ("POST", {"name": "mine"}),
}
"""Requests, of v1beta unless they say otherwise, that are right, until something in their bodies is changed."""

many = settings(deadline=None, suppress_health_check=list(HealthCheck))
ODD = [None, True, 0, -1, 2**31, 2**63, 10**400, 1e308, float("nan"), "1e400", "4.5", "5.0", " 5", "٣"]
ODD += ["", "\0", "\ud800", "x" * 50_000, [], {}, [[]], {"": {}}]
json_values = st.sampled_from(ODD) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
CHANGES = ["replace", "replace", "replace", "copy", "remove", "rename", "add"]


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in ``tree`` with each of its keys."""
    for key in tree if isinstance(tree, dict) else range(len(tree)):
        yield tree, key
        if isinstance(tree[key], dict | list):
            yield from places(tree[key])


@st.composite
def nearly_right(draw: st.DrawFn) -> tuple[str, str, bytes]:
    """An address, a method, and a body in which one to three things are wrong, or at least different."""
    path = draw(st.sampled_from(sorted(RIGHT)))
    method, right = RIGHT[path]
    tree = deepcopy(right)
    for _ in range(draw(st.integers(1, 3))):
        found = list(places(tree))
        if found:
            change(draw, *draw(st.sampled_from(found)), found)
    return path, method, json.dumps(tree).encode()


def change(draw: st.DrawFn, container: Any, key: Any, found: list[tuple[Any, Any]]) -> None:
    match draw(st.sampled_from(CHANGES)):
        case "replace":
            container[key] = deepcopy(draw(json_values))
        case "copy":
            other, place = draw(st.sampled_from(found))
            container[key] = deepcopy(other[place])
        case "remove":
            del container[key]
        case "rename" if isinstance(container, dict):
            container[draw(st.sampled_from([key.upper(), key.title().replace("_", ""), f"{key} "]))] = container.pop(
                key
            )
        case "add" if isinstance(container, dict):
            container[draw(st.text(max_size=8) | st.sampled_from(FIELDS))] = deepcopy(draw(json_values))


FIELDS = ["name", "state", "role", "tuningTask", "learning_rate", "learningRateMultiplier", "tunedModelSource", "@type"]


@st.composite
def broken(draw: st.DrawFn) -> tuple[str, str, bytes]:
    """An address, a method, and a body of which a piece was cut out or overwritten."""
    path = draw(st.sampled_from(sorted(RIGHT)))
    method, right = RIGHT[path]
    sent = json.dumps(right).encode()
    start = draw(st.integers(0, len(sent)))
    end = draw(st.integers(start, min(start + 20, len(sent))))
    return (
        path,
        method,
        sent[:start] + draw(st.binary(max_size=4) | st.sampled_from([b",", b"{", b"null"])) + sent[end:],
    )


class Caller:
    """Sends bodies to a server of its own and remembers what it was told was made."""

    def __init__(self, server: TuningServer) -> None:
        self.server, self.key = server, server.api_key()
        self.made: set[str] = set()
        self._ids = (f"made-{number}" for number in count())
        self.there = self._make()

    def send(self, path: str, method: str, sent: bytes) -> requests.Response:
        new = next(self._ids)
        address = ("" if path.startswith("/") else "/v1beta/") + path.format(new=new, there=self.there)
        # Training data of its own for each: what a refusal left behind cannot pass for another's.
        data, who = sent.replace(b"NEW", new.encode()), self._person() if "keys" in path else self.key
        answer = self.server.request(method, address, who, data=data)
        if answer.ok and "{new}" in path:
            self.made.add(new)
        if answer.ok and "transferOwnership" in path:
            self.there = self._make()
        return answer

    def _person(self) -> str:
        """The word of the dashboard for a person: a key makes no keys."""
        return assertions.issue(Identity(email="ada@example.com"), self.server.secret)

    def _make(self) -> str:
        new = next(self._ids)
        answer = self.server.post(f"/v1beta/tunedModels?tunedModelId={new}", self.key, json=CREATE)
        assert answer.ok, answer.text
        self.made.add(new)
        return new


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    with tuning_server(tmp_path_factory.mktemp("mutations"), tuner=False) as server:
        caller = Caller(server)
        yield caller
        assert_nothing_is_half_made(caller)


def assert_nothing_is_half_made(caller: Caller) -> None:
    """What was answered with 200 is there, with its owner and its training data; nothing else is."""
    with sqlite3.connect(caller.server.var_dir / "tuning.sqlite3") as database:
        jobs = dict(database.execute("SELECT model_id, training_data FROM server_job"))
        owned = {
            row[0]
            for row in database.execute(
                "SELECT model_id FROM server_job j JOIN server_permission p ON p.job_id = j.id AND p.role = 1"
            )
        }
    kept = {path.stem for path in (caller.server.var_dir / "training").glob("*.jsonl")}
    assert jobs.keys() == caller.made == owned
    assert kept == set(jobs.values())


def assert_answered(answer: requests.Response, path: str) -> None:
    """It was done, or refused with Google's error body; only a model that is not loaded may be "unavailable"."""
    if answer.status_code == 200:
        return
    assert 400 <= answer.status_code < 500 or (
        path.startswith(("models/", "/tuneboard/v1/tokens")) and answer.status_code == 503
    ), answer.text
    error = answer.json()["error"]
    assert error["code"] == answer.status_code
    assert error["message"]
    assert error["status"].isupper()
    assert error["details"][0]["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"
    assert error["details"][0]["reason"]


@settings(many, max_examples=2000)
@given(request=nearly_right())
def test_a_body_nearly_right_is_taken_or_refused(caller: Caller, request: tuple[str, str, bytes]) -> None:
    assert_answered(caller.send(*request), request[0])


@settings(many, max_examples=500)
@given(request=broken())
def test_a_broken_body_is_refused(caller: Caller, request: tuple[str, str, bytes]) -> None:
    assert_answered(caller.send(*request), request[0])


def test_what_came_through_can_still_be_read(caller: Caller) -> None:
    listed = caller.server.get("/v1beta/tunedModels?pageSize=1000", caller.key)
    assert google.read(google.TunedModelPage, listed.text).tuned_models
