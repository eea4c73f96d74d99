"""What administrators see of the machines, and how they put a job in another place."""

from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tests.processes import TuningServer, wait_until
from tests.tuning.server.bodies import LONG, body
from tests.tuning.server.test_queue import claimed
from tests.tuning.server.test_turns import jobs_of, places
from tuning import assertions
from tuning.assertions import Identity

ROOT = Identity(email="root@example.com", administrator=True)


@pytest.fixture
def root() -> Client:
    """An administrator."""
    return Client(headers={"Authorization": f"Bearer {assertions.issue(ROOT, settings.TUNING_SECRET)}"})


def prioritise(client: Client, model: str, sent: Any) -> tuple[int, dict[str, Any]]:
    answer = client.patch(f"/tuneboard/v1/jobs/{model}", sent, content_type="application/json")
    return answer.status_code, answer.json()


@pytest.mark.django_db
def test_administrator_puts_a_job_before_all_others(root: Client) -> None:
    jobs_of("greedy", 2)
    jobs_of("ada", 1)
    assert prioritise(root, "greedy-1", {"priority": 1}) == (200, {"priority": 1})
    assert places() == ["greedy-1", "ada-0", "greedy-0"]
    job = root.get("/tuneboard/v1/jobs/greedy-1").json()
    assert (job["priority"], job["queuePlace"]) == (1, 1)
    prioritise(root, "greedy-1", {"priority": 0})
    assert places() == ["greedy-0", "ada-0", "greedy-1"]
    assert "priority" not in root.get("/tuneboard/v1/jobs/greedy-1").json()


@pytest.mark.django_db
@pytest.mark.parametrize("sent", [{}, {"priority": 101}, {"priority": "high"}, {"priority": None}, {"place": 1}])
def test_priority_that_is_none_is_refused(root: Client, sent: dict[str, object]) -> None:
    jobs_of("ada", 1)
    assert prioritise(root, "ada-0", sent)[0] == 400


@pytest.mark.django_db
def test_job_that_has_ended_has_no_place(root: Client) -> None:
    jobs_of("ada", 1)
    claimed().succeed()
    status, answer = prioritise(root, "ada-0", {"priority": 1})
    assert (status, answer["error"]["details"][0]["reason"]) == (400, "JOB_ENDED")


@pytest.mark.django_db
def test_owner_and_who_comes_by_key_are_no_administrators(root: Client) -> None:
    jobs_of("ada", 1)
    owner = Identity(email="ada@example.com")
    ada = Client(headers={"Authorization": f"Bearer {assertions.issue(owner, settings.TUNING_SECRET)}"})
    assert prioritise(ada, "ada-0", {"priority": 1})[0] == 403
    refused = ada.get("/tuneboard/v1/engine")
    assert (refused.status_code, refused.json()["error"]["details"][0]["reason"]) == (403, "ADMINISTRATORS_ONLY")


@pytest.mark.django_db
def test_engine_tells_whose_turn_is_next(root: Client) -> None:
    jobs_of("greedy", 3)
    jobs_of("ada", 1)
    claimed()
    queue = root.get("/tuneboard/v1/engine").json()["queue"]
    assert (queue["waiting"], queue["running"]) == (3, 1)
    assert [job["model"] for job in queue["next"]] == [
        f"tunedModels/{name}" for name in ("ada-0", "greedy-1", "greedy-2")
    ]
    assert queue["next"][0]["owner"] == "ada@example.com"


@pytest.mark.django_db
def test_engine_without_a_tuner_says_so(root: Client) -> None:
    engine = root.get("/tuneboard/v1/engine").json()
    assert engine["tuners"] == []
    assert engine["queue"] == {"waiting": 0, "running": 0, "next": []}


def test_engine_shows_the_tuner_its_machine_and_its_children(server: TuningServer, key: str) -> None:
    server.post("/v1beta/tunedModels?tunedModelId=watched", key, json=body(epochs=LONG))

    def tuner() -> dict[str, Any] | None:
        bearer = assertions.issue(ROOT, server.secret)
        for found in server.get("/tuneboard/v1/engine", bearer).json()["tuners"]:  # none before the first beat
            children = {child["kind"]: child.get("model") for child in found["children"]}
            if "inference" in children and children.get("training") == "tunedModels/watched":  # no earlier test's job
                return found
        return None

    found = wait_until(tuner)
    assert found["alive"]
    assert found["slots"] == 1
    assert 0 < found["freeMemoryBytes"] < found["memoryBytes"]
    assert 0 < found["freeDiskBytes"] < found["diskBytes"]
    training = next(child for child in found["children"] if child["kind"] == "training")
    assert training["base"] == "tiny-llama"
    assert training["memoryBytes"] > 10_000_000
    assert datetime.fromisoformat(training["since"])
    server.post("/v1beta/tunedModels/watched:cancel", key, json={})
