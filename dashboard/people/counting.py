"""How much people have here, counted for many at once."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet, Sum
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


@dataclass(frozen=True, slots=True)
class Belongings:
    """What somebody would leave behind.

    ``used`` counts their datasets that jobs of others were tuned with, ``views`` the views of lists that they share,
    ``kept_views`` those that they kept for themselves.
    """

    jobs: int
    unfinished: int
    sweeps: int
    models: int
    shared: int
    datasets: int
    used: int
    presets: int
    views: int
    kept_views: int
    teams: int

    @property
    def left(self) -> int:
        """How many things there are still to be handed over or removed."""
        return self.jobs + self.sweeps + self.models + self.datasets + self.presets + self.views + self.kept_views


def belongings(person: User) -> Belongings:
    """What ``person`` would leave behind; of who is being seen off, what is still left."""
    datasets, models = Dataset.objects.filter(owner=person), TunedModel.objects.filter(owner=person)
    others = Job.objects.exclude(owner=person)
    used = Q(versions__in=others.values("dataset_version")) | Q(versions__in=others.values("validation_version"))
    return Belongings(
        jobs=person.jobs.count(),
        unfinished=person.jobs.unfinished().count(),
        sweeps=person.sweeps.count(),
        models=models.count(),
        shared=models.filter(grants__isnull=False).distinct().count(),
        datasets=datasets.filter(absent=False).count(),
        used=datasets.filter(used, absent=False).distinct().count(),
        presets=person.presets.count(),
        views=person.views.filter(shared=True).count(),
        kept_views=person.views.filter(shared=False).count(),
        teams=person.memberships.count(),
    )
