"""``/tuneboard/v1``: what the dashboard asks."""

from datetime import datetime
from typing import Any

import pytest

from tests.processes import TuningServer, wait_until
from tests.tuning.server.bodies import TUTORIAL, body


def test_queued_job_tells_its_place(idle_server: TuningServer) -> None:
    key = idle_server.api_key("queue@example.com")
    for name in ("queued-1", "queued-2"):
        idle_server.post(f"/v1beta/tunedModels?tunedModelId={name}", key, json=TUTORIAL)
    first, second = idle_server.job("queued-1", key), idle_server.job("queued-2", key)
    assert first["state"] == "QUEUED"
    assert second["queuePlace"] > first["queuePlace"]  # others may take a turn between
    assert first["points"] == []
    assert "failure" not in first
    assert datetime.fromisoformat(first["created"])


@pytest.fixture(scope="module")
def job(server: TuningServer, key: str) -> dict[str, Any]:
    """A finished job of eight steps, ``pointed``."""
    server.post("/v1beta/tunedModels?tunedModelId=pointed", key, json=body(epochs=2))
    return server.wait_for_state("pointed", key)


def test_points_come_after_the_step_that_is_known(server: TuningServer, key: str, job: dict[str, Any]) -> None:
    assert job["completedSteps"] == job["totalSteps"] == 8
    assert [point[0] for point in server.job("pointed", key, after=5)["points"]] == [6, 7, 8]
    assert server.job("pointed", key, after=8)["points"] == []
    step, epoch, value, time = job["points"][-1]
    assert (step, epoch) == (8, 8 * 4 // 15)
    assert value > 0
    started, finished = (datetime.fromisoformat(job[name]).timestamp() for name in ("started", "finished"))
    assert started < time < finished + 0.1
    assert server.get("/tuneboard/v1/jobs/pointed?after=x", key).status_code == 400


def test_losses_are_those_of_the_wire(server: TuningServer, key: str, job: dict[str, Any]) -> None:
    snapshots = server.get("/v1beta/tunedModels/pointed", key).json()["tuningTask"]["snapshots"]
    assert [(point[0], round(point[2], 4)) for point in job["points"]] == [
        (snapshot["step"], round(snapshot["meanLoss"], 4)) for snapshot in snapshots
    ]


def test_status_tells_that_all_is_ready(server: TuningServer, key: str) -> None:
    status = wait_until(lambda: (found := server.get("/tuneboard/v1/status", key).json())["inference"] and found)
    assert status["tuner"] is True
    assert status["version"]
    assert "preparing" not in status


def test_health_needs_no_credentials(idle_server: TuningServer) -> None:
    assert idle_server.get("/healthz").json() == {"status": "ok"}
