"""Tuning a tuned model further."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.processes import TuningServer
from tests.tuning.server import google_types as google
from tests.tuning.server.bodies import LONG, body

BASE = "models/gemini-1.0-pro-001"
NUMBERS = count()


@pytest.fixture(scope="module")
def source(server: TuningServer, key: str) -> str:
    """An active model, whose loss has fallen."""
    sent = body(epochs=40, base_model=BASE)
    sent["tuning_task"]["hyperparameters"]["learning_rate"] = 5e-3
    assert server.post("/v1beta/tunedModels?tunedModelId=the-source", key, json=sent).status_code == 200
    assert server.wait_for_state("the-source", key)["state"] == "SUCCEEDED"
    return "tunedModels/the-source"


def further(
    server: TuningServer, key: str, source: str, chosen: str = "", version: str = "v1beta"
) -> tuple[str, requests.Response]:
    """The name of a new model, to be tuned from ``source``, and the answer to the request for it."""
    chosen = chosen or f"further-{next(NUMBERS)}"
    sent = body() | {"base_model": None, "tunedModelSource": {"tunedModel": source}}
    answer = server.post(f"/{version}/tunedModels?tunedModelId={chosen}", key, json=sent)
    return f"tunedModels/{chosen}", answer


@contextmanager
def busy(server: TuningServer, key: str) -> Iterator[str]:
    """The tuner has a long job, so others wait; the job's name."""
    name = f"busy-{next(NUMBERS)}"
    operation = server.post(f"/v1beta/tunedModels?tunedModelId={name}", key, json=body(epochs=LONG)).json()["name"]
    yield f"tunedModels/{name}"
    server.post(f"/v1/{operation}:cancel", key)


def losses(job: dict[str, Any]) -> list[float]:
    return [value for _, _, value, _ in job["points"]]


def kept(server: TuningServer) -> list[Path]:
    """The copies of sources for jobs that wait or run."""
    return list((server.var_dir / "sources").glob("*"))


def refused(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["status"]


def test_model_goes_on_from_its_source_names_it_and_is_a_source_itself(
    server: TuningServer, key: str, source: str
) -> None:
    once, answer = further(server, key, source)
    google.operation(answer.text)
    job = server.wait_for_state(once, key)
    assert job["state"] == "SUCCEEDED"
    assert losses(job)[0] < losses(server.job(source, key))[0] / 2
    assert kept(server) == []

    with busy(server, key):
        twice, _ = further(server, key, once)
        assert server.delete(f"/v1beta/{once}", key).status_code == 200
    assert server.wait_for_state(twice, key)["state"] == "SUCCEEDED"
    answer = server.get(f"/v1beta/{twice}", key)
    google.read(google.TunedModel, answer.text)
    assert answer.json()["tunedModelSource"] == {"tunedModel": once, "baseModel": BASE}
    assert "baseModel" not in answer.json()


def test_source_must_be_there_and_active_and_the_callers_to_read(server: TuningServer, key: str, source: str) -> None:
    eve = server.api_key("eve@example.com")
    assert refused(further(server, eve, source)[1]) == (403, "PERMISSION_DENIED")
    assert refused(further(server, key, "tunedModels/absent")[1]) == (404, "NOT_FOUND")
    assert refused(further(server, key, "models/tiny-llama")[1]) == (404, "NOT_FOUND")
    with busy(server, key) as unfinished:
        assert refused(further(server, key, unfinished)[1]) == (400, "FAILED_PRECONDITION")
        assert kept(server) == []
        share = {"emailAddress": "eve@example.com", "role": "READER"}
        assert server.post(f"/v1beta/{source}/permissions", key, json=share).status_code == 200
        name, answer = further(server, eve, source, version="v1beta3")
        assert answer.status_code == 200
        assert server.delete(f"/v1beta/{name}", eve).status_code == 200
    server.wait_for_state(unfinished, key)
    assert refused(further(server, key, unfinished)[1]) == (400, "FAILED_PRECONDITION")


def test_job_that_lost_its_source_fails_with_a_reason(server: TuningServer, key: str, source: str) -> None:
    with busy(server, key):
        name, _ = further(server, key, source)
        (folder,) = kept(server)
        shutil.rmtree(folder)
    job = server.wait_for_state(name, key)
    assert (job["state"], job["failure"]["code"]) == ("FAILED", "source_missing")
    operation = google.operation(server.get(f"/v1/{job['operation']}", key).text)
    assert operation.error.message == "The weights of the tuned model to go on from are no longer there."


def test_deleted_or_refused_jobs_leave_no_copy_of_their_source(server: TuningServer, key: str, source: str) -> None:
    with busy(server, key):
        name, _ = further(server, key, source)
        assert len(kept(server)) == 1
        assert refused(further(server, key, source, name.removeprefix("tunedModels/"))[1]) == (409, "ALREADY_EXISTS")
        assert len(kept(server)) == 1
        server.delete(f"/v1beta/{name}", key)
        assert kept(server) == []
