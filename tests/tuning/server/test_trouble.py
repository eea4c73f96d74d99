"""A full disk, no memory, a process that stands still, a base model that vanishes: the job ends with its reason, or
goes on; it never hangs, and leaves nothing behind.
"""

import os
import re
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests import tiny_llama
from tests.processes import TuningServer, child_running, children_of, is_running, tuning_server, wait_until
from tests.tuning.server.bodies import LONG, body
from tests.tuning.server.jobs import Watched, has_ended, kill, training_child, tuner_in
from tests.tuning.server.stages import long_job

STOPPED_WITHIN = 5.0
STALL = 10.0
GOES_ON = re.compile(r"Goes on after step [1-9]\d*\.")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TuningServer]:
    folder = tmp_path_factory.mktemp("trouble")
    settings = {"TUNING_LEASE_SECONDS": "3", "TUNER_CHECKPOINT_SECONDS": "0.2", "TUNER_STALL_SECONDS": str(STALL)}
    with tuning_server(folder, tuner=False, **settings) as running:
        yield running


@pytest.fixture(scope="module")
def key(house: TuningServer) -> str:
    return house.api_key()


@pytest.fixture
def tuner(house: TuningServer) -> Iterator[subprocess.Popen[bytes]]:
    with tuner_in(house) as running:
        yield running


def limit(pid: int, kind: int, at: int) -> None:
    """Allow the process ``pid`` no more than ``at`` from now on."""
    resource.prlimit(pid, kind, (at, at))


def assert_nothing_left(house: TuningServer, job: Watched) -> None:
    assert job.kept() == []
    assert list((house.var_dir / "adapters" / job.model_id).glob("*")) == []


def test_job_whose_disk_is_full_says_so_and_gives_its_room_back(
    house: TuningServer, key: str, tuner: subprocess.Popen[bytes]
) -> None:
    job = Watched(house, key, "disk-full", LONG)
    job.after(1)
    limit(training_child(tuner), resource.RLIMIT_FSIZE, 0)
    ended = job.ended()
    assert (ended["state"], ended["failure"]["code"]) == ("FAILED", "disk_full")
    assert "disk_full" in job.log()[-1]
    assert_nothing_left(house, job)


def test_job_that_gets_no_more_memory_says_so(house: TuningServer, key: str, tuner: subprocess.Popen[bytes]) -> None:
    """Measuring the loss on many examples takes more than learning from one at a time did."""
    job = long_job(house, key, "no-memory", rows=300, held=100)

    def starved() -> bool:
        now = job.now()
        if now["completedSteps"] and (child := child_running(tuner.pid, "training")):
            with suppress(ProcessLookupError):
                limit(child, resource.RLIMIT_AS, 0)
        return has_ended(now)

    wait_until(starved, seconds=200)
    ended = job.whole()
    # Where a library's own thread gets none, it ends the process.
    assert (ended["state"], ended["failure"]["code"]) in {("FAILED", "out_of_memory"), ("FAILED", "killed")}, ended
    operation = house.get(f"/v1/{ended['operation']}", key).json()
    assert "memory" in operation["error"]["message"]
    house.delete("/v1beta/tunedModels/no-memory", key).raise_for_status()  # nobody will try it again
    assert_nothing_left(house, job)


def test_job_whose_process_the_system_kills_goes_on_and_its_log_says_so(
    house: TuningServer, key: str, tuner: subprocess.Popen[bytes]
) -> None:
    job = Watched(house, key, "killed-once", 60)
    wait_until(lambda: job.now()["completedSteps"] and job.checkpoints())
    kill(training_child(tuner))
    ended = job.ended()
    assert (ended["state"], ended["attempt"]) == ("SUCCEEDED", 2)
    assert [point[0] for point in ended["points"]] == list(range(1, ended["totalSteps"] + 1))
    assert job.last_death() > 0
    assert any(GOES_ON.fullmatch(line) for line in job.log()), "not from its beginning"


@pytest.mark.kill
def test_job_that_is_killed_twice_at_the_same_step_fails(
    house: TuningServer, key: str, tuner: subprocess.Popen[bytes]
) -> None:
    job = Watched(house, key, "killed-twice", LONG)
    first = training_child(tuner)
    kill(first)  # as the system does where memory runs out
    kill(wait_until(lambda: (found := training_child(tuner)) != first and found))
    ended = job.ended()
    assert (ended["state"], ended["failure"]["code"]) == ("FAILED", "killed")
    assert job.log()[-1] == "The process was killed by signal 9 after step 0, no further than before."
    operation = house.get(f"/v1/{ended['operation']}", key).json()
    assert operation["done"]
    assert operation["error"]["code"] == 13
    assert "short of memory" in operation["error"]["message"]
    assert_nothing_left(house, job)


def test_job_whose_base_model_vanished_says_so(house: TuningServer, key: str, tuner: subprocess.Popen[bytes]) -> None:
    models = Path(house.environment["MODELS_DIR"])
    folder = tiny_llama.build(models, "vanishing")
    job = Watched(house, key, "base-vanished", LONG, base_model="models/vanishing")
    job.after(1)
    folder.rename(models.parent / "vanished")
    kill(training_child(tuner))
    ended = job.ended()
    assert (ended["state"], ended["failure"]["code"]) == ("FAILED", "base_model_missing")
    assert_nothing_left(house, job)


def test_spoilt_checkpoints_cost_their_steps_alone(
    house: TuningServer, key: str, tuner: subprocess.Popen[bytes]
) -> None:
    job = Watched(house, key, "spoilt", 20)
    job.after(20)
    wait_until(job.checkpoints)
    kill(training_child(tuner))
    for checkpoint in job.checkpoints():
        checkpoint.write_bytes(checkpoint.read_bytes()[:-9] + b"nonsense!")
    ended = job.ended()
    assert ended["state"] == "SUCCEEDED"
    assert [point[0] for point in ended["points"]] == list(range(1, ended["totalSteps"] + 1))


@pytest.mark.kill
def test_process_that_stands_still_is_ended_and_the_job_tried_once_more(
    house: TuningServer, key: str, tuner: subprocess.Popen[bytes]
) -> None:
    job = Watched(house, key, "stalled", LONG)
    job.after(1)
    os.kill(training_child(tuner), signal.SIGSTOP)
    wait_until(lambda: job.now()["attempt"] == 2)
    second = training_child(tuner)
    os.kill(second, signal.SIGSTOP)
    ended = job.ended()
    assert (ended["state"], ended["failure"]["code"]) == ("FAILED", "stalled")
    assert "said nothing for" in job.log()[-1]
    assert not is_running(second)


@pytest.mark.kill
def test_killed_job_that_is_tried_again_goes_on_where_it_was(
    house: TuningServer, key: str, tuner: subprocess.Popen[bytes]
) -> None:
    job = Watched(house, key, "tried-again", 40)
    job.after(30)
    wait_until(job.checkpoints)
    while not has_ended(job.now()):
        if child := child_running(tuner.pid, "training"):
            with suppress(ProcessLookupError):
                kill(child)
    assert job.now()["failure"]["code"] == "killed"
    again = house.post("/tuneboard/v1/jobs/tried-again:retry", key, json={})
    assert again.json() == {"state": "QUEUED", "resumes": True}
    ended = job.ended()
    assert ended["state"] == "SUCCEEDED"
    assert "failure" not in ended
    assert [point[0] for point in ended["points"]] == list(range(1, ended["totalSteps"] + 1))
    assert any(GOES_ON.fullmatch(line) for line in job.log())
    wait_until(lambda: not job.kept())


@pytest.mark.usefixtures("tuner")
def test_cancelled_job_that_is_tried_again_begins_with_the_first_step(house: TuningServer, key: str) -> None:
    job = Watched(house, key, "begun-anew", 20)
    job.cancel()
    job.ended()
    assert house.post("/tuneboard/v1/jobs/begun-anew:retry", key, json={}).json()["resumes"] is False
    assert job.ended()["state"] == "SUCCEEDED"
    refused = house.post("/tuneboard/v1/jobs/begun-anew:retry", key, json={})
    assert refused.json()["error"]["details"][0]["reason"] == "NOTHING_TO_RETRY"


def test_tuner_that_is_asked_to_stop_gives_its_job_back_in_time(house: TuningServer, key: str) -> None:
    tuner = house.start_tuner()
    job = Watched(house, key, "handed-back", 40)
    before = job.after(10)["completedSteps"]
    children = children_of(tuner.pid)
    asked = time.monotonic()
    tuner.terminate()
    assert tuner.wait(20) == 0
    assert time.monotonic() - asked < STOPPED_WITHIN
    assert not any(map(is_running, children))
    stands = job.whole()
    assert stands["state"] == "QUEUED"
    assert stands["completedSteps"] == len(stands["points"]) >= before
    with tuner_in(house):
        ended = job.ended()
    assert (ended["state"], ended["attempt"]) == ("SUCCEEDED", 2)
    assert [point[0] for point in ended["points"]] == list(range(1, ended["totalSteps"] + 1))


def test_no_example_is_quoted_by_a_failure_or_a_log(
    house: TuningServer, key: str, tuner: subprocess.Popen[bytes]
) -> None:
    secret = "the-secret-recipe"
    sent = body()
    sent["tuning_task"]["training_data"]["examples"]["examples"][3]["output"] = f"{secret} " * 100
    job = Watched(house, key, "quoted", 1, tuning_task=sent["tuning_task"])
    ended = job.ended()
    assert (ended["state"], ended["failure"]["code"]) == ("FAILED", "example_too_long")
    assert "4" in ended["failure"]["detail"]
    assert secret not in str(ended["failure"]) + str(job.log()) + house.log()
