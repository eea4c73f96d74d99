"""``/tuneboard/v1/jobs/{id}/…``: points, log lines, and what can be taken away."""

from datetime import UTC, datetime
from io import BytesIO
from zipfile import ZipFile

import pytest

from tests.processes import TuningServer, wait_until
from tests.tuning.server.bodies import LONG, PAIRS, TUTORIAL, body

JOB = "/tuneboard/v1/jobs/taken-away"


@pytest.fixture(scope="module", autouse=True)
def job(server: TuningServer, key: str) -> None:
    """A finished job of eight steps, ``taken-away``."""
    server.post("/v1beta/tunedModels?tunedModelId=taken-away", key, json=body(epochs=2))
    assert server.wait_for_state("taken-away", key)["state"] == "SUCCEEDED"


def test_points_come_after_a_step(server: TuningServer, key: str) -> None:
    answer = server.get(f"{JOB}/points?after=5", key).json()
    assert answer["attempt"] == 1
    assert [point[0] for point in answer["points"]] == [6, 7, 8]
    assert answer["points"] == server.job("taken-away", key, after=5)["points"]


def test_points_of_an_attempt_that_is_over_begin_anew(server: TuningServer, key: str) -> None:
    assert len(server.get(f"{JOB}/points?after=5&attempt=1", key).json()["points"]) == 3
    assert len(server.get(f"{JOB}/points?after=5&attempt=0", key).json()["points"]) == 8


def test_log_goes_on_after_its_cursor(server: TuningServer, key: str) -> None:
    log = server.get(f"{JOB}/log", key).json()
    assert "Attempt 1 begins" in log["lines"][0]["text"]
    assert any("15 examples" in line["text"] for line in log["lines"])
    assert log["lines"][0]["level"] == "info"
    assert log["lines"][0]["attempt"] == 1
    assert datetime.fromisoformat(log["lines"][0]["time"]) < datetime.now(UTC)
    assert server.get(f"{JOB}/log?after={log['cursor']}", key).json() == {"lines": [], "cursor": log["cursor"]}
    assert server.job("taken-away", key)["logCursor"] == log["cursor"]


@pytest.mark.parametrize("query", ["log?after=-1", "log?after=x", "points?after=1.5", "points?attempt=one"])
def test_cursor_that_is_no_number_is_refused(server: TuningServer, key: str, query: str) -> None:
    assert server.get(f"{JOB}/{query}", key).status_code == 400


def test_adapter_comes_as_a_zip_file(server: TuningServer, key: str) -> None:
    answer = server.get(f"{JOB}/adapter", key)
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="taken-away.zip"'
    with ZipFile(BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
    assert {"taken-away/adapter_config.json", "taken-away/adapter_model.safetensors"} <= set(names)
    assert any(name.endswith(".gguf") for name in names)


def test_training_data_comes_as_it_was_sent(server: TuningServer, key: str) -> None:
    answer = server.get(f"{JOB}/training-data", key)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="taken-away.jsonl"'
    assert answer.text.splitlines()[0] == '{"text_input":"1","output":"2"}'
    assert len(answer.text.splitlines()) == len(PAIRS)


@pytest.mark.parametrize("part", ["points", "log", "adapter", "training-data"])
def test_nothing_of_it_is_for_strangers(server: TuningServer, part: str) -> None:
    assert server.get(f"{JOB}/{part}").status_code == 403
    assert server.get(f"{JOB}/{part}", server.api_key("eve@example.com")).status_code == 403
    assert server.get(f"/tuneboard/v1/jobs/nobody/{part}", server.api_key("eve@example.com")).status_code in (403, 404)


def test_adapter_of_a_job_under_way_is_not_there_yet(idle_server: TuningServer, idle_key: str) -> None:
    idle_server.post("/v1beta/tunedModels?tunedModelId=not-yet", idle_key, json=TUTORIAL)
    answer = idle_server.get("/tuneboard/v1/jobs/not-yet/adapter", idle_key)
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "FAILED_PRECONDITION")
    idle_server.post("/v1beta/tunedModels/not-yet:cancel", idle_key)
    assert idle_server.get("/tuneboard/v1/jobs/not-yet/adapter", idle_key).status_code == 400


def test_waiting_job_tells_when_its_turn_may_come(server: TuningServer, key: str) -> None:
    """The farther back in the queue, the later; what runs tells nothing."""
    server.post("/v1beta/tunedModels?tunedModelId=long-one", key, json=body(epochs=LONG))
    for name in ("waits", "waits-longer"):
        server.post(f"/v1beta/tunedModels?tunedModelId={name}", key, json=body(epochs=LONG))
    wait_until(lambda: server.job("long-one", key)["completedSteps"] > 3)
    first, second = server.job("waits", key), server.job("waits-longer", key)
    assert datetime.now(UTC) < datetime.fromisoformat(first["expectedStart"])
    assert datetime.fromisoformat(first["expectedStart"]) < datetime.fromisoformat(second["expectedStart"])
    assert "expectedStart" not in server.job("long-one", key)
    for name in ("waits-longer", "waits", "long-one"):
        server.delete(f"/v1beta/tunedModels/{name}", key)


def test_no_start_is_expected_where_nothing_was_ever_tuned(idle_server: TuningServer, idle_key: str) -> None:
    idle_server.post("/v1beta/tunedModels?tunedModelId=who-knows", idle_key, json=TUTORIAL)
    assert "expectedStart" not in idle_server.job("who-knows", idle_key)
