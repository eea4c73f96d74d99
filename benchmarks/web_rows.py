"""Fills the dashboard's database for ``benchmarks/web.py``, which runs this with the settings of its own dashboard.

Prints what was made, as JSON. Rows are made directly: 10,000 jobs would take hours to run. Storing 100,000 snapshots
is measured on the way, by the method that a job's page stores them with.
"""

import os
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()

import numpy as np  # noqa: E402 - after the settings are read
import numpy.typing as npt  # noqa: E402
import orjson  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from dashboard.accounts.models import User  # noqa: E402
from dashboard.connections.models import Connection  # noqa: E402
from dashboard.datasets.models import Dataset, DatasetVersion  # noqa: E402
from dashboard.jobs.models import Job  # noqa: E402
from dashboard.jobs.tags import Tag  # noqa: E402
from dashboard.library.models import Grant, TunedModel  # noqa: E402
from tuning.datasets import parse  # noqa: E402
from tuning.jobs import JobState, JobStatus, Point  # noqa: E402

A_POLL = 1_000
"""Snapshots that are stored at once."""
DATASETS = 40
BATCH = 4
EPOCH = 25_000
"""Steps of an epoch of the long jobs."""
BASES = [f"models/base-{letter}" for letter in "abcdefgh"]
STATES = [JobState.SUCCEEDED] * 17 + [JobState.FAILED, JobState.CANCELLED, JobState.CANCELLED]
Losses = npt.NDArray[np.float64]
draw = np.random.default_rng(5)


def main(sizes: dict[str, int]) -> None:
    """``people``, ``jobs`` that ended, ``moving`` ones; ``steps`` and ``spikes`` of the long curve; how many are
    ``overlaid``, and ``overlaid_steps`` of each.
    """
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    people = [User.objects.create_superuser(f"person-{number}@example.com") for number in range(sizes["people"])]
    versions = [_version(people[0], number) for number in range(DATASETS)]
    Job.objects.bulk_create(_finished(sizes["jobs"], people, versions), batch_size=500)
    _tag()
    _shelve(people[0])
    losses, leaps = _curve(sizes["steps"], sizes["spikes"])
    running = partial(_running, people[0], versions[0])
    still = running("still")
    seconds, size = _measured(still, losses)
    made = {"sessions": [_session(person) for person in people], "dataset": versions[7].dataset_id, "still": still.pk}
    made |= {"long": _ended(running("long"), losses), "spikes": leaps}
    overlaid = [_curve(sizes["overlaid_steps"], 0)[0] for _ in range(sizes["overlaid"])]
    made["overlaid"] = [_ended(running(f"overlaid-{n}"), curve) for n, curve in enumerate(overlaid)]
    made["moving"] = [running(f"moving-{number}").pk for number in range(sizes["moving"])]
    made["reader"] = _session(User.objects.create_user("reader@example.com"))
    print(orjson.dumps(made | {"store_seconds": seconds, "store_bytes": size}).decode())


def _version(owner: User, number: int) -> DatasetVersion:
    pairs = b"".join(b'{"text_input": "%d", "output": "%d"}\n' % (row, number) for row in range(15))
    return Dataset.objects.start(owner, f"Numbers {number}", parse(BytesIO(pairs), "pairs.jsonl")).latest


def _session(person: User) -> str:
    client = Client()
    client.force_login(person)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def _finished(count: int, people: list[User], versions: list[DatasetVersion]) -> Iterator[Job]:
    """Jobs of everybody's, of all ends, over two years."""
    local, now = Connection.objects.local(), timezone.now()
    for number in range(count):
        created = now - timedelta(minutes=100 * number)
        first, last = 3 + float(draw.random()), float(draw.random())
        state = STATES[number % len(STATES)]
        yield Job(
            owner=people[number % len(people)],
            connection=local,
            dataset_version=versions[number % len(versions)],
            ref=f"tunedModels/ended-{number}/operations/o",
            model=f"tunedModels/ended-{number}",
            display_name=f"Number generator {number}",
            base_model=BASES[number % len(BASES)],
            epoch_count=5,
            batch_size=BATCH,
            learning_rate=0.001,
            state=state,
            attempt=1,
            total_steps=19,
            completed_steps=19,
            first_loss=first,
            last_loss=last,
            small_curve=[[step, round(first + (last - first) * step / 48, 4)] for step in range(48)],
            failure_code="killed" if state == JobState.FAILED else "",
            created=created,
            started=created,
            finished=created + timedelta(seconds=20),
            synced_at=now,
        )


def _tag() -> None:
    """Every other job has one of eight tags."""
    tags = [Tag.objects.called(f"tag-{number}") for number in range(8)]
    some = enumerate(Job.objects.values_list("pk", flat=True)[::2])
    rows = (Job.tags.through(job_id=pk, tag_id=tags[number % 8].pk) for number, pk in some)
    Job.tags.through.objects.bulk_create(rows, batch_size=1000)


def _shelve(owner: User) -> None:
    """Each job's model in the library; half of them with tags, some with notes, the owner's favourites among them."""
    records = [
        TunedModel(
            connection_id=job.connection_id,
            name=job.model,
            owner_id=job.owner_id,
            job=job,
            display_name=job.display_name,
            description="Counts on." if job.pk % 5 == 0 else "",
            base_model=job.base_model,
            dataset_version_id=job.dataset_version_id,
            notes="**Good** for numbers." if job.pk % 10 == 0 else "",
            created=job.created,
            last_used=job.created if job.pk % 3 else None,
            last_loss=job.last_loss,
        )
        for job in Job.objects.all()
    ]
    models = TunedModel.objects.bulk_create(records, batch_size=500)
    tags = list(Tag.objects.all())
    borne = (
        TunedModel.tags.through(tunedmodel_id=model.pk, tag_id=tags[n % len(tags)].pk)
        for n, model in enumerate(models[::2])
    )
    TunedModel.tags.through.objects.bulk_create(borne, batch_size=1000)
    Grant.objects.bulk_create((Grant(model=model, everyone=True, role=1) for model in models[::2]), batch_size=1000)
    owner.favourites.add(*models[:100])


def _curve(steps: int, spikes: int) -> tuple[Losses, list[int]]:
    """Losses that fall, with noise, and the steps (from 1) at which they leap for one step."""
    losses = 3 * np.exp(-np.arange(steps) / (steps / 6)) + 0.3 + 0.05 * draw.standard_normal(steps)
    leaps = np.sort(draw.choice(np.arange(1, steps - 1), spikes, replace=False))
    losses[leaps] = 9 + np.arange(spikes) / 10
    return losses, [int(place) + 1 for place in leaps]


def _running(owner: User, version: DatasetVersion, name: str) -> Job:
    return Job.objects.create(
        owner=owner,
        connection=Connection.objects.local(),
        dataset_version=version,
        ref=f"tunedModels/{name}/operations/o",
        model=f"tunedModels/{name}",
        display_name=name,
        base_model=BASES[0],
        epoch_count=5,
        batch_size=BATCH,
        learning_rate=0.001,
        state=JobState.RUNNING,
        attempt=1,
        total_steps=1_000_000,
        started=timezone.now(),
    )


def _ended(job: Job, losses: Losses) -> int:
    """The key of ``job``, which has ended with ``losses``."""
    _store(job, losses)
    job.store(_status(job, len(losses), JobState.SUCCEEDED), ())
    return job.pk


def _store(job: Job, losses: Losses) -> None:
    begun = time.time()
    numbered = enumerate(losses.tolist(), start=1)
    points = [Point(step, step // EPOCH, loss, begun + 0.4 * step) for step, loss in numbered]
    for start in range(0, len(points), A_POLL):
        told = points[start : start + A_POLL]
        job.store(_status(job, told[-1].step, JobState.RUNNING), told)


def _status(job: Job, completed: int, state: JobState) -> JobStatus:
    now = timezone.now()
    return JobStatus(
        state=state,
        model=job.model,
        attempt=1,
        total_steps=job.total_steps,
        completed_steps=completed,
        started=job.started,
        finished=now if state.is_final else None,
    )


def _measured(job: Job, losses: Losses) -> tuple[float, int]:
    """Seconds that storing ``losses`` takes, and the bytes by which the database grows."""
    before = _database_bytes()
    begun = time.perf_counter()
    _store(job, losses)
    return time.perf_counter() - begun, _database_bytes() - before


def _database_bytes() -> int:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Path(settings.DATABASES["default"]["NAME"]).stat().st_size


if __name__ == "__main__":
    main(orjson.loads(sys.argv[1]))
