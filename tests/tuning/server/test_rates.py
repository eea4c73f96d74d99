"""How often a key may ask."""

from collections.abc import Iterator

import pytest
import requests

from tests.processes import TuningServer, tuning_server
from tests.tuning.server.bodies import TUTORIAL
from tuning import assertions
from tuning.assertions import Identity
from tuning.server.keys import ApiKey
from tuning.server.rates import Permits

LIMIT = 5
MINUTE = 29_000_000


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TuningServer]:
    """A server where a key may ask five times a minute."""
    folder = tmp_path_factory.mktemp("limited")
    with tuning_server(folder, tuner=False, TUNING_REQUESTS_A_MINUTE=str(LIMIT)) as server:
        yield server


def use_up(server: TuningServer, key: str) -> requests.Response:
    """Ask until no more is allowed: after the limit, or later when a minute ends meanwhile. The first refusal."""
    for asked in range(3 * LIMIT):
        answer = server.get("/v1beta/models", key)
        if answer.status_code == 429:
            assert asked >= LIMIT
            return answer
    raise AssertionError("nothing was refused")


def test_key_that_asks_too_often_is_told_when_to_come_again(limited: TuningServer) -> None:
    answer = use_up(limited, limited.api_key("busy@example.com"))
    error = answer.json()["error"]
    assert error["status"] == "RESOURCE_EXHAUSTED"
    assert error["message"] == "Resource has been exhausted (e.g. check quota)."
    assert error["details"][0]["reason"] == "RATE_LIMIT_EXCEEDED"
    assert error["details"][0]["metadata"] == {"requests_per_minute": "5"}
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_other_key_of_the_same_person_is_not_held_back(limited: TuningServer) -> None:
    use_up(limited, limited.api_key("two-keys@example.com"))
    assert limited.get("/v1beta/models", limited.api_key("two-keys@example.com")).status_code == 200


def test_polls_of_an_operation_are_not_counted(limited: TuningServer) -> None:
    key = limited.api_key("poller@example.com")
    operation = limited.post("/v1beta/tunedModels", key, json=TUTORIAL).json()["name"]
    limited.post(f"/v1/{operation}:cancel", key)
    assert {limited.get(f"/v1/{operation}", key).status_code for _ in range(4 * LIMIT)} == {200}


def test_people_of_the_dashboard_are_not_counted(limited: TuningServer) -> None:
    person = assertions.issue(Identity(email="ada@example.com"), limited.secret)
    assert {limited.get("/v1beta/tunedModels", person).status_code for _ in range(4 * LIMIT)} == {200}


@pytest.mark.parametrize("limit", [1, 7, 40, 600])
@pytest.mark.django_db
def test_processes_share_the_limit_of_a_key(limit: int) -> None:
    key, _ = ApiKey.objects.issue("shared", "ada@example.com")
    one, other = Permits(), Permits()
    tries = [process.take(key.pk, limit, MINUTE) for _ in range(limit + 5) for process in (one, other)]
    assert 0.9 * limit <= sum(tries) <= limit


@pytest.mark.django_db
def test_new_minute_begins_anew() -> None:
    key, _ = ApiKey.objects.issue("again", "ada@example.com")
    permits = Permits()
    for minute in (MINUTE, MINUTE + 1, MINUTE + 5):
        assert [permits.take(key.pk, 3, minute) for _ in range(5)] == [True, True, True, False, False]


@pytest.mark.django_db
def test_process_whose_clock_is_late_gives_out_no_more_than_the_others() -> None:
    key, _ = ApiKey.objects.issue("late", "ada@example.com")
    assert Permits().take(key.pk, 2, MINUTE + 1)
    late = Permits()
    assert [late.take(key.pk, 2, MINUTE) for _ in range(3)] == [True, False, False]
