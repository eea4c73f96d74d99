"""Models that were made elsewhere: they answer as they did, are taken once, and hostile files are refused."""

from collections.abc import Callable
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
import orjson
import pytest
import requests

from tests.processes import TuningServer
from tests.tuning.server.bodies import body
from tuning import assertions, curves
from tuning.assertions import Identity
from tuning.jobs import Point

Members = dict[str, bytes]
WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"


@pytest.fixture
def root(server: TuningServer) -> str:
    """An administrator's word, which holds for a minute."""
    return assertions.issue(Identity(email="root@example.com", administrator=True), server.secret)


@pytest.fixture(scope="module")
def members(server: TuningServer, key: str) -> Members:
    """What is sent of a model that was really tuned."""
    assert server.post("/v1beta/tunedModels?tunedModelId=left", key, json=body(epochs=5)).status_code == 200
    job = server.wait_for_state("left", key)
    assert job["state"] == "SUCCEEDED"
    with ZipFile(BytesIO(server.get("/tuneboard/v1/jobs/left/adapter", key).content)) as adapter:
        taken = {name: adapter.read(f"left/{name}") for name in (CONFIG, WEIGHTS)}
    model = {
        "displayName": "Arrived",
        "description": "from elsewhere",
        "owner": "ada@example.com",
        "baseModel": "models/gemini-1.0-pro-001",
        "temperature": 0.5,
        "recipe": job["recipe"],
        "examples": 15,
        "totalSteps": job["totalSteps"],
        "created": "2026-01-02T03:04:05Z",
        "finished": "2026-01-02T03:05:05Z",
    }
    points = curves.pack(Point(*row) for row in job["points"])
    return {"model.json": orjson.dumps(model), "points.bin": points, **taken}


def packed(members: Members, kind: int = ZIP_STORED) -> bytes:
    sent = BytesIO()
    with ZipFile(sent, "w", kind) as archive:
        for name, data in members.items():
            archive.writestr(ZipInfo(name), data, compress_type=kind)
    return sent.getvalue()


def put(server: TuningServer, key: str, data: bytes, name: str = "arrived") -> requests.Response:
    return server.request("PUT", f"/tuneboard/v1/jobs/{name}/adapter", key, data=data)


def ask(server: TuningServer, key: str, name: str) -> str:
    question = {
        "contents": [{"parts": [{"text": "one"}]}],
        "generationConfig": {"temperature": 0, "maxOutputTokens": 9},
    }
    answer = server.post(f"/v1beta/tunedModels/{name}:generateContent", key, json=question)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["candidates"][0]["content"]["parts"][0]["text"])


def test_model_answers_as_it_did_elsewhere(server: TuningServer, key: str, root: str, members: Members) -> None:
    answer = put(server, root, packed(members))
    assert answer.status_code == 200, answer.text
    assert ask(server, key, "arrived") == ask(server, key, "left")
    arrived, left = server.job("arrived", key), server.job("left", key)
    for part in ("points", "recipe", "state", "totalSteps", "completedSteps"):
        assert arrived[part] == left[part]
    assert arrived["operation"] == answer.json()["operation"]
    model = server.get("/v1beta/tunedModels/arrived", key).json()
    assert (model["displayName"], model["temperature"]) == ("Arrived", 0.5)
    assert server.get("/tuneboard/v1/jobs/arrived/training-data", key).status_code == 404
    assert server.get("/v1beta/tunedModels/arrived", server.api_key("bob@example.com")).status_code == 403
    again = put(server, root, packed(members))
    assert again.json() == answer.json()
    assert server.delete("/v1beta/tunedModels/arrived", key).status_code == 200
    assert not (server.var_dir / "adapters" / "arrived").exists()


def test_model_that_arrived_is_tuned_further(server: TuningServer, key: str, root: str, members: Members) -> None:
    assert put(server, root, packed(members), "source").status_code == 200
    further = body() | {"tuned_model_source": {"tuned_model": "tunedModels/source"}}
    del further["base_model"]
    assert server.post("/v1beta/tunedModels?tunedModelId=further", key, json=further).status_code == 200
    assert server.wait_for_state("further", key)["state"] == "SUCCEEDED"


def test_only_administrators_bring_models(server: TuningServer, key: str, members: Members) -> None:
    assert put(server, key, packed(members)).status_code == 403


def test_another_model_of_that_name_is_not_replaced(
    server: TuningServer, key: str, root: str, members: Members
) -> None:
    assert put(server, root, packed(members), "kept").status_code == 200
    before = ask(server, key, "kept")
    weights = members[WEIGHTS][:-4] + np.float32(0.25).tobytes()
    answer = put(server, root, packed(members | {WEIGHTS: weights}), "kept")
    assert answer.status_code == 409, answer.text
    assert ask(server, key, "kept") == before


def changed(members: Members, **changes: Any) -> Members:
    return members | {"model.json": orjson.dumps(orjson.loads(members["model.json"]) | changes)}


def configured(members: Members, **changes: Any) -> Members:
    return members | {CONFIG: orjson.dumps(orjson.loads(members[CONFIG]) | changes)}


def held_out(members: Members, *steps: int) -> Members:
    return changed(members, validation=[{"step": step, "epoch": 1, "loss": 1.0} for step in steps])


def without(members: Members, name: str) -> Members:
    return {other: data for other, data in members.items() if other != name}


def cut(members: Members, name: str, size: int) -> Members:
    return members | {name: members[name][:size]}


HOSTILE: dict[str, Callable[[Members], bytes]] = {
    "nothing": lambda members: b"",
    "no zip": lambda members: b"PK\3\4 no zip",
    "half": lambda members: packed(members)[:5000],
    "compressed": lambda members: packed(members, ZIP_DEFLATED),
    "one more": lambda members: packed(members | {"evil.py": b""}),
    "out of the folder": lambda members: packed(without(members, CONFIG) | {f"../{CONFIG}": members[CONFIG]}),
    "one missing": lambda members: packed(without(members, WEIGHTS)),
    "no owner": lambda members: packed(changed(members, owner="nobody")),
    "no examples": lambda members: packed(changed(members, examples=0)),
    "too hot": lambda members: packed(changed(members, temperature=7)),
    "unknown field": lambda members: packed(changed(members, password="x")),
    "points past the end": lambda members: packed(changed(members, totalSteps=1)),
    "half a point": lambda members: packed(cut(members, "points.bin", 30)),
    "points left out": lambda members: packed(members | {"points.bin": members["points.bin"][20:]}),
    "stopped before it began": lambda members: packed(changed(members, stoppedStep=-5)),
    "stopped after its end": lambda members: packed(changed(members, stoppedStep=2**62)),
    "a held-out loss of no step": lambda members: packed(held_out(members, 2**64 - 1)),
    "a held-out loss twice": lambda members: packed(held_out(members, 1, 1)),
    "before there were years": lambda members: packed(changed(members, created="0001-01-01T00:00:00+14:00")),
    "another rank": lambda members: packed(configured(members, r=4)),
    "no rank": lambda members: packed(configured(members, r="8")),
    "alpha without end": lambda members: packed(configured(members, lora_alpha=-1)),
    "weights cut off": lambda members: packed(cut(members, WEIGHTS, 2000)),
    "weights of no number": lambda members: packed(
        members | {WEIGHTS: members[WEIGHTS][:-4] + np.float32("nan").tobytes()}
    ),
    "weights with a pickle's name": lambda members: packed(members | {WEIGHTS: b"\x80\x04" + members[WEIGHTS]}),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_cannot_be_used_is_refused_and_leaves_nothing(
    server: TuningServer, key: str, root: str, members: Members, what: str
) -> None:
    answer = put(server, root, HOSTILE[what](members), "hostile")
    assert answer.status_code == 400, answer.text
    assert server.get("/v1beta/tunedModels/hostile", key).status_code in (403, 404)
    assert not list((server.var_dir / "adapters").glob("hostile/*"))


def test_unknown_base_model_is_named(server: TuningServer, root: str, members: Members) -> None:
    elsewhere = configured(members, base_model_name_or_path="models/never-heard-of")
    answer = put(server, root, packed(elsewhere), "baseless")
    assert answer.status_code == 404
    assert "never-heard-of" in answer.json()["error"]["message"]


def test_bad_name_is_refused(server: TuningServer, root: str, members: Members) -> None:
    assert put(server, root, packed(members), "Bad_Name").status_code == 400
