"""Training processes that were started ahead: taken by the next job, replaced after it."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import tiny_llama
from tests.processes import TuningServer, child_running, is_running, tuning_server, wait_until
from tests.tuning.server.bodies import body


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TuningServer]:
    with tuning_server(tmp_path_factory.mktemp("warm"), TUNER_WARM="true") as running:
        yield running


@pytest.fixture(scope="module")
def key(house: TuningServer) -> str:
    return house.api_key()


def warm(house: TuningServer) -> int:
    """The process that awaits a job, once it is there."""
    return wait_until(lambda: child_running(house.tuners[0].pid, "training"))


def replaced(house: TuningServer, pid: int) -> int:
    return wait_until(lambda: (found := child_running(house.tuners[0].pid, "training")) != pid and found)


def first_line(house: TuningServer, key: str, model_id: str) -> str:
    return str(house.get(f"/tuneboard/v1/jobs/{model_id}/log", key).json()["lines"][0]["text"])


def run_job(house: TuningServer, key: str, model_id: str, base: str = tiny_llama.NAME) -> None:
    sent = body(base_model=f"models/{base}")
    assert house.post(f"/v1beta/tunedModels?tunedModelId={model_id}", key, json=sent).status_code == 200
    assert house.wait_for_state(model_id, key)["state"] == "SUCCEEDED"


def test_a_job_takes_the_process_that_waits_and_another_takes_its_place(house: TuningServer, key: str) -> None:
    waiting = warm(house)
    run_job(house, key, "quick")
    assert first_line(house, key, "quick") == "Attempt 1 begins in a process that was ready."
    wait_until(lambda: not is_running(waiting))
    assert replaced(house, waiting)


def test_a_killed_process_is_replaced(house: TuningServer) -> None:
    waiting = warm(house)
    os.kill(waiting, signal.SIGKILL)
    assert is_running(replaced(house, waiting))


def test_a_job_on_another_base_model_takes_it_as_well(house: TuningServer, key: str) -> None:
    waiting = warm(house)
    tiny_llama.build(Path(house.environment["MODELS_DIR"]), "another-llama")
    run_job(house, key, "elsewhere", "another-llama")
    assert first_line(house, key, "elsewhere") == "Attempt 1 begins in a process that was ready."
    assert replaced(house, waiting)
