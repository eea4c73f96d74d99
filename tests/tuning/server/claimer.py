"""A process that claims jobs as a tuner would: ``python -m tests.tuning.server.claimer [JOBS]``.

With a number it queues so many jobs of five owners instead. Without: it says that it is ready, waits for a line, claims
until nothing waits, and prints each claim.
"""

import sys

import django
from django.db import transaction

JOB = {"operation_id": "op", "api_version": "v1beta", "base_asked": "models/x", "base": "x", "temperature": 1}
JOB |= {"top_p": 1, "top_k": 1, "epoch_count": 1, "batch_size": 1, "learning_rate": 1, "example_count": 9}
JOB |= {"total_steps": 9}


def fill(count: int) -> None:
    from django.utils import timezone

    from tuning.resources import Role
    from tuning.server.models import Job

    with transaction.atomic():
        for number in range(count):
            now = timezone.now()
            job = Job.objects.create(model_id=f"job-{number}", created=now, updated=now, **JOB)
            job.permissions.create(email=f"person-{number % 5}@example.com", role=Role.OWNER)


def claim_all() -> None:
    from tuning.server import queue

    print("ready", flush=True)
    sys.stdin.readline()
    while claim := queue.claim():
        print(claim.job.model_id, claim.attempt, flush=True)


if __name__ == "__main__":
    django.setup()
    if sys.argv[1:]:
        fill(int(sys.argv[1]))
    else:
        claim_all()
