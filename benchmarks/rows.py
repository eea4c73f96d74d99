"""Fills the tuning server's database for ``benchmarks/api.py``, which runs this with the settings of its own server.

Prints an API key. The rows are made directly: 10,000 jobs would take hours to run.
"""

import sys
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
django.setup()

from django.core.management import call_command  # noqa: E402 - after the settings are read
from django.utils import timezone  # noqa: E402

from tuning import curves  # noqa: E402
from tuning.jobs import JobState, Point, epoch_at  # noqa: E402
from tuning.resources import Role  # noqa: E402
from tuning.server.keys import ApiKey, digest  # noqa: E402
from tuning.server.models import Job, LossChunk, Permission  # noqa: E402
from tuning.server.queue import CHUNK_POINTS  # noqa: E402

OWNER = "bench@example.com"
KEY = "benchmark-key"
EXAMPLES, BATCH = 15, 4


def main(models: int, steps: int, snapshots: int) -> None:
    call_command("migrate", verbosity=0)
    jobs = [job("long", snapshots, snapshots, JobState.SUCCEEDED)]
    jobs.append(job("long-running", snapshots + 1, snapshots, JobState.RUNNING))
    jobs += [job(f"model-{number}", steps, steps, JobState.SUCCEEDED) for number in range(models)]
    Job.objects.bulk_create(jobs)
    Permission.objects.bulk_create([Permission(job=made, email=OWNER, role=Role.OWNER) for made in jobs])
    LossChunk.objects.bulk_create([chunk for made in jobs for chunk in chunks(made)])
    ApiKey.objects.create(name="bench", owner=OWNER, digest=digest(KEY))
    print(KEY)


def job(model_id: str, total_steps: int, completed_steps: int, state: JobState) -> Job:
    """A job as the queue would leave it."""
    now = timezone.now()
    return Job(
        model_id=model_id,
        operation_id="operation",
        api_version="v1beta",
        base_asked="models/gemini-1.0-pro-001",
        base="smollm2-135m-instruct",
        display_name=f"number generator {model_id}",
        temperature=0.9,
        top_p=1.0,
        top_k=0,
        epoch_count=5,
        batch_size=BATCH,
        learning_rate=0.001,
        training_data="0" * 64,
        example_count=EXAMPLES,
        total_steps=total_steps,
        completed_steps=completed_steps,
        state=state,
        attempt=1,
        created=now,
        updated=now,
        started=now,
        finished=now if state.is_final else None,
    )


def chunks(made: Job) -> list[LossChunk]:
    """The job's curve in chunks of the size in which the tuner leaves it."""
    begun = made.created.timestamp()
    points = [
        Point(step, epoch_at(step, BATCH, EXAMPLES), 3.1 / step**0.5, begun + 0.4321 * step)
        for step in range(1, made.completed_steps + 1)
    ]
    pieces = [points[start : start + CHUNK_POINTS] for start in range(0, len(points), CHUNK_POINTS)]
    return [
        LossChunk(job=made, first_step=piece[0].step, last_step=piece[-1].step, points=curves.pack(piece))
        for piece in pieces
    ]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
