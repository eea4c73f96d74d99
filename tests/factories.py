"""Things for tests to start from, each with sane defaults."""

import json
from io import BytesIO

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.datasets.models import Dataset
from dashboard.jobs.models import Job
from dashboard.library.models import TunedModel
from tuning.datasets import parse
from tuning.jobs import JobState

PASSWORD = "correct horse battery"
"""Everybody's, in the tests."""


class UserFactory(DjangoModelFactory[User]):
    """A person who can sign in with :data:`PASSWORD`."""

    class Meta:
        model = User

    email = factory.Sequence("person{}@example.com".format)
    name = "Alice"
    password = factory.django.Password(PASSWORD)

    class Params:
        administrator = factory.Trait(is_administrator=True)


class DatasetFactory(DjangoModelFactory[Dataset]):
    """A dataset with one version of fifteen number pairs, its file in place."""

    class Meta:
        model = Dataset
        skip_postgeneration_save = True

    owner = factory.SubFactory(UserFactory)
    name = "Next number"

    @factory.post_generation
    def pairs(self: Dataset, create: bool, extracted: int | None, **_: object) -> None:
        lines = [{"text_input": str(number), "output": str(number + 1)} for number in range(extracted or 15)]
        parsed = parse(BytesIO(b"".join(json.dumps(line).encode() + b"\n" for line in lines)), "pairs.jsonl")
        self.add_version(parsed)


class JobFactory(DjangoModelFactory[Job]):
    """A job its service knows, nineteen steps long."""

    class Meta:
        model = Job

    owner = factory.SubFactory(UserFactory)
    connection = factory.LazyFunction(Connection.objects.local)
    dataset_version = factory.LazyAttribute(lambda job: DatasetFactory(owner=job.owner).latest)
    ref = factory.Sequence("tunedModels/m{0}/operations/o".format)
    display_name = "Number generator"
    base_model = "models/tiny-llama"
    epoch_count = 5
    batch_size = 4
    learning_rate = 0.001
    total_steps = 19


class TunedModelFactory(DjangoModelFactory[TunedModel]):
    """A model in the library, with the job that made it; ``owner`` has both."""

    class Meta:
        model = TunedModel
        exclude = ("number",)

    number = factory.Sequence(int)
    owner = factory.SubFactory(UserFactory)
    connection = factory.LazyFunction(Connection.objects.local)
    name = factory.LazyAttribute("tunedModels/made-{0.number}".format)
    display_name = "Number generator"
    base_model = "models/tiny-llama"
    job = factory.LazyAttribute(
        lambda made: JobFactory(
            owner=made.owner,
            connection=made.connection,
            model=made.name,
            ref=f"{made.name}/operations/o",
            display_name=made.display_name,
            state=JobState.SUCCEEDED,
            completed_steps=19,
            finished=timezone.now(),
        )
    )
    dataset_version = factory.SelfAttribute("job.dataset_version")
