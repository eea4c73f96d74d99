"""Operations: under every version, and cancelled."""

from tests.processes import TuningServer, wait_until
from tests.tuning.server import google_types as google
from tests.tuning.server.bodies import LONG, body


def start(server: TuningServer, key: str, model_id: str, *, epochs: int = 1, version: str = "v1beta") -> str:
    """The name of the operation of a new job."""
    answer = server.post(f"/{version}/tunedModels?tunedModelId={model_id}", key, json=body(epochs=epochs))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["name"])


def test_operation_carries_the_types_of_the_version_that_created_it(idle_server: TuningServer, idle_key: str) -> None:
    for version, kind in (("v1beta", google.Metadata), ("v1beta3", google.Metadata3), ("v1", google.Metadata)):
        name = start(idle_server, idle_key, f"made-by-{version}", version=version)
        for polled in ("v1", "v1beta", "v1beta3"):
            operation = google.operation(idle_server.get(f"/{polled}/{name}", idle_key).text)
            assert google.unpack(operation.metadata, kind).tuned_model == f"tunedModels/made-by-{version}"
            assert not operation.done


def test_operation_of_another_job_is_not_found(idle_server: TuningServer, idle_key: str) -> None:
    name = start(idle_server, idle_key, "real-operation")
    assert idle_server.get(f"/v1/{name[:-1]}_", idle_key).status_code == 404
    assert idle_server.get(f"/v1/tunedModels/absent/{name.split('/', 2)[2]}", idle_key).status_code == 404


def test_operations_of_a_model_are_listed_under_every_version(idle_server: TuningServer, idle_key: str) -> None:
    name = start(idle_server, idle_key, "listed-operation", version="v1beta3")
    for version in ("v1", "v1beta", "v1beta3"):
        answer = idle_server.get(f"/{version}/tunedModels/listed-operation/operations?filter=done%3Dtrue", idle_key)
        (operation,) = google.read(google.OperationPage, answer.text).operations
        assert google.unpack(operation.metadata, google.Metadata3).tuned_model == "tunedModels/listed-operation"
        assert (operation.name, list(answer.json())) == (name, ["operations"])
    assert idle_server.get("/v1/tunedModels/absent/operations", idle_key).status_code == 404


def test_operation_cannot_be_deleted(idle_server: TuningServer, idle_key: str) -> None:
    name = start(idle_server, idle_key, "kept-operation")
    answer = idle_server.delete(f"/v1beta/{name}", idle_key, json={})
    assert (answer.status_code, answer.json()["error"]["status"]) == (501, "UNIMPLEMENTED")
    assert idle_server.get(f"/v1beta/{name}", idle_key).status_code == 200


def test_queued_job_is_cancelled_at_once(idle_server: TuningServer, idle_key: str) -> None:
    name = start(idle_server, idle_key, "cancelled-early")
    answer = idle_server.post(f"/v1/{name}:cancel", idle_key, json={})
    assert (answer.status_code, answer.json()) == (200, {})
    operation = google.operation(idle_server.get(f"/v1/{name}", idle_key).text)
    assert operation.done
    assert operation.error.code == 1
    assert idle_server.get("/v1beta/tunedModels/cancelled-early", idle_key).json()["state"] == "FAILED"
    assert idle_server.job("cancelled-early", idle_key)["state"] == "CANCELLED"


def test_running_job_stops_when_cancelled_and_keeps_its_points(server: TuningServer, key: str) -> None:
    name = start(server, key, "cancelled-late", epochs=LONG)
    server.wait_for_state("cancelled-late", key, "RUNNING")
    wait_until(lambda: server.job("cancelled-late", key)["completedSteps"])
    assert server.post("/v1beta/tunedModels/cancelled-late:cancel", key).json() == {}
    job = server.wait_for_state("cancelled-late", key)
    assert job["state"] == "CANCELLED"
    assert len(job["points"]) == job["completedSteps"] > 0
    assert google.operation(server.get(f"/v1/{name}", key).text).error.code == 1
    assert not (server.var_dir / "adapters" / "cancelled-late").exists() or not list(
        (server.var_dir / "adapters" / "cancelled-late").iterdir()
    )


def test_cancelling_what_has_ended_changes_nothing(server: TuningServer, key: str) -> None:
    name = start(server, key, "finished-first")
    server.wait_for_state("finished-first", key)
    before = server.get(f"/v1/{name}", key).text
    assert server.post(f"/v1/{name}:cancel", key).json() == {}
    assert server.get(f"/v1/{name}", key).text == before
