"""How much people have here, counted for many at once."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, QuerySet, Sum
from django.db.models.aggregates import Aggregate

from dashboard.accounts.models import User
from dashboard.datasets.models import Dataset
from dashboard.jobs.models import Job
from dashboard.library.models import TunedModel


@dataclass(frozen=True, slots=True)
class Holding:
    """What one person has; ``storage`` is the bytes of their datasets."""

    person: User
    jobs: int
    models: int
    datasets: int
    storage: int


def holdings(people: Iterable[User]) -> list[Holding]:
    """What each of ``people`` has, in their order."""
    people = list(people)
    jobs = _by_owner(Job.objects.all(), people, Count("pk"))
    models = _by_owner(TunedModel.objects.present(), people, Count("pk"))
    datasets = _by_owner(Dataset.objects.filter(absent=False), people, Count("pk"))
    storage = _by_owner(Dataset.objects.all(), people, Sum("versions__size"))
    return [
        Holding(
            person=person,
            jobs=jobs.get(person.pk, 0),
            models=models.get(person.pk, 0),
            datasets=datasets.get(person.pk, 0),
            storage=storage.get(person.pk, 0) or 0,
        )
        for person in people
    ]


def _by_owner(
    rows: "QuerySet[Job] | QuerySet[TunedModel] | QuerySet[Dataset]", people: list[User], number: Aggregate
) -> dict[int, int]:
    return dict(rows.filter(owner__in=people).order_by().values_list("owner").annotate(number=number))
