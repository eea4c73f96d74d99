"""How often the database is asked: as often for much as for little."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tuning import curves
from tuning.jobs import JobState, Point
from tuning.resources import Role
from tuning.server.keys import ApiKey, digest
from tuning.server.models import Job, LossChunk, Permission

pytestmark = pytest.mark.django_db

OWNER = "ada@example.com"
QUESTIONS = [
    "/v1beta/tunedModels?pageSize=1000",
    "/v1beta/tunedModels/job-0",
    "/v1beta/tunedModels/job-0/operations/op",
    "/tuneboard/v1/jobs/job-0",
]


def fill(jobs: int, chunks: int, readers: int) -> None:
    """So many finished jobs, with so many pieces of curve and so many people who may read each."""
    Job.objects.all().delete()
    now = timezone.now()
    values = {"operation_id": "op", "api_version": "v1beta", "base_asked": "models/tiny-llama", "base": "tiny-llama"}
    values |= {"temperature": 1, "top_p": 1, "top_k": 1, "epoch_count": 1, "batch_size": 1, "learning_rate": 1e-3}
    values |= {"example_count": 9, "total_steps": 9, "completed_steps": 9, "attempt": 1, "state": JobState.SUCCEEDED}
    for number in range(jobs):
        job = Job.objects.create(model_id=f"job-{number}", created=now, updated=now, finished=now, **values)
        Permission.objects.create(job=job, email=OWNER, role=Role.OWNER)
        for reader in range(readers):
            Permission.objects.create(job=job, email=f"reader-{reader}@example.com", role=Role.READER)
        for step in range(1, chunks + 1):
            packed = curves.pack([Point(step, 0, 1.5, 1e9)])
            LossChunk.objects.create(job=job, first_step=step, last_step=step, points=packed)


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer = client.get(path, headers={"x-goog-api-key": "key"})
    assert answer.status_code == 200, answer.content
    return len(captured)


@pytest.mark.parametrize("path", QUESTIONS)
def test_queries_are_as_many_however_much_there_is(client: Client, path: str) -> None:
    ApiKey.objects.create(name="test", owner=OWNER, digest=digest("key"))
    fill(jobs=1, chunks=1, readers=0)
    few = queries(client, path)
    fill(jobs=30, chunks=5, readers=3)
    assert queries(client, path) == few <= 6
