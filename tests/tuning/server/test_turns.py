"""Whose turn it is: nobody's many jobs keep others waiting, and what people are told about their place comes true."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from tests.tuning.server.test_queue import claimed, let_lease_run_out, make_job
from tuning import curves
from tuning.jobs import JobState, Point
from tuning.resources import Role
from tuning.server import expectations, queue, turns
from tuning.server.keys import ApiKey, digest
from tuning.server.models import Job, LossChunk, Permission, TunerState
from tuning.server.queue import Claim

pytestmark = pytest.mark.django_db


def jobs_of(owner: str, count: int, **changes: Any) -> list[Job]:
    jobs = [make_job(f"{owner}-{number}", **changes) for number in range(count)]
    for job in jobs:
        job.permissions.create(email=f"{owner}@example.com", role=Role.OWNER)
    return jobs


def claim_all(at_once: int = 1) -> list[str]:
    """The models in the order of their claims, when ``at_once`` run and the one that began first ends first."""
    order, running = [], []
    while claim := queue.claim():
        order.append(claim.job.model_id)
        running.append(claim)
        if len(running) == at_once:
            running.pop(0).succeed()
    return order


def places() -> list[str]:
    """The models in the order of the places that their people are told."""
    told = {job.model_id: expectations.of(job) for job in Job.objects.filter(state=JobState.QUEUED)}
    return sorted(told, key=lambda name: told[name].place)


def test_who_came_first_with_many_jobs_keeps_nobody_waiting() -> None:
    jobs_of("greedy", 5)
    jobs_of("ada", 2)
    jobs_of("bob", 1)
    assert claim_all() == ["greedy-0", "ada-0", "bob-0", "greedy-1", "ada-1", "greedy-2", "greedy-3", "greedy-4"]


def test_slots_are_shared_between_owners() -> None:
    jobs_of("greedy", 5)
    assert [claimed().job.model_id for _ in range(3)] == ["greedy-0", "greedy-1", "greedy-2"]
    jobs_of("ada", 3)
    # Three of greedy's run: ada has as many before greedy has one more.
    assert [claimed().job.model_id for _ in range(4)] == ["ada-0", "ada-1", "ada-2", "greedy-3"]


def test_turns_are_remembered_when_the_jobs_are_gone() -> None:
    jobs_of("greedy", 2)
    claimed().succeed()
    Job.objects.filter(state=JobState.SUCCEEDED).delete()
    jobs_of("ada", 1)
    assert claim_all() == ["ada-0", "greedy-1"]


def test_higher_priority_goes_first_and_a_lower_one_last() -> None:
    [_, chosen] = jobs_of("greedy", 2)
    [patient, _] = jobs_of("ada", 2)
    queue.prioritise(chosen, 5)
    queue.prioritise(patient, -1)
    assert places() == ["greedy-1", "ada-1", "greedy-0", "ada-0"]
    assert claim_all() == ["greedy-1", "ada-1", "greedy-0", "ada-0"]


def die(claim: Claim) -> None:
    claim.die("It was killed")


@pytest.mark.parametrize("loss", [Claim.release, die, let_lease_run_out])
def test_job_that_lost_its_tuner_goes_on_before_another_begins(loss: Any) -> None:
    jobs_of("ada", 2)
    jobs_of("bob", 2)
    claim = claimed()
    loss(claim)
    assert claim_all() == ["ada-0", "bob-0", "ada-1", "bob-1"]


def test_jobs_of_a_base_model_that_is_not_ready_hold_up_no_others() -> None:
    jobs_of("ada", 1, base="huge")
    jobs_of("bob", 1)
    claim = queue.claim(ready=lambda base: base != "huge")
    assert claim is not None
    assert claim.job.model_id == "bob-0"
    assert queue.claim(ready=lambda base: base != "huge") is None
    assert queue.waiting_bases() == ["huge"]


@pytest.mark.parametrize("seed", range(8))
def test_places_come_true(seed: int) -> None:
    chance = random.Random(seed)
    for owner in ("ada", "bob", "eve", "greedy"):
        jobs_of(owner, chance.randint(0, 6), priority=chance.choice([0, 0, 1]))
    for _ in range(chance.randint(0, 3)):  # some had their turns
        if claim := queue.claim():
            claim.succeed()
    if claim := queue.claim():
        claim.release()
    told = places()
    assert claim_all() == told


@pytest.mark.parametrize("slots", [1, 2, 3])
def test_places_come_true_with_several_slots(slots: int) -> None:
    jobs_of("greedy", 6)
    jobs_of("ada", 3)
    jobs_of("bob", 1)
    TunerState.objects.create(name="here", host="here", pid=1, slots=slots, threads=1, heartbeat=Now())
    told = places()
    assert claim_all(at_once=slots) == told


def start_of(job: Job) -> float:
    """Seconds until ``job`` is expected to start."""
    expected = expectations.of(job)
    assert expected is not None
    assert expected.start is not None
    return (expected.start - timezone.now()).total_seconds()


def note_pace(job: Job, seconds: float) -> None:
    points = [Point(step, 0, 1.0, 1e9 + step * seconds) for step in range(1, 11)]
    LossChunk.objects.create(job=job, first_step=1, last_step=10, points=curves.pack(points))


def test_start_is_expected_after_the_work_that_goes_before() -> None:
    jobs_of("greedy", 3, total_steps=100, batch_size=4)
    [mine] = jobs_of("ada", 1, total_steps=100, batch_size=4)
    running = claimed().job
    Job.objects.filter(pk=running.pk).update(completed_steps=40)
    note_pace(running, seconds=2.0)
    assert start_of(mine) == pytest.approx(60 * 2, abs=2)  # what is left of the one that runs
    assert start_of(Job.objects.get(model_id="greedy-1")) == pytest.approx(160 * 2, abs=2)
    assert start_of(Job.objects.get(model_id="greedy-2")) == pytest.approx(260 * 2, abs=2)


def test_second_slot_halves_the_wait() -> None:
    jobs_of("greedy", 5, total_steps=100, batch_size=4)
    note_pace(claimed().job, seconds=2.0)
    last = Job.objects.get(model_id="greedy-4")
    assert start_of(last) == pytest.approx(800, abs=2)
    for name in ("one", "two"):
        TunerState.objects.create(name=name, host=name, pid=1, slots=1, threads=1, heartbeat=Now())
    assert start_of(last) == pytest.approx(400, abs=2)
    TunerState.objects.filter(name="two").update(heartbeat=Now() - timedelta(minutes=1))
    assert start_of(last) == pytest.approx(800, abs=2)


def test_nothing_is_expected_of_jobs_that_do_not_wait() -> None:
    [job] = jobs_of("ada", 1)
    claimed()
    job.refresh_from_db()
    assert expectations.of(job) is None


def fill(count: int) -> None:
    Job.objects.all().delete()
    now = timezone.now()
    values = {"operation_id": "op", "api_version": "v1beta", "base_asked": "models/x", "base": "x", "temperature": 1}
    values |= {"top_p": 1, "top_k": 1, "epoch_count": 1, "batch_size": 1, "learning_rate": 1, "example_count": 9}
    values |= {"total_steps": 9, "created": now, "updated": now}
    jobs = Job.objects.bulk_create([Job(model_id=f"job-{number}", **values) for number in range(count)])
    owners = [f"person-{number % 300}@example.com" for number in range(count)]
    Permission.objects.bulk_create(
        Permission(job=job, email=owner, role=Role.OWNER) for job, owner in zip(jobs, owners, strict=True)
    )


def test_a_place_among_ten_thousand_costs_as_few_queries_as_the_first(client: Client) -> None:
    ApiKey.objects.create(name="test", owner="person-0@example.com", digest=digest("key"))

    def queries(model: str, place: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            job = client.get(f"/tuneboard/v1/jobs/{model}", headers={"x-goog-api-key": "key"}).json()
        assert job["queuePlace"] == place
        return len(captured)

    fill(1)
    few = queries("job-0", place=1)
    fill(10_000)
    assert queries("job-9900", place=9901) == few <= 12
    assert claimed().job.model_id == "job-0"


def test_everybody_comes_round_before_anybody_comes_again() -> None:
    fill(900)
    owners = [waiting.owner for waiting, _ in turns.order()]
    for start in (0, 300, 600):
        assert len(Counter(owners[start : start + 300])) == 300


def test_job_keeps_the_threads_that_it_began_with(settings: Settings) -> None:
    """The last bits of its losses depend on them."""
    jobs_of("ada", 1)
    settings.TUNER_THREADS = 2
    first = claimed()
    assert first.job.threads == 2
    first.release()
    settings.TUNER_THREADS = 1
    assert claimed().job.threads == 2


def test_job_knows_the_releases_that_it_was_computed_with(settings: Settings) -> None:
    """Not those of whoever asks later: its losses are to come out the same once more."""
    [job] = jobs_of("ada", 1)
    settings.VERSION = "0.0.9"
    claimed()
    settings.VERSION = "0.1.0"
    job.refresh_from_db()
    assert job.computed_by == "0.0.9"
    assert job.computed_with.startswith("torch ")
