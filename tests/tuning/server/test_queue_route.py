"""What everybody is told of the queue, and what only those who may see a job are."""

import pytest
from django.conf import settings
from django.test import Client

from tests.tuning.server.test_queue import claimed
from tests.tuning.server.test_turns import jobs_of
from tuning import assertions
from tuning.assertions import Identity
from tuning.server.views.tuneboard import queue

pytestmark = pytest.mark.django_db


def told(email: str, *, administrator: bool = False) -> dict[str, list[dict[str, object]]]:
    identity = Identity(email=email, administrator=administrator)
    client = Client(headers={"Authorization": f"Bearer {assertions.issue(identity, settings.TUNING_SECRET)}"})
    answer: dict[str, list[dict[str, object]]] = client.get("/tuneboard/v1/queue").json()
    return answer


def test_others_jobs_are_places_and_nothing_else() -> None:
    jobs_of("bob", 2, display_name="Secret plan")
    jobs_of("ada", 1, display_name="Mine")
    claimed()
    queue = told("ada@example.com")
    assert queue["waiting"] == 2
    assert [(job["place"], job.get("displayName")) for job in queue["next"]] == [(1, "Mine"), (2, None)]
    assert set(queue["running"][0]) <= {"totalSteps", "completedSteps", "started", "expectedEnd"}
    assert set(queue["next"][1]) <= {"place", "totalSteps", "completedSteps", "expectedStart"}


def test_administrator_is_told_whose_they_are() -> None:
    jobs_of("bob", 2, display_name="Plan", priority=3)
    claimed()
    queue = told("root@example.com", administrator=True)
    assert [job["owner"] for job in queue["running"]] == ["bob@example.com"]
    assert [(job["model"], job["priority"]) for job in queue["next"]] == [("tunedModels/bob-1", 3)]


def test_own_job_is_shown_however_far_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "SHOWN", 2)
    for number in range(4):
        jobs_of(f"person{number}", 1)
    jobs_of("ada", 1)
    assert [job["place"] for job in told("ada@example.com")["next"]] == [1, 2, 5]
