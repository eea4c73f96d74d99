"""``/tuneboard/v1/uses``: which models are in use."""

from datetime import datetime, timedelta

import pytest

from tests.processes import TuningServer, wait_until
from tests.tuning.server.bodies import body
from tests.tuning.server.test_generation import question
from tuning import assertions
from tuning.assertions import Identity

USES = "/tuneboard/v1/uses"


@pytest.fixture(scope="module")
def used(server: TuningServer, key: str) -> TuningServer:
    """The server with a model of Ada's that everyone may ask, and that Bob asks."""
    wait_until(lambda: server.get("/tuneboard/v1/status", key).json()["inference"])
    server.post("/v1beta/tunedModels?tunedModelId=in-use", key, json=body(epochs=1))
    assert server.wait_for_state("in-use", key)["state"] == "SUCCEEDED"
    assert "tunedModels/in-use" not in server.get(USES, key).json()["uses"]
    everyone = {"granteeType": "EVERYONE", "role": "READER"}
    assert server.post("/v1beta/tunedModels/in-use/permissions", key, json=everyone).status_code == 200
    return server


def test_owner_is_told_when_anybody_asked_last(used: TuningServer, key: str) -> None:
    bob = used.api_key("bob@example.com")
    used.post("/v1beta/tunedModels/in-use:countTokens", bob, json={"contents": [{"parts": [{"text": "one"}]}]})
    asked = used.post("/v1beta/tunedModels/in-use:generateContent", bob, json=question(maxOutputTokens=1))
    assert asked.status_code == 200
    told = used.get(f"{USES}?within=3600", key).json()["uses"]["tunedModels/in-use"]
    moment = datetime.fromisoformat(told)
    assert abs(datetime.now(moment.tzinfo) - moment) < timedelta(minutes=5)
    assert used.get(USES, bob).json() == {"uses": {}}
    administrator = assertions.issue(Identity(email="root@example.com", administrator=True), used.secret)
    assert used.get(USES, administrator).json() == {"uses": {}}


def test_model_that_is_asked_all_the_time_is_noted_once_a_minute(used: TuningServer, key: str) -> None:
    first, second = (
        used.post("/v1beta/tunedModels/in-use:generateContent", key, json=question(maxOutputTokens=1))
        and used.get(USES, key).json()["uses"]["tunedModels/in-use"]
        for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize("within", ["-1", "x", "1e9", "9999999999"])
def test_odd_spans_are_refused(used: TuningServer, key: str, within: str) -> None:
    assert used.get(f"{USES}?within={within}", key).status_code == 400
