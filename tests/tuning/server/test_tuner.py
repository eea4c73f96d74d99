"""Processes die at bad moments; every job ends by itself all the same."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import tiny_llama
from tests.processes import TuningServer, child_running, children_of, is_running, tuning_server, wait_until
from tests.tuning.server.bodies import body

LEASE = 3.0
EPOCHS = 40
"""150 steps: a few seconds, time enough to be hit."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TuningServer]:
    folder = tmp_path_factory.mktemp("house")
    with tuning_server(folder, tuner=False, TUNING_LEASE_SECONDS=str(LEASE)) as running:
        yield running


@pytest.fixture(scope="module")
def key(house: TuningServer) -> str:
    return house.api_key()


@pytest.fixture(autouse=True)
def no_tuner_left(house: TuningServer) -> Iterator[None]:
    yield
    for tuner in house.tuners:
        end(tuner)
    house.tuners.clear()


def end(tuner: subprocess.Popen[bytes]) -> None:
    if tuner.poll() is None:
        tuner.send_signal(signal.SIGCONT)
        tuner.terminate()
        tuner.wait(20)


def start_job(house: TuningServer, key: str, model_id: str, epochs: int = EPOCHS) -> None:
    answer = house.post(f"/v1beta/tunedModels?tunedModelId={model_id}", key, json=body(epochs=epochs))
    assert answer.status_code == 200, answer.text


def child(tuner: subprocess.Popen[bytes], module: str) -> int | None:
    """The pid of the tuner's child that runs ``tuning.engine.MODULE``."""
    return child_running(tuner.pid, module)


def wait_for_points(house: TuningServer, key: str, model_id: str, attempt: int = 1) -> None:
    def there() -> bool:
        job = house.job(model_id, key)
        assert job["state"] in {"QUEUED", "RUNNING"}, job
        return job["attempt"] == attempt and job["completedSteps"] > 0

    wait_until(there)


def assert_succeeded(house: TuningServer, key: str, model_id: str, attempt: int) -> None:
    job = house.wait_for_state(model_id, key)
    assert (job["state"], job["attempt"]) == ("SUCCEEDED", attempt), job
    assert [point[0] for point in job["points"]] == list(range(1, job["totalSteps"] + 1))
    assert job["completedSteps"] == job["totalSteps"]


def test_job_starts_again_when_its_child_is_killed(house: TuningServer, key: str) -> None:
    tuner = house.start_tuner()
    start_job(house, key, "child-killed")
    wait_for_points(house, key, "child-killed")
    os.kill(wait_until(lambda: child(tuner, "training")), signal.SIGKILL)
    assert_succeeded(house, key, "child-killed", attempt=2)


@pytest.mark.kill
def test_killed_tuner_leaves_no_child_and_the_next_one_takes_over(house: TuningServer, key: str) -> None:
    tuner = house.start_tuner()
    start_job(house, key, "tuner-killed")
    wait_for_points(house, key, "tuner-killed")
    orphans = children_of(tuner.pid)
    assert orphans
    tuner.kill()
    tuner.wait()
    wait_until(lambda: not any(map(is_running, orphans)))
    house.start_tuner()
    assert_succeeded(house, key, "tuner-killed", attempt=2)


@pytest.mark.kill
def test_killed_api_does_not_disturb_a_job(house: TuningServer, key: str) -> None:
    house.start_tuner()
    start_job(house, key, "api-killed")
    wait_for_points(house, key, "api-killed")
    house.kill_api()
    house.start_api()
    assert_succeeded(house, key, "api-killed", attempt=1)


@pytest.mark.kill
def test_paused_tuner_that_wakes_cannot_write(house: TuningServer, key: str) -> None:
    paused = house.start_tuner()
    start_job(house, key, "tuner-paused")
    wait_for_points(house, key, "tuner-paused")
    late_child = child(paused, "training")
    paused.send_signal(signal.SIGSTOP)
    house.start_tuner()
    assert_succeeded(house, key, "tuner-paused", attempt=2)
    before = house.job("tuner-paused", key)
    paused.send_signal(signal.SIGCONT)
    wait_until(lambda: "<Claim tunedModels/tuner-paused #1> lost" in house.log())
    wait_until(lambda: late_child is None or not is_running(late_child))
    wait_until(lambda: len(list((house.var_dir / "adapters" / "tuner-paused").iterdir())) == 1)
    assert house.job("tuner-paused", key) == before


def test_terminated_tuner_gives_its_job_back_at_once(house: TuningServer, key: str) -> None:
    tuner = house.start_tuner()
    start_job(house, key, "given-back")
    wait_for_points(house, key, "given-back")
    children = children_of(tuner.pid)
    tuner.terminate()
    assert tuner.wait(10) == 0
    assert house.job("given-back", key)["state"] == "QUEUED"
    assert not any(map(is_running, children))
    # It was nobody's death: one more is forgiven.
    tuner = house.start_tuner()
    wait_for_points(house, key, "given-back", attempt=2)
    os.kill(wait_until(lambda: child(tuner, "training")), signal.SIGKILL)
    assert_succeeded(house, key, "given-back", attempt=3)


def test_job_without_its_training_data_fails_with_a_reason_and_the_next_one_runs(house: TuningServer, key: str) -> None:
    start_job(house, key, "data-lost", epochs=1)
    for file in (house.var_dir / "training").glob("*.jsonl"):
        file.unlink()
    house.start_tuner()
    job = house.wait_for_state("data-lost", key)
    assert job["state"] == "FAILED"
    assert job["failure"]["code"] == "failed"
    assert job["failure"]["detail"]
    start_job(house, key, "after-a-failure", epochs=1)
    assert_succeeded(house, key, "after-a-failure", attempt=1)


def test_job_fails_when_its_base_model_cannot_be_made_ready(house: TuningServer, key: str) -> None:
    models = Path(house.environment["MODELS_DIR"])
    folder = tiny_llama.build(models, "short-lived")
    sent = body(base_model="models/short-lived")
    assert house.post("/v1beta/tunedModels?tunedModelId=baseless", key, json=sent).status_code == 200
    folder.rename(models.parent / "short-lived")
    house.start_tuner()
    job = house.wait_for_state("baseless", key)
    assert (job["state"], job["failure"]["code"]) == ("FAILED", "base_model_missing")


def test_killed_inference_child_is_replaced(house: TuningServer, key: str) -> None:
    def answers() -> bool:
        sent = {"contents": [{"parts": [{"text": "1"}]}], "generationConfig": {"maxOutputTokens": 2}}
        return house.post("/v1beta/models/tiny-llama:generateContent", key, json=sent).status_code == 200

    tuner = house.start_tuner()
    wait_until(answers)
    first = child(tuner, "inference")
    assert first
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: child(tuner, "inference") not in {None, first})
    wait_until(answers)


def test_status_says_whether_a_tuner_is_there(house: TuningServer, key: str) -> None:
    assert house.get("/tuneboard/v1/status", key).json()["tuner"] is False
    tuner = house.start_tuner()
    wait_until(lambda: house.get("/tuneboard/v1/status", key).json()["tuner"])
    tuner.terminate()
    tuner.wait(10)
    assert house.get("/tuneboard/v1/status", key).json()["tuner"] is False


def test_tuner_starts_working_only_after_the_address_it_waits_for_answers(house: TuningServer, key: str) -> None:
    house.kill_api()
    command = [*house.command("tuner"), "--after", f"{house.url}/healthz"]
    tuner = subprocess.Popen(command, env=house.environment, stderr=subprocess.PIPE)
    house.tuners.append(tuner)
    with pytest.raises(subprocess.TimeoutExpired):
        tuner.communicate(timeout=3)
    house.start_api()
    assert tuner.stderr is not None
    assert b"tuner started" in tuner.stderr.readline()
