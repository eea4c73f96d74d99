"""Who may ask, and what is said to those who may not."""

import pytest

from tests.processes import TuningServer
from tests.tuning.server.bodies import TUTORIAL
from tuning import assertions
from tuning.assertions import Identity


@pytest.fixture(scope="module")
def hers(idle_server: TuningServer, idle_key: str) -> str:
    """The operation of a model of Ada's."""
    answer = idle_server.post("/v1beta/tunedModels?tunedModelId=hers", idle_key, json=TUTORIAL)
    return str(answer.json()["name"])


def test_stranger_is_told_to_use_a_key(idle_server: TuningServer) -> None:
    answer = idle_server.get("/v1beta/tunedModels/x")
    assert answer.status_code == 403
    assert answer.json()["error"]["status"] == "PERMISSION_DENIED"
    assert answer.json()["error"]["message"].startswith("Method doesn't allow unregistered callers")


def test_stranger_cannot_delete(idle_server: TuningServer, idle_key: str, hers: str) -> None:
    assert idle_server.delete("/v1beta/tunedModels/hers").status_code == 403
    assert idle_server.get("/v1beta/tunedModels/hers", idle_key).status_code == 200


def test_wrong_key_is_answered_as_recorded(idle_server: TuningServer) -> None:
    for answer in (
        idle_server.get("/v1beta/tunedModels?key=wrong"),
        idle_server.get("/v1beta/tunedModels", headers={"x-goog-api-key": "wrong"}),
    ):
        error = answer.json()["error"]
        assert (answer.status_code, error["status"]) == (400, "INVALID_ARGUMENT")
        assert error["message"] == "API key not valid. Please pass a valid API key."
        assert error["details"][0]["reason"] == "API_KEY_INVALID"


@pytest.mark.parametrize("value", ["Bearer wrong", "Bearer a.b.c", "Bearer", "Basic eDp5", "Bearer \xff"])
def test_wrong_authorization_is_unauthenticated(idle_server: TuningServer, value: str) -> None:
    answer = idle_server.get("/v1beta/tunedModels", headers={"Authorization": value})
    assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")


def test_key_is_known_in_each_of_its_places(idle_server: TuningServer, idle_key: str) -> None:
    assert idle_server.get(f"/v1beta/tunedModels?key={idle_key}").status_code == 200
    assert idle_server.get(f"/v1beta/tunedModels?access_token={idle_key}").status_code == 200
    assert idle_server.get("/v1beta/tunedModels", headers={"x-goog-api-key": idle_key}).status_code == 200
    assert idle_server.get("/v1beta/tunedModels", headers={"Authorization": f"bearer {idle_key}"}).status_code == 200


def test_other_peoples_model_is_refused_everywhere(idle_server: TuningServer, hers: str) -> None:
    key = idle_server.api_key("eve@example.com")
    question = {"contents": [{"parts": [{"text": "1"}]}]}
    answers = [
        idle_server.get("/v1beta/tunedModels/hers", key),
        idle_server.delete("/v1beta/tunedModels/hers", key),
        idle_server.get(f"/v1/{hers}", key),
        idle_server.post(f"/v1/{hers}:cancel", key),
        idle_server.post("/v1beta/tunedModels/hers:cancel", key),
        idle_server.post("/v1beta/tunedModels/hers:generateContent", key, json=question),
        idle_server.get("/tuneboard/v1/jobs/hers", key),
    ]
    for answer in answers:
        assert answer.status_code == 403
        assert answer.json()["error"]["message"] == "You do not have permission to access tuned model tunedModels/hers."
    assert idle_server.get("/v1beta/tunedModels", key).json() == {}


def test_assertion_speaks_for_a_person(idle_server: TuningServer, hers: str) -> None:
    ada = assertions.issue(Identity(email="Ada@Example.com"), idle_server.secret)
    eve = assertions.issue(Identity(email="eve@example.com"), idle_server.secret)
    admin = assertions.issue(Identity(email="root@example.com", administrator=True), idle_server.secret)
    assert idle_server.get("/v1beta/tunedModels/hers", ada).status_code == 200
    assert idle_server.get("/v1beta/tunedModels/hers", eve).status_code == 403
    assert idle_server.get("/v1beta/tunedModels/hers", admin).status_code == 200
    assert idle_server.get("/v1beta/tunedModels?pageSize=1", admin).json()["tunedModels"]


def test_assertion_signed_by_somebody_else_is_refused(idle_server: TuningServer) -> None:
    forged = assertions.issue(
        Identity(email="ada@example.com", administrator=True), "another secret of forty characters"
    )
    assert idle_server.get("/v1beta/tunedModels", forged).status_code == 401


def test_revoked_key_opens_nothing(idle_server: TuningServer) -> None:
    key = idle_server.api_key("leaver@example.com")
    assert idle_server.get("/v1beta/tunedModels", key).status_code == 200
    listed = idle_server.run("apikey", "list")
    assert key not in listed
    number = next(line.split("\t")[0] for line in listed.splitlines() if "leaver@example.com" in line)
    idle_server.run("apikey", "revoke", number)
    assert idle_server.get("/v1beta/tunedModels", key).status_code == 401
    assert "revoked" in idle_server.run("apikey", "list")


def test_foreign_host_is_refused(idle_server: TuningServer, idle_key: str) -> None:
    answer = idle_server.get("/v1beta/tunedModels", idle_key, headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "Host" in answer.json()["error"]["message"]


def test_keys_and_examples_never_reach_a_log(idle_server: TuningServer, idle_key: str) -> None:
    idle_server.get(f"/v1beta/tunedModels/absent?key={idle_key}")
    examples = {"examples": {"examples": [{"text_input": "hush", "output": ""}]}}
    sent = TUTORIAL | {"tuning_task": {"training_data": examples}}
    idle_server.post("/v1beta/tunedModels", idle_key, json=sent)
    assert idle_key not in idle_server.log()
    assert "hush" not in idle_server.log()
