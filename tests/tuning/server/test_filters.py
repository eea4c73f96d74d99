"""The ``filter`` of a listing, and its pages."""

import pytest

from tests.processes import TuningServer
from tests.tuning.server import google_types as google
from tests.tuning.server.bodies import TUTORIAL

ME, FRIEND = "filter@example.com", "friend@example.com"
MODELS = {
    "mine-numbers": (ME, "Number generator", "counts up", []),
    "mine-poems": (ME, "Gedichte über Bäume", "rhymes, mostly. 100%", [{"granteeType": "EVERYONE", "role": "READER"}]),
    "to-write": (FRIEND, "Numbers again", "", [{"emailAddress": ME, "role": "WRITER"}]),
    "to-read": (FRIEND, "Weather", "number of clouds", [{"emailAddress": ME, "role": "READER"}]),
    "public": (FRIEND, "Number of all", "", [{"granteeType": "EVERYONE", "role": "READER"}]),
    "private": (FRIEND, "Number of none", "", []),
}


@pytest.fixture(scope="module")
def my_key(idle_server: TuningServer) -> str:
    keys = {owner: idle_server.api_key(owner) for owner in (ME, FRIEND)}
    for name, (owner, title, description, shares) in MODELS.items():
        sent = TUTORIAL | {"display_name": title, "description": description}
        idle_server.post(f"/v1beta/tunedModels?tunedModelId=filter-{name}", keys[owner], json=sent)
        for share in shares:
            idle_server.post(f"/v1beta/tunedModels/filter-{name}/permissions", keys[owner], json=share)
    return keys[ME]


def listed(server: TuningServer, key: str, chosen: str) -> list[str]:
    answer = server.get("/v1beta/tunedModels", key, params={"filter": chosen})
    assert answer.status_code == 200, answer.text
    google.read(google.TunedModelPage, answer.text)
    names = [model["name"].removeprefix("tunedModels/filter-") for model in answer.json().get("tunedModels", [])]
    return [name for name in MODELS if name in names]


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ("", ["mine-numbers", "mine-poems", "to-write", "to-read"]),
        ("owner:me", ["mine-numbers", "mine-poems"]),
        ("writers:me", ["to-write"]),
        ("readers:me", ["to-read"]),
        ("Readers:Me", ["to-read"]),
        ("readers:everyone", ["mine-poems", "public"]),
        ("owner:me readers:everyone", ["mine-poems"]),
        ("owner:me writers:me", []),
        ("number", ["mine-numbers", "to-write", "to-read"]),
        ("number readers:everyone", ["public"]),
        ("NUMBER owner:me", ["mine-numbers"]),
        ("number up", ["mine-numbers"]),
        ('"number gen"', ["mine-numbers"]),
        ('"generator number"', []),
        ("ÜBER", ["mine-poems"]),
        ("100%", ["mine-poems"]),
        ("%", ["mine-poems"]),
        (".", ["mine-poems"]),
        ("n.mber", []),
        ("(", []),
        ('"', []),
    ],
)
def test_filter_finds(idle_server: TuningServer, my_key: str, chosen: str, found: list[str]) -> None:
    assert listed(idle_server, my_key, chosen) == found


@pytest.mark.parametrize("chosen", ["owner:ben@example.com", "owner:everyone", "writers:", "x" * 501, "a\0b"])
def test_wrong_filter_is_refused(idle_server: TuningServer, my_key: str, chosen: str) -> None:
    answer = idle_server.get("/v1beta/tunedModels", my_key, params={"filter": chosen})
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert "filter" in answer.json()["error"]["message"]


def test_filtered_listing_comes_in_pages(idle_server: TuningServer, my_key: str) -> None:
    names, token = [], ""
    while not names or token:
        query = {"filter": "owner:me", "pageSize": 1, "pageToken": token}
        page = idle_server.get("/v1beta/tunedModels", my_key, params=query).json()
        names += [model["name"] for model in page["tunedModels"]]
        token = page.get("nextPageToken", "")
    assert names == ["tunedModels/filter-mine-poems", "tunedModels/filter-mine-numbers"]


def test_base_models_are_listed_in_pages(idle_server: TuningServer, my_key: str) -> None:
    whole = idle_server.get("/v1beta/models", my_key).json()
    assert "nextPageToken" not in whole
    models, token = [], ""
    while not models or token:
        page = idle_server.get("/v1beta/models", my_key, params={"pageSize": 2, "pageToken": token})
        google.read(google.ModelPage, page.text)
        models += page.json()["models"]
        token = page.json().get("nextPageToken", "")
    assert models == whole["models"]
    assert idle_server.get("/v1beta/models?pageToken=bogus", my_key).status_code == 400
