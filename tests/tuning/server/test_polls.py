"""Polls of an operation that come one after the other without a pause."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from django.utils import timezone

from tests.processes import TuningServer
from tests.tuning.server.bodies import TUTORIAL
from tuning.assertions import Identity
from tuning.server import polls
from tuning.server.models import Job

ADA = Identity(email="Ada@example.com")
FACTS = {"operation_id": "op", "api_version": "v1beta", "base_asked": "models/x", "base": "x", "temperature": 1.0}
FACTS |= {"top_p": 1.0, "top_k": 1, "epoch_count": 1, "batch_size": 1, "learning_rate": 1.0, "example_count": 1}


@pytest.fixture
def job() -> Job:
    now = timezone.now()
    return Job.objects.create(**FACTS, model_id="polled", total_steps=1, created=now, updated=now)


@pytest.fixture
def operation(idle_server: TuningServer, idle_key: str) -> Iterator[str]:
    """A job that waits, and of which nobody was told yet."""
    made = idle_server.post("/v1beta/tunedModels", idle_key, json=TUTORIAL).json()
    yield str(made["name"])
    idle_server.delete(f"/v1beta/{made['metadata']['tunedModel']}", idle_key)


def test_poll_that_has_no_news_takes_its_time(idle_server: TuningServer, idle_key: str, operation: str) -> None:
    first = idle_server.get(f"/v1/{operation}", idle_key)
    begun = time.monotonic()
    answers = [idle_server.get(f"/v1beta/{operation}", idle_key) for _ in range(4)]
    assert time.monotonic() - begun > 0.7
    assert {answer.text for answer in answers} == {first.text}


def test_poll_that_was_held_tells_the_news(idle_server: TuningServer, idle_key: str, operation: str) -> None:
    idle_server.get(f"/v1/{operation}", idle_key)
    with ThreadPoolExecutor() as pool:
        poll = pool.submit(requests.get, f"{idle_server.url}/v1/{operation}", {"key": idle_key}, timeout=60)
        idle_server.post(f"/v1/{operation}:cancel", idle_key)
        assert poll.result().json()["done"] is True


def test_model_deleted_while_a_poll_waits_is_gone(idle_server: TuningServer, idle_key: str, operation: str) -> None:
    idle_server.get(f"/v1/{operation}", idle_key)
    with ThreadPoolExecutor() as pool:
        poll = pool.submit(requests.get, f"{idle_server.url}/v1/{operation}", {"key": idle_key}, timeout=60)
        idle_server.delete(f"/v1beta/{operation.partition('/operations/')[0]}", idle_key)
        assert poll.result().status_code in (403, 404)


@pytest.mark.django_db
def test_first_poll_and_news_are_answered_at_once(job: Job) -> None:
    assert not polls.hold(job, ADA)
    job.completed_steps = 1
    assert not polls.hold(job, ADA), "it has made a step"
    assert not polls.hold(job, Identity(email="eve@example.com")), "somebody else was told nothing yet"
    job.state = "SUCCEEDED"
    assert not polls.hold(job, ADA)
    assert not polls.hold(job, ADA), "nothing more will come"


@pytest.mark.django_db
def test_news_that_come_meanwhile_end_the_waiting(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polls, "HELD_SECONDS", 30.0)
    polls.hold(job, ADA)
    Job.objects.update(completed_steps=1)
    begun = time.monotonic()
    assert polls.hold(job, ADA)
    assert time.monotonic() - begun < 15


@pytest.mark.django_db
def test_who_waits_between_polls_is_not_held(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    polls.hold(job, ADA)
    later = time.monotonic() + 10
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert not polls.hold(job, ADA)


@pytest.mark.django_db
def test_few_polls_are_held_so_that_others_are_served(job: Job) -> None:
    polls.hold(job, ADA)
    assert polls.hold(job, ADA)
    with polls.SEATS, polls.SEATS:
        assert not polls.hold(job, ADA)
    assert polls.hold(job, ADA)


def test_what_is_remembered_has_an_end() -> None:
    told = polls.Told()
    for number in range(polls.REMEMBERED + 5):
        told.note((number, "ada@example.com"), ("QUEUED", 0, 0))
    assert told.again_at((0, "ada@example.com"), ("QUEUED", 0, 0)) == 0
    assert told.again_at((polls.REMEMBERED, "ada@example.com"), ("QUEUED", 0, 0)) > 0
