"""Processes are killed at random moments, and nobody can tell from the result.

The job has every step once, and its losses, its answers and its weights are those of a job that nobody disturbed, to
the last bit.
"""

import random
import time
from collections.abc import Iterator

import pytest

from tests.processes import TuningServer, tuning_server, wait_until
from tests.tuning.server.jobs import Result, Watched, end, has_ended, kill, training_child, work_left

pytestmark = pytest.mark.timeout(900)  # a busy machine: what was killed loads its libraries again, and again

EPOCHS = 10
STEPS = EPOCHS * 96
LEASE = 3.0


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TuningServer]:
    folder = tmp_path_factory.mktemp("kills")
    settings = {"TUNING_LEASE_SECONDS": str(LEASE), "TUNER_CHECKPOINT_SECONDS": "0.4"}
    with tuning_server(folder, tuner=False, **settings) as running:
        yield running
        end(running)


@pytest.fixture(scope="module")
def key(house: TuningServer) -> str:
    return house.api_key()


@pytest.fixture(scope="module")
def undisturbed(house: TuningServer, key: str) -> Result:
    """What it comes to when nobody disturbs it."""
    house.start_tuner()
    job = Watched(house, key, "undisturbed")
    assert job.ended()["attempt"] == 1
    end(house)
    result = job.result()
    assert [step for step, _, _ in result.losses] == list(range(1, STEPS + 1))
    assert [epoch for _, epoch, _ in result.validation] == list(range(1, EPOCHS + 1))
    assert len(result.samples["samples"][0]["answers"]) == EPOCHS
    return result


def kill_child(house: TuningServer) -> None:
    kill(training_child(house.tuners[-1]))


def kill_tuner(house: TuningServer) -> None:
    house.tuners[-1].kill()
    house.tuners.pop().wait()
    house.start_tuner()


def kill_api(house: TuningServer) -> None:
    house.kill_api()
    house.start_api()


def disturb(house: TuningServer, job: Watched, plan: random.Random, kills: int) -> list[str]:
    """Kill while the child loads, then after so many steps each, as long as the job runs; says what was done."""
    training_child(house.tuners[-1])
    time.sleep(plan.uniform(0, 2))  # wherever it may be by then: loading, tokenising, training
    kill_child(house)
    wait_for_next(job, 1)
    done = ["child, early"]
    victims = [kill_api, kill_tuner, *(plan.choice([kill_child, kill_tuner]) for _ in range(kills - 3))]
    plan.shuffle(victims)
    # Each death comes later than the one before: two without progress would end the job, and rightly.
    for victim, step in zip(victims, sorted(plan.sample(range(20, STEPS // 2), kills - 1)), strict=True):
        reached = job.after(max(step, job.last_death() + 1))
        time.sleep(plan.uniform(0, 0.2))
        if has_ended(job.now()):
            break
        victim(house)
        done.append(f"{victim.__name__} after step {reached['completedSteps']}")
        if victim is not kill_api:
            wait_for_next(job, reached["attempt"])
    return done


def wait_for_next(job: Watched, attempt: int) -> None:
    """Until the job goes on, unless it had just ended."""

    def goes_on() -> bool:
        stands = job.now()
        return has_ended(stands) or stands["attempt"] > attempt

    wait_until(goes_on)


def same_result(house: TuningServer, key: str, undisturbed: Result, seed: int, kills: int) -> None:
    house.start_tuner()
    job = Watched(house, key, f"disturbed-{seed}")
    done = disturb(house, job, random.Random(seed), kills)
    print(f"seed {seed}: {done}")
    assert len(done) >= kills - 1
    assert job.ended()["state"] == "SUCCEEDED", job.log()
    end(house)
    assert job.result() == undisturbed
    assert work_left(house) == []


def test_job_that_was_killed_ends_as_if_nothing_had_been(house: TuningServer, key: str, undisturbed: Result) -> None:
    same_result(house, key, undisturbed, seed=0, kills=3)


@pytest.mark.kill
@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_job_that_was_killed_often_ends_as_if_nothing_had_been(
    house: TuningServer, key: str, undisturbed: Result, seed: int
) -> None:
    same_result(house, key, undisturbed, seed=seed, kills=6)
