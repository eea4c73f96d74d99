"""What an open page asks each second: answered as any other question about a job is, to the same people."""

from itertools import product

import pytest
from django.utils import timezone

from dashboard.accounts.models import User
from dashboard.jobs.models import Job
from dashboard.library.models import Grant, Role
from dashboard.teams.models import Team
from tests.factories import JobFactory, TunedModelFactory, UserFactory

pytestmark = pytest.mark.django_db


def shared(owner: User, **whom: object) -> Job:
    job: Job = JobFactory(owner=owner, model=f"tunedModels/{Job.objects.count()}")
    model = TunedModelFactory(owner=owner, job=job, connection=job.connection, name=job.model)
    if whom:
        Grant.objects.create(model=model, role=Role.READER, **whom)
    return job


@pytest.fixture
def people() -> list[User]:
    return [UserFactory(is_administrator=True), *(UserFactory() for _ in range(3))]


@pytest.fixture
def jobs(people: list[User]) -> list[Job]:
    _, owner, friend, _ = people
    team = Team.objects.create(name="Ours", address="ours@example.com")
    team.members.add(friend)
    jobs = [JobFactory(owner=person) for person in people]
    jobs += [shared(owner), shared(owner, person=friend), shared(owner, team=team), shared(owner, everyone=True)]
    jobs += [shared(owner, address=friend.email), shared(owner, everyone=True)]
    jobs[-1].library_model.removed = timezone.now()
    jobs[-1].library_model.save()
    return jobs


def test_a_glimpse_is_had_by_those_who_may_see_the_job(people: list[User], jobs: list[Job]) -> None:
    for person, job in product(people, jobs):
        seen = Job.objects.visible_to(person).filter(pk=job.pk).first()
        glimpsed = Job.objects.glimpse(person, job.pk)
        assert glimpsed == seen
        if glimpsed and seen:
            assert (glimpsed.fingerprint, glimpsed.is_due) == (seen.fingerprint, seen.is_due)


def test_nobody_and_no_job_are_told_apart_from_others(people: list[User], jobs: list[Job]) -> None:
    assert [Job.objects.glimpse(people[0], pk) for pk in (-1, -2, 0, 10**15)] == [None] * 4
