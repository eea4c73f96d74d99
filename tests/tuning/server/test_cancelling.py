"""Cancelling: whatever a job is doing, it ends there, and gives its memory and its room on the disk back.

How long that takes is measured by ``benchmarks/cancel.py``.
"""

import subprocess
from collections.abc import Iterator

import pytest

from tests.processes import TuningServer, tuning_server, wait_until
from tests.tuning.server.bodies import LONG
from tests.tuning.server.jobs import Watched, tuner_in, work_left
from tests.tuning.server.stages import STAGES, is_gone, left, process_of


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TuningServer]:
    with tuning_server(tmp_path_factory.mktemp("cancelling"), tuner=False) as running:
        yield running


@pytest.fixture(scope="module")
def key(house: TuningServer) -> str:
    return house.api_key()


@pytest.fixture
def tuner(house: TuningServer) -> Iterator[subprocess.Popen[bytes]]:
    with tuner_in(house) as running:
        yield running


@pytest.mark.usefixtures("tuner")
@pytest.mark.parametrize("name", STAGES)
def test_cancelled_job_ends_where_it_is_with_its_process_and_its_files(
    house: TuningServer, key: str, name: str
) -> None:
    stage = STAGES[name]
    job = stage.begin(house, key, f"cancelled-{name}")
    process = process_of(job, stage)
    job.cancel()
    wait_until(lambda: is_gone(job, process))
    assert not stage.passed(job)


def test_cancelling_a_job_that_was_given_back_removes_its_files(house: TuningServer, key: str) -> None:
    with tuner_in(house):
        job = Watched(house, key, "given-back-and-cancelled", LONG)
        job.after(1)
    assert job.now()["state"] == "QUEUED"
    assert work_left(house)
    job.cancel()
    assert job.now()["state"] == "CANCELLED"
    assert left(job) == []
