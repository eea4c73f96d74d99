"""What an older installation keeps when it is brought up to date."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from tuning.assertions import Identity
from tuning.server.access import Action, permit, permit_examples
from tuning.server.models import Job

OLD_JOB = {"operation_id": "op", "api_version": "v1beta", "base_asked": "models/x", "base": "x", "temperature": 1}
OLD_JOB |= {"top_p": 1, "top_k": 1, "epoch_count": 1, "batch_size": 1, "learning_rate": 1, "example_count": 1}


@pytest.mark.django_db(transaction=True)
def test_owner_of_an_older_installations_model_stays_its_owner() -> None:
    earlier = MigrationExecutor(connection).migrate([("server", "0001_initial")])
    now = timezone.now()
    job = earlier.apps.get_model("server", "Job")
    job.objects.create(**OLD_JOB, model_id="old", owner="ada@example.com", total_steps=1, created=now, updated=now)
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    permit(Identity(email="Ada@example.com"), Job.objects.get(model_id="old"), Action.DELETE)
    permit_examples(Identity(email="Ada@example.com"), Job.objects.get(model_id="old"))
