"""``/tuneboard/v1/keys``: a person's API keys."""

from datetime import datetime
from typing import Any

import pytest
import requests

from tests.processes import TuningServer
from tuning import assertions
from tuning.assertions import Identity

KEYS = "/tuneboard/v1/keys"


class Person:
    """Somebody who is signed in on the dashboard."""

    def __init__(self, server: TuningServer, email: str) -> None:
        self.server = server
        self.assertion = assertions.issue(Identity(email=email), server.secret)

    def create(self, name: object = "notebook") -> requests.Response:
        return self.server.post(KEYS, self.assertion, json={"name": name})

    def listed(self) -> list[dict[str, Any]]:
        return list(self.server.get(KEYS, self.assertion).json().get("keys", []))

    def revoke(self, key_id: str) -> requests.Response:
        return self.server.delete(f"{KEYS}/{key_id}", self.assertion)


@pytest.fixture
def grace(idle_server: TuningServer) -> Person:
    return Person(idle_server, "Grace@Example.com")


def test_new_key_opens_the_api_and_is_told_once(idle_server: TuningServer, grace: Person) -> None:
    made = grace.create("  my notebook ").json()
    assert made["name"] == "my notebook"
    assert made["key"].startswith("tb-")
    assert made["ending"] == made["key"][-4:]
    assert datetime.fromisoformat(made["created"])
    assert idle_server.get("/v1beta/tunedModels", headers={"x-goog-api-key": made["key"]}).status_code == 200
    listing = idle_server.get(KEYS, grace.assertion)
    assert made["key"] not in listing.text
    found = next(key for key in listing.json()["keys"] if key["id"] == made["id"])
    assert found["ending"] == made["ending"]
    assert datetime.fromisoformat(found["lastUsed"])


def test_unused_key_says_no_time_of_use(grace: Person) -> None:
    made = grace.create().json()
    found = next(key for key in grace.listed() if key["id"] == made["id"])
    assert not {"lastUsed", "revoked", "key"} & found.keys()


def test_revoked_key_opens_nothing_from_then_on(idle_server: TuningServer, grace: Person) -> None:
    made, other = grace.create("to go").json(), grace.create("to stay").json()
    assert idle_server.get("/v1beta/tunedModels", made["key"]).status_code == 200
    assert grace.revoke(made["id"]).json() == {}
    assert idle_server.get("/v1beta/tunedModels", made["key"]).status_code == 401
    assert idle_server.get(f"/v1beta/tunedModels?key={made['key']}").status_code == 400
    assert idle_server.get("/v1beta/tunedModels", other["key"]).status_code == 200
    assert "revoked" in next(key for key in grace.listed() if key["id"] == made["id"])
    assert "revoked" not in grace.listed()[0], "those in use come first"
    assert grace.revoke(made["id"]).status_code == 200, "twice is no error"


def test_keys_of_others_are_neither_seen_nor_revoked(idle_server: TuningServer, grace: Person) -> None:
    hers = grace.create("hers").json()
    administrator = assertions.issue(Identity(email="root@example.com", administrator=True), idle_server.secret)
    for stranger in (assertions.issue(Identity(email="eve@example.com"), idle_server.secret), administrator):
        assert hers["id"] not in [key["id"] for key in idle_server.get(KEYS, stranger).json().get("keys", [])]
        answer = idle_server.delete(f"{KEYS}/{hers['id']}", stranger)
        assert (answer.status_code, answer.json()["error"]["status"]) == (404, "NOT_FOUND")
    assert idle_server.get("/v1beta/tunedModels", hers["key"]).status_code == 200


@pytest.mark.parametrize("key_id", ["0", "x", "-1", "1e3", "９", "9" * 40])
def test_key_that_is_not_there_cannot_be_revoked(grace: Person, key_id: str) -> None:
    assert grace.revoke(key_id).status_code == 404


def test_key_lists_and_revokes_keys_but_makes_none(idle_server: TuningServer, grace: Person) -> None:
    made = grace.create().json()
    refused = idle_server.post(KEYS, made["key"], json={"name": "a back door"})
    assert (refused.status_code, refused.json()["error"]["details"][0]["reason"]) == (403, "KEY_MAKES_NO_KEY")
    assert idle_server.get(KEYS, made["key"]).status_code == 200
    assert idle_server.delete(f"{KEYS}/{made['id']}", made["key"]).status_code == 200
    assert idle_server.get(KEYS, made["key"]).status_code == 401


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "two\nlines", "a\0b", 7, ["x"], None])
def test_name_that_cannot_be_is_refused(grace: Person, name: object) -> None:
    before = len(grace.listed())
    answer = grace.create(name)
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert len(grace.listed()) == before


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"nom": "x"}', b"\xff"])
def test_body_that_is_no_key_is_refused(idle_server: TuningServer, grace: Person, body: bytes) -> None:
    assert idle_server.post(KEYS, grace.assertion, data=body).status_code == 400


def test_nobody_has_keys_without_end(idle_server: TuningServer) -> None:
    hoarder = Person(idle_server, "hoarder@example.com")
    assert {hoarder.create(f"key {number}").status_code for number in range(100)} == {200}
    refused = hoarder.create("one more")
    assert (refused.status_code, refused.json()["error"]["status"]) == (400, "FAILED_PRECONDITION")
    hoarder.revoke(hoarder.listed()[0]["id"])
    assert hoarder.create("now").status_code == 200


def test_key_of_the_command_is_among_its_owners_keys(idle_server: TuningServer) -> None:
    key = idle_server.api_key("Lovelace@example.com")
    assert [found["ending"] for found in Person(idle_server, "lovelace@example.com").listed()] == [key[-4:]]
    assert f"…{key[-4:]}" in idle_server.run("apikey", "list")
