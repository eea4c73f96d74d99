"""Large jobs: a dataset is no burden on the api's memory, and the last of many steps costs no more than the first."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import orjson
import pytest
from django.db import connection
from django.test import Client

from tests.processes import TuningServer, children_of
from tests.tuning.server.test_queue import claimed, make_job, point
from tuning.resources import Role
from tuning.server.keys import ApiKey, digest
from tuning.server.models import Job
from tuning.server.queue import CHUNK_POINTS, Claim

EARLY, LATE = 100, 100_000
BURST = 256
"""Steps that the tuner stores at once."""
SLACK = 12_000_000
"""Bytes that the api may hold for a moment; the larger dataset has more than twice as many."""


class Peak:
    """The most memory a process has held since :meth:`forget`, in bytes."""

    def __init__(self, pid: int) -> None:
        self._process = Path(f"/proc/{pid}")

    def forget(self) -> None:
        (self._process / "clear_refs").write_text("5")

    def bytes(self) -> int:
        lines = (self._process / "status").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def jsonl(rows: int) -> bytes:
    return b"".join(orjson.dumps({"text_input": f"{row:>400}", "output": f"{row:>100}"}) + b"\n" for row in range(rows))


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells a process's peak memory")
def test_memory_of_the_api_does_not_grow_with_a_dataset(idle_server: TuningServer, idle_key: str) -> None:
    assert idle_server.api is not None
    (worker,) = map(Peak, children_of(idle_server.api.pid))
    peaks = []
    for rows in (100, 50_000):
        data = jsonl(rows)
        worker.forget()
        answer = idle_server.request("PUT", f"/tuneboard/v1/datasets/{sha256(data).hexdigest()}", idle_key, data=data)
        assert answer.json()["examples"] == rows
        peaks.append(worker.bytes())
    assert len(data) > 2 * SLACK
    assert peaks[1] - peaks[0] < SLACK


@contextmanager
def counted() -> Iterator[Callable[[], int]]:
    """How much SQLite does meanwhile: instructions of its virtual machine, which are the same each time."""
    connection.ensure_connection()
    done = 0

    def count() -> int:
        nonlocal done
        done += 1
        return 0

    connection.connection.set_progress_handler(count, 1)
    try:
        yield lambda: done
    finally:
        connection.connection.set_progress_handler(None, 0)


def tune_until(claim: Claim, step: int) -> None:
    for start in range(claim.recorded() + 1, step + 1, BURST):
        claim.record([point(number) for number in range(start, min(start + BURST, step + 1))])


@pytest.fixture
def long_job(db: None) -> Claim:
    make_job("long", total_steps=2 * LATE).permissions.create(email="ada@example.com", role=Role.OWNER)
    ApiKey.objects.create(name="test", owner="ada@example.com", digest=digest("key"))
    claim = claimed()
    claim.resume(0)
    return claim


def cost_of_a_turn(claim: Claim, client: Client, step: int) -> int:
    """What it takes to store five steps after ``step``, and to tell them to somebody who knows the ones before."""
    with counted() as done:
        claim.record([point(number) for number in range(step + 1, step + 6)])
        answer = client.get(f"/tuneboard/v1/jobs/long?after={step}", headers={"x-goog-api-key": "key"})
    assert [row[0] for row in answer.json()["points"]] == list(range(step + 1, step + 6))
    return done()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="counts SQLite's instructions")
def test_a_step_late_in_a_long_job_costs_no_more_than_an_early_one(long_job: Claim, client: Client) -> None:
    tune_until(long_job, EARLY)
    early = cost_of_a_turn(long_job, client, EARLY)
    tune_until(long_job, LATE)
    late = cost_of_a_turn(long_job, client, LATE)
    assert late <= 1.1 * early


def test_curve_is_kept_in_as_many_bytes_as_it_has_points(long_job: Claim) -> None:
    tune_until(long_job, LATE)
    chunks = [len(chunk.points) for chunk in Job.objects.get().chunks.all()]
    assert sum(chunks) == 20 * LATE
    assert len(chunks) <= LATE / CHUNK_POINTS + 1
    assert max(chunks) < 2 * 20 * CHUNK_POINTS, "what is read and written anew each time"
