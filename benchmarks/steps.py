"""100,000 steps in the tuning server's database, for ``benchmarks/large.py``, which gives this a database of its own.

Prints, as JSON, the milliseconds that storing a turn's steps and telling them to whoever watches take: medians of the
first five thousand steps and of the last.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
django.setup()

import rows  # noqa: E402 - beside this file
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402

from tuning.jobs import JobState, Point  # noqa: E402
from tuning.resources import Role  # noqa: E402
from tuning.server import queue  # noqa: E402
from tuning.server.keys import ApiKey, digest  # noqa: E402
from tuning.server.models import Permission  # noqa: E402

STEPS, TURN, ENDS = 100_000, 50, 5_000
"""All steps, those of one turn of the tuner, and those that are compared."""


def main() -> dict[str, tuple[float, float]]:
    call_command("migrate", verbosity=0)
    job = rows.job("long", STEPS, 0, JobState.QUEUED)
    job.save()
    Permission.objects.create(job=job, email=rows.OWNER, role=Role.OWNER)
    ApiKey.objects.create(name="bench", owner=rows.OWNER, digest=digest(rows.KEY))
    claim = queue.claim()
    assert claim is not None
    claim.resume(0)
    client = Client(SERVER_NAME="localhost")
    stored, told = [], []
    for start in range(0, STEPS, TURN):
        points = [Point(step, 0, 3.1 / step**0.5, 1e9 + step) for step in range(start + 1, start + TURN + 1)]
        stored.append(milliseconds(lambda made=points: claim.record(made)))
        told.append(milliseconds(lambda after=start: poll(client, after)))
    return {f"storing {TURN} steps": ends(stored), f"asking for {TURN} steps": ends(told)}


def poll(client: Client, after: int) -> None:
    answer = client.get(f"/tuneboard/v1/jobs/long?after={after}", headers={"x-goog-api-key": rows.KEY})
    assert len(answer.json()["points"]) == TURN


def milliseconds(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - begun)


def ends(taken: list[float]) -> tuple[float, float]:
    """Medians at the start and at the end."""
    turns = ENDS // TURN
    return median(taken[:turns]), median(taken[-turns:])


if __name__ == "__main__":
    print(json.dumps(main()))
