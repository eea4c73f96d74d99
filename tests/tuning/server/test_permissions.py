"""Sharing a tuned model: permissions, and whose it is."""

import re
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest
import requests

from tests.processes import TuningServer
from tests.tuning.server import google_types as google
from tests.tuning.server.bodies import TUTORIAL
from tuning import assertions
from tuning.assertions import Identity

BEN = "ben@example.com"
NUMBERS = count()


@pytest.fixture
def model(idle_server: TuningServer, idle_key: str) -> str:
    """A new model of Ada's."""
    chosen = f"shared-{next(NUMBERS)}"
    answer = idle_server.post(f"/v1beta/tunedModels?tunedModelId={chosen}", idle_key, json=TUTORIAL)
    return str(answer.json()["metadata"]["tunedModel"])


@pytest.fixture(scope="module")
def bens_key(idle_server: TuningServer) -> str:
    return idle_server.api_key(BEN)


def share(server: TuningServer, key: str, model: str, **permission: Any) -> requests.Response:
    return server.post(f"/v1beta/{model}/permissions", key, json=permission)


def roles(server: TuningServer, key: str, model: str) -> dict[str, str]:
    """Who has which role, by e-mail address."""
    answer = server.get(f"/v1beta/{model}/permissions?pageSize=100", key)
    google.read(google.PermissionPage, answer.text)
    return {found.get("emailAddress", "everyone"): found["role"] for found in answer.json()["permissions"]}


def test_new_model_has_its_owner_alone(idle_server: TuningServer, idle_key: str, model: str) -> None:
    (owner,) = idle_server.get(f"/v1beta/{model}/permissions", idle_key).json()["permissions"]
    assert re.fullmatch(rf"{model}/permissions/\d{{21}}", owner["name"])
    assert list(owner.items())[1:] == [
        ("granteeType", "USER"),
        ("emailAddress", "ada@example.com"),
        ("role", "OWNER"),
    ]


def test_shared_permission_is_answered_and_found_again(idle_server: TuningServer, idle_key: str, model: str) -> None:
    sent = {"grantee_type": 1, "emailAddress": "Ben@Example.com", "role": "READER", "name": "ignored"}
    made = share(idle_server, idle_key, model, **sent)
    google.read(google.Permission, made.text)
    assert made.json()["emailAddress"] == BEN
    again = idle_server.get(f"/v1beta3/{made.json()['name']}", idle_key)
    assert again.json() == made.json()


def test_reader_may_read_and_a_writer_may_edit_and_share(
    idle_server: TuningServer, idle_key: str, bens_key: str, model: str
) -> None:
    assert idle_server.get(f"/v1beta/{model}", bens_key).status_code == 403
    name = share(idle_server, idle_key, model, emailAddress=BEN, role="READER").json()["name"]
    assert idle_server.get(f"/v1beta/{model}", bens_key).status_code == 200
    assert idle_server.patch(f"/v1beta/{model}", bens_key, json={"description": "x"}).status_code == 403
    assert share(idle_server, bens_key, model, granteeType="EVERYONE", role="READER").status_code == 403

    changed = idle_server.patch(f"/v1beta/{name}?updateMask=role", idle_key, json={"role": "WRITER"})
    assert (changed.status_code, changed.json()["role"]) == (200, "WRITER")
    assert idle_server.patch(f"/v1beta/{model}", bens_key, json={"description": "x"}).status_code == 200
    assert share(idle_server, bens_key, model, granteeType="EVERYONE", role="READER").status_code == 200
    assert idle_server.delete(f"/v1beta/{model}", bens_key).status_code == 403

    assert idle_server.delete(f"/v1beta/{model}/permissions/everyone", idle_key).json() == {}
    assert idle_server.delete(f"/v1beta/{name}", idle_key).json() == {}
    assert idle_server.get(f"/v1beta/{model}", bens_key).status_code == 403


def test_model_shared_with_everyone_is_read_by_all_and_listed_by_none(
    idle_server: TuningServer, idle_key: str, bens_key: str, model: str
) -> None:
    made = share(idle_server, idle_key, model, granteeType="EVERYONE", role="READER")
    google.read(google.Permission, made.text)
    assert made.json() == {"name": f"{model}/permissions/everyone", "granteeType": "EVERYONE", "role": "READER"}
    changed = idle_server.patch(f"/v1beta/{model}/permissions/everyone", idle_key, json={"role": "WRITER"})
    assert (changed.status_code, "READER" in changed.json()["error"]["message"]) == (400, True)
    assert idle_server.get(f"/v1beta/{model}", bens_key).status_code == 200
    listed = idle_server.get("/v1beta/tunedModels?pageSize=1000", bens_key).json().get("tunedModels", [])
    assert model not in {found["name"] for found in listed}


def test_group_is_the_team_that_an_assertion_names(idle_server: TuningServer, idle_key: str, model: str) -> None:
    assert (
        share(idle_server, idle_key, model, granteeType="GROUP", emailAddress="Red", role="WRITER").status_code == 200
    )
    for teams, status in ((("red",), 200), (("blue",), 403)):
        member = assertions.issue(Identity(email="cem@example.com", teams=teams), idle_server.secret)
        assert idle_server.patch(f"/v1beta/{model}", member, json={"description": "x"}).status_code == status
    assert idle_server.get(f"/v1beta/{model}", idle_server.api_key("red@example.com")).status_code == 403


@pytest.mark.parametrize(
    ("permission", "named"),
    [
        ({"emailAddress": BEN}, "permission.role"),
        ({"emailAddress": BEN, "role": 0}, "permission.role"),
        ({"emailAddress": BEN, "role": "KING"}, "permission.role"),
        ({"emailAddress": BEN, "role": "OWNER"}, "exactly one owner"),
        ({"role": "READER"}, "permission.email_address"),
        ({"emailAddress": "nobody", "role": "READER"}, "permission.email_address"),
        ({"emailAddress": "a\u0000@example.com", "role": "READER"}, "permission.email_address"),
        ({"emailAddress": f"{'x' * 300}@example.com", "role": "READER"}, "permission.email_address"),
        ({"granteeType": "GROUP", "role": "READER"}, "permission.email_address"),
        ({"granteeType": "GROUP", "emailAddress": "\u0000", "role": "READER"}, "permission.email_address"),
        ({"granteeType": "EVERYONE", "emailAddress": BEN, "role": "READER"}, "permission.email_address"),
        ({"granteeType": "EVERYONE", "role": "WRITER"}, "permission.role"),
        ({"granteeType": 7, "role": "READER"}, "permission.grantee_type"),
        ({"emailAddress": BEN, "role": "READER", "colour": "red"}, "colour"),
    ],
)
def test_wrong_permission_is_refused_naming_the_field(
    idle_server: TuningServer, idle_key: str, model: str, permission: dict[str, Any], named: str
) -> None:
    answer = share(idle_server, idle_key, model, **permission)
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert named in answer.json()["error"]["message"]
    assert roles(idle_server, idle_key, model) == {"ada@example.com": "OWNER"}


def test_second_permission_of_a_grantee_is_refused(idle_server: TuningServer, idle_key: str, model: str) -> None:
    for permission in ({"emailAddress": BEN}, {"granteeType": "EVERYONE"}, {"emailAddress": "ada@example.com"}):
        share(idle_server, idle_key, model, role="READER", **permission)
        answer = share(idle_server, idle_key, model, role="READER", **permission)
        assert (answer.status_code, answer.json()["error"]["status"]) == (409, "ALREADY_EXISTS")


def test_owners_permission_is_neither_changed_nor_taken(idle_server: TuningServer, idle_key: str, model: str) -> None:
    (owner,) = idle_server.get(f"/v1beta/{model}/permissions", idle_key).json()["permissions"]
    ben = share(idle_server, idle_key, model, emailAddress=BEN, role="WRITER").json()["name"]
    for answer in (
        idle_server.patch(f"/v1beta/{owner['name']}", idle_key, json={"role": "WRITER"}),
        idle_server.delete(f"/v1beta/{owner['name']}", idle_key),
        idle_server.patch(f"/v1beta/{ben}", idle_key, json={"role": "OWNER"}),
    ):
        assert answer.status_code == 400
        assert "transferOwnership" in answer.json()["error"]["message"]
    assert roles(idle_server, idle_key, model) == {"ada@example.com": "OWNER", BEN: "WRITER"}


def test_patch_reads_the_whole_permission_and_changes_its_role_alone(
    idle_server: TuningServer, idle_key: str, model: str
) -> None:
    made = share(idle_server, idle_key, model, emailAddress=BEN, role="READER").json()
    sent = made | {"role": 2, "emailAddress": "cem@example.com"}
    assert idle_server.patch(f"/v1beta/{made['name']}", idle_key, json=sent).json() == made | {"role": "WRITER"}
    wrong = idle_server.patch(f"/v1beta/{made['name']}?updateMask=role,emailAddress", idle_key, json=sent)
    assert (wrong.status_code, "emailAddress" in wrong.json()["error"]["message"]) == (400, True)


def test_ownership_is_given_away_once(idle_server: TuningServer, idle_key: str, bens_key: str, model: str) -> None:
    share(idle_server, idle_key, model, emailAddress=BEN, role="READER")
    refused = idle_server.post(f"/v1beta/{model}:transferOwnership", bens_key, json={"emailAddress": BEN})
    assert refused.status_code == 403
    said = "You need to be the owner of the resource to transfer ownership"
    assert refused.json()["error"]["message"].startswith(said)

    answer = idle_server.post(f"/v1beta/{model}:transferOwnership", idle_key, json={"email_address": "BEN@example.com"})
    assert (answer.status_code, answer.json()) == (200, {})
    assert roles(idle_server, bens_key, model) == {"ada@example.com": "WRITER", BEN: "OWNER"}
    assert idle_server.delete(f"/v1beta/{model}", idle_key).status_code == 403
    assert idle_server.delete(f"/v1beta/{model}", bens_key).status_code == 200


def test_transfer_to_somebody_new_or_to_oneself(idle_server: TuningServer, idle_key: str, model: str) -> None:
    transfer = f"/v1beta3/{model}:transferOwnership"
    assert idle_server.post(transfer, idle_key, json={"emailAddress": "ada@example.com"}).json() == {}
    assert roles(idle_server, idle_key, model) == {"ada@example.com": "OWNER"}
    assert idle_server.post(transfer, idle_key, json={"emailAddress": "nobody"}).status_code == 400
    assert idle_server.post(transfer, idle_key, json={}).status_code == 400
    assert idle_server.post(transfer, idle_key, json={"emailAddress": "heir@example.com"}).json() == {}
    assert roles(idle_server, idle_key, model) == {"ada@example.com": "WRITER", "heir@example.com": "OWNER"}


def test_ownership_is_given_to_one_of_many_at_once(idle_server: TuningServer, idle_key: str, model: str) -> None:
    def give(number: int) -> int:
        sent = {"emailAddress": f"heir{number}@example.com"}
        # Each by a connection of its own: a session is not for several threads.
        headers = {"x-goog-api-key": idle_key}
        url = f"{idle_server.url}/v1beta/{model}:transferOwnership"
        return requests.post(url, json=sent, headers=headers, timeout=60).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(give, range(4))) == [200, 403, 403, 403]
    held = list(roles(idle_server, idle_key, model).values())
    assert sorted(held) == ["OWNER", "WRITER"]


def test_permissions_are_listed_in_pages(idle_server: TuningServer, idle_key: str, model: str) -> None:
    for number in range(4):
        share(idle_server, idle_key, model, emailAddress=f"reader{number}@example.com", role="READER")
    pages, token = [], ""
    while not pages or token:
        page = idle_server.get(f"/v1beta/{model}/permissions?pageSize=2&pageToken={token}", idle_key).json()
        pages.append([found["emailAddress"] for found in page["permissions"]])
        token = page.get("nextPageToken", "")
    assert [len(page) for page in pages] == [2, 2, 1]
    assert len({address for page in pages for address in page}) == 5


@pytest.mark.parametrize("pid", ["1" * 21, "everyone", "x", "%00", "9" * 3000, "١" * 21])
def test_unknown_permission_is_not_found(idle_server: TuningServer, idle_key: str, model: str, pid: str) -> None:
    for method in ("GET", "DELETE", "PATCH"):
        answer = idle_server.request(method, f"/v1beta/{model}/permissions/{pid}", idle_key, json={"role": "READER"})
        assert (answer.status_code, answer.json()["error"]["status"]) == (404, "NOT_FOUND")


def test_permissions_go_with_their_model(idle_server: TuningServer, idle_key: str, bens_key: str, model: str) -> None:
    share(idle_server, idle_key, model, emailAddress=BEN, role="WRITER")
    idle_server.delete(f"/v1beta/{model}", idle_key)
    sent = TUTORIAL | {"display_name": "another of that name"}
    chosen = model.removeprefix("tunedModels/")
    assert idle_server.post(f"/v1beta/tunedModels?tunedModelId={chosen}", idle_key, json=sent).status_code == 200
    assert idle_server.get(f"/v1beta/{model}", bens_key).status_code == 403


def test_look_alikes_of_an_address_are_one(idle_server: TuningServer, idle_key: str, model: str) -> None:
    made = share(idle_server, idle_key, model, emailAddress="Ben@\uff45xample.com", role="READER")
    assert made.json()["emailAddress"] == BEN
    assert share(idle_server, idle_key, model, emailAddress=BEN, role="WRITER").status_code == 409


def test_model_that_is_given_away_leaves_its_examples_with_whoever_sent_them(
    idle_server: TuningServer, idle_key: str, bens_key: str, model: str
) -> None:
    examples = f"/tuneboard/v1/jobs/{model.removeprefix('tunedModels/')}/training-data"
    assert idle_server.get(examples, idle_key).status_code == 200
    given = idle_server.post(f"/v1beta/{model}:transferOwnership", idle_key, json={"emailAddress": BEN})
    assert given.status_code == 200
    assert idle_server.get(examples, bens_key).status_code == 403
    assert idle_server.get(examples, idle_key).status_code == 403
    root = assertions.issue(Identity(email="root@example.com", administrator=True), idle_server.secret)
    assert idle_server.get(examples, root).status_code == 200
