"""Base models of an installation: what is told of them, and how administrators add and remove them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests import tiny_llama, tiny_models
from tests.processes import TuningServer, child_running, tuning_server, wait_until
from tests.tuning.server.bodies import body
from tuning import assertions
from tuning.assertions import Identity

Ask = Callable[..., tuple[int, dict[str, Any]]]
PATH = "/tuneboard/v1/base-models"


def administrator(server: TuningServer) -> str:
    return assertions.issue(Identity(email="root@example.com", administrator=True), server.secret)


@pytest.fixture
def bases(server: TuningServer) -> Path:
    folder = server.var_dir / "bases"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def ask(server: TuningServer) -> Ask:
    """As an administrator: status and answer."""

    def ask(method: str, path: str = "", **sent: Any) -> tuple[int, dict[str, Any]]:
        answer = server.request(method, PATH + path, administrator(server), json=sent or None)
        return answer.status_code, answer.json()

    return ask


def reason(answer: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    status, said = answer
    return status, said["error"]["details"][0]["reason"]


def test_the_default_is_ready_and_tells_its_numbers(ask: Ask) -> None:
    status, found = ask("GET", f"/{tiny_llama.NAME}")

    assert status == 200
    assert (found["state"], found["source"], found["removable"]) == ("ready", "placed", False)
    assert (found["parameters"] > 10_000, found["fits"], found["diskBytes"]) == (True, "fits", 0)
    assert found["bytes"] > 2 * found["parameters"]
    assert 0 < found["answeringBytes"] < found["tuningBytes"] < found["memoryBytes"]


def test_what_is_not_here_is_told_apart(ask: Ask, server: TuningServer, key: str) -> None:
    listed = {found["name"]: found for found in ask("GET")[1]["baseModels"]}

    assert listed["smollm2-135m-instruct"]["state"] == "absent"
    assert listed["smollm2-135m-instruct"]["licence"] == "Apache-2.0"
    assert reason(ask("GET", "/no-such")) == (404, "BASE_MODEL_UNKNOWN")
    assert "folders" in ask("GET")[1]
    assert "folders" not in server.get(PATH, key).json()


def test_a_base_model_is_added_from_a_folder_tuned_and_removed(
    ask: Ask, bases: Path, server: TuningServer, key: str
) -> None:
    tiny_models.publish("qwen2", bases / "qwen")
    assert "qwen" in ask("GET")[1]["folders"]

    status, added = ask("POST", name="my-qwen", folder="qwen", display_name="My Qwen", licence="MIT")

    assert (status, added["state"], added["source"], added["removable"]) == (200, "preparing", "folder", True)
    assert (added["displayName"], added["licence"], added["fits"]) == ("My Qwen", "MIT", "fits")
    wait_until(lambda: ask("GET", "/my-qwen")[1]["state"] == "ready")
    job = body(base_model="models/my-qwen")
    assert server.post("/v1beta/tunedModels?tunedModelId=of-qwen", key, json=job).status_code == 200
    assert server.wait_for_state("of-qwen", key)["state"] == "SUCCEEDED"
    asked = {"contents": [{"parts": [{"text": "1"}]}]}
    assert server.post("/v1beta/tunedModels/of-qwen:generateContent", key, json=asked).status_code == 200

    assert reason(ask("DELETE", "/my-qwen")) == (400, "BASE_MODEL_IN_USE")
    server.delete("/v1beta/tunedModels/of-qwen", key)
    assert ask("DELETE", "/my-qwen") == (200, {})
    assert reason(ask("GET", "/my-qwen")) == (404, "BASE_MODEL_UNKNOWN")
    assert reason(ask("DELETE", "/my-qwen")) == (404, "BASE_MODEL_UNKNOWN")


def test_what_cannot_be_tuned_is_refused_when_it_is_added(ask: Ask, bases: Path) -> None:
    folder = tiny_models.publish("llama", bases / "falcon")
    config = orjson.loads((folder / "config.json").read_bytes())
    (folder / "config.json").write_bytes(orjson.dumps(config | {"architectures": ["FalconForCausalLM"]}))

    answer = ask("POST", name="falcon", folder="falcon")

    assert reason(answer) == (400, "ARCHITECTURE_UNKNOWN")
    assert "FalconForCausalLM" in answer[1]["error"]["message"]
    assert reason(ask("GET", "/falcon")) == (404, "BASE_MODEL_UNKNOWN")


def test_what_does_not_fit_is_refused_when_it_is_added(ask: Ask, bases: Path) -> None:
    folder = tiny_models.publish("llama", bases / "huge")
    config = orjson.loads((folder / "config.json").read_bytes())
    (folder / "config.json").write_bytes(orjson.dumps(config | {"hidden_size": 65_536, "num_hidden_layers": 1000}))

    answer = ask("POST", name="huge", folder="huge")

    assert reason(answer) == (400, "DOES_NOT_FIT")
    assert "MB needed" in answer[1]["error"]["message"]


def test_nothing_outside_of_the_folder_of_bases_is_looked_at(ask: Ask, bases: Path, tmp_path: Path) -> None:
    outside = tiny_models.publish("llama", tmp_path / "outside")
    (bases / "link").unlink(missing_ok=True)
    (bases / "link").symlink_to(outside)
    inside = tiny_models.publish("llama", bases / "with-a-link")
    (inside / "tokenizer.json").unlink()
    (inside / "tokenizer.json").symlink_to("/etc/passwd")

    for folder in (str(outside), "../outside", "/etc", ".", "link", "with-a-link"):
        assert reason(ask("POST", name="outside", folder=folder)) == (400, "FOLDER_OUTSIDE"), folder
    assert reason(ask("POST", name="outside", folder="nowhere")) == (404, "BASE_FOLDER_MISSING")


@pytest.mark.parametrize("name", ["", "Big", "../up", "a b", "-a", "x" * 65, ".hidden"])
def test_a_name_that_is_none_is_refused(ask: Ask, name: str) -> None:
    assert reason(ask("POST", name=name, folder="anything")) == (400, "BAD_BASE_NAME")


def test_a_name_that_is_taken_is_refused(ask: Ask, bases: Path) -> None:
    tiny_models.publish("llama", bases / "again")
    for name in (tiny_llama.NAME, "smollm2-135m-instruct"):
        assert reason(ask("POST", name=name, folder="again")) == (409, "BASE_MODEL_EXISTS")


def test_what_came_with_it_stays(ask: Ask) -> None:
    for name in (tiny_llama.NAME, "smollm2-135m-instruct"):
        assert reason(ask("DELETE", f"/{name}")) == (400, "BASE_MODEL_KEPT")


def test_only_administrators_add_and_remove(server: TuningServer, key: str) -> None:
    for caller in (key, assertions.issue(Identity(email="ada@example.com"), server.secret)):
        for method, path in (("POST", PATH), ("DELETE", f"{PATH}/{tiny_llama.NAME}")):
            answer = server.request(method, path, caller, json={"name": "x", "folder": "y"})
            assert reason((answer.status_code, answer.json())) == (403, "ADMINISTRATORS_ONLY")


LISTED = """
[[base_model]]
name = "listed"
display_name = "Listed"
folder = "{folder}"

[[base_model]]
name = "lost"
folder = "/nowhere/at/all"
"""


def test_a_listed_base_model_is_made_ready_when_a_job_wants_it(tmp_path: Path) -> None:
    published = tiny_models.publish("gemma", tmp_path / "gemma")
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "base-models.toml").write_text(LISTED.format(folder=published))
    with tuning_server(tmp_path) as server:
        key = server.api_key()
        assert server.get(f"{PATH}/listed", key).json()["state"] == "absent"
        assert server.get("/v1beta/models/listed", key).json()["displayName"] == "Listed"

        server.post("/v1beta/tunedModels?tunedModelId=of-listed", key, json=body(base_model="models/listed"))
        server.post("/v1beta/tunedModels?tunedModelId=of-lost", key, json=body(base_model="models/lost"))

        assert server.wait_for_state("of-listed", key)["state"] == "SUCCEEDED"
        assert server.get(f"{PATH}/listed", key).json()["state"] == "ready"
        failed = server.wait_for_state("of-lost", key)
        assert (failed["state"], failed["failure"]["code"]) == ("FAILED", "base_model_missing")
        lost = server.get(f"{PATH}/lost", key).json()
        assert (lost["state"], lost["failure"]) == ("failed", "base_model_missing")
        answer = server.post(PATH, administrator(server), json={"name": "lost"})
        assert answer.json()["state"] == "preparing"
        wait_until(lambda: server.get(f"{PATH}/lost", key).json()["state"] == "failed")


def test_preparing_ends_when_nobody_waits_for_it(tmp_path: Path) -> None:
    """The weights are a pipe that nobody fills: reading them comes to no end by itself."""
    published = tiny_models.publish("llama", tmp_path / "llama")
    hashed = LISTED.format(folder=published).replace('folder = "', 'sha256 = {{ "slow" = "00" }}\nfolder = "', 1)
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "base-models.toml").write_text(hashed.replace("{{", "{").replace("}}", "}"))
    (published / "slow").symlink_to("/dev/zero")
    with tuning_server(tmp_path) as server:
        key, (tuner,) = server.api_key(), server.tuners
        server.post("/v1beta/tunedModels?tunedModelId=waits", key, json=body(base_model="models/listed"))
        wait_until(lambda: child_running(tuner.pid, "prepare"))

        server.post("/v1beta/tunedModels/waits:cancel", key)

        wait_until(lambda: not child_running(tuner.pid, "prepare"), seconds=10)


def test_a_mistake_in_the_list_hides_the_list_alone(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "base-models.toml").write_text("[[base_model]]\nname = 1\n")
    with tuning_server(tmp_path, tuner=False) as server:
        answer = server.get(PATH, server.api_key())

        assert [found["name"] for found in answer.json()["baseModels"]] == ["smollm2-135m-instruct", tiny_llama.NAME]
        assert "base_model 1 (1)" in server.log()
