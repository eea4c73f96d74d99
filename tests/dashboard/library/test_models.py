"""The record of a tuned model: when it is made, and who may see and change it, with the job that made it."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from dashboard.accounts.models import User
from dashboard.jobs.models import Job
from dashboard.jobs.removing import remove
from dashboard.jobs.tags import Tag
from dashboard.library.models import Grant, Role, TunedModel
from dashboard.teams.models import Team
from tests.factories import JobFactory, TunedModelFactory, UserFactory
from tuning.jobs import JobState, JobStatus

pytestmark = pytest.mark.django_db


@pytest.fixture
def bob(db: None) -> User:
    return UserFactory(email="bob@example.com")


def status(state: JobState, model: str = "tunedModels/m") -> JobStatus:
    return JobStatus(state=state, model=model, total_steps=19, attempt=1)


def test_record_is_made_when_a_job_succeeds_and_not_before() -> None:
    job = JobFactory(notes="for the **hot line**")
    Tag.objects.put_on([job], "support")
    job.store(status(JobState.RUNNING), [])
    assert not TunedModel.objects.exists()
    job.store(status(JobState.SUCCEEDED), [])
    model = TunedModel.objects.get()
    assert (model.name, model.owner, model.job) == ("tunedModels/m", job.owner, job)
    assert (model.display_name, model.notes, model.base_model) == (job.display_name, job.notes, job.base_model)
    assert [str(tag) for tag in model.tags.all()] == ["support"]


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
def test_job_that_made_no_model_leaves_no_record(state: JobState) -> None:
    JobFactory().store(status(state), [])
    assert not TunedModel.objects.exists()


def test_model_that_two_have_brought_in_has_one_record() -> None:
    first, second = JobFactory(), JobFactory()
    for job in (first, second):
        job.store(status(JobState.SUCCEEDED), [])
    assert TunedModel.objects.get().owner == first.owner


def test_model_knows_what_it_was_tuned_further_from() -> None:
    source = TunedModelFactory()
    job = JobFactory(tuned_from=source.name)
    job.store(status(JobState.SUCCEEDED, "tunedModels/further"), [])
    assert list(source.descendants.all()) == [job.library_model]


def test_deleted_model_has_no_record_any_more(no_server: None) -> None:
    model = TunedModelFactory()
    Job.objects.filter(pk=model.job.pk).update(ref="")  # nothing to be asked for at the service
    remove(Job.objects.get(), model.owner)
    assert not TunedModel.objects.exists()


def test_stranger_sees_neither_model_nor_job(bob: User) -> None:
    model = TunedModelFactory()
    assert model.role_of(bob) is None
    assert not TunedModel.objects.visible_to(bob).exists()
    assert not Job.objects.visible_to(bob).exists()


@pytest.mark.parametrize("role", [Role.READER, Role.WRITER])
@pytest.mark.parametrize("how", ["person", "team", "address", "everyone"])
def test_grant_shows_model_and_job_and_no_other(bob: User, role: Role, how: str) -> None:
    model, _other = TunedModelFactory(), TunedModelFactory()
    team = Team.objects.create(name="Support")
    team.members.add(bob)
    who = {
        "person": {"person": bob},
        "team": {"team": team},
        "address": {"address": "Bob@example.com"},
        "everyone": {"everyone": True},
    }
    Grant.objects.create(model=model, role=role, **who[how])
    assert model.role_of(bob) is role
    assert list(TunedModel.objects.visible_to(bob)) == [model]
    assert list(Job.objects.visible_to(bob)) == [model.job]
    assert Job.objects.changeable_by(bob).exists() == (role is Role.WRITER)
    assert not TunedModel.objects.with_role(bob, Role.OWNER).exists()


def test_group_with_a_persons_address_is_not_the_person(bob: User) -> None:
    Grant.objects.create(model=TunedModelFactory(), role=Role.READER, address=bob.email, is_group=True)
    assert not TunedModel.objects.visible_to(bob).exists()


def test_administrators_see_and_may_do_all() -> None:
    model, administrator = TunedModelFactory(), UserFactory(administrator=True)
    assert model.role_of(administrator) is Role.OWNER
    assert list(TunedModel.objects.visible_to(administrator)) == [model]
    assert list(Job.objects.changeable_by(administrator)) == [model.job]


def test_tags_of_shared_jobs_are_suggested(bob: User) -> None:
    model = TunedModelFactory()
    Tag.objects.put_on([model.job], "support")
    assert not Tag.objects.seen_by(bob).exists()
    Grant.objects.create(model=model, role=Role.READER, person=bob)
    assert [str(tag) for tag in Tag.objects.seen_by(bob)] == ["support"]


@pytest.mark.django_db(transaction=True)
def test_earlier_jobs_get_their_records() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("library", "0001_initial")])
    try:
        first = JobFactory(state=JobState.SUCCEEDED, model="tunedModels/a", notes="kept")
        JobFactory(state=JobState.SUCCEEDED, model="tunedModels/a")
        further = JobFactory(state=JobState.SUCCEEDED, model="tunedModels/b", tuned_from="tunedModels/a")
        JobFactory(state=JobState.FAILED, model="tunedModels/c")
        Tag.objects.put_on([first], "support")
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    made = {model.name: model for model in TunedModel.objects.all()}
    assert {name: model.job for name, model in made.items()} == {"tunedModels/a": first, "tunedModels/b": further}
    assert made["tunedModels/b"].tuned_from == made["tunedModels/a"]
    assert (made["tunedModels/a"].notes, str(made["tunedModels/a"].tags.get())) == ("kept", "support")
