"""``/tuneboard/v1/datasets``: datasets sent ahead, and jobs that name them."""

import os
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
from django.db.models.functions import Now
from pytest_django import Settings

from tests.processes import TuningServer, tuning_server
from tests.tuning.server.bodies import PAIRS, TUTORIAL
from tests.tuning.server.test_queue import make_job
from tuning.resources import Role
from tuning.server import files
from tuning.server.models import Upload

ROWS = [{"text_input": one, "output": two} for one, two in PAIRS]


def jsonl(rows: list[Any]) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def put(server: TuningServer, key: str, data: bytes, digest: str | None = None, **options: Any) -> requests.Response:
    digest = digest or sha256(data).hexdigest()
    return server.request("PUT", f"/tuneboard/v1/datasets/{digest}", key, data=data, **options)


def create(server: TuningServer, key: str, dataset: str, **changes: Any) -> requests.Response:
    task = {"hyperparameters": {"epoch_count": 1}}
    return server.post(
        "/v1beta/tunedModels", key, params={"dataset": dataset}, json=TUTORIAL | {"tuning_task": task} | changes
    )


def files_of(server: TuningServer) -> set[str]:
    return {path.name for path in (server.var_dir / "training").iterdir()} - {".lock"}


def test_job_is_tuned_with_a_dataset_sent_before(server: TuningServer, key: str) -> None:
    data = jsonl(ROWS)
    digest = sha256(data).hexdigest()
    sent = put(server, key, data).json()
    assert (sent["sha256"], sent["examples"], sent["bytes"]) == (digest, len(ROWS), len(data))
    assert datetime.fromisoformat(sent["created"])
    answer = create(server, key, f"sha256:{digest}")
    assert answer.status_code == 200, answer.text
    model = answer.json()["metadata"]["tunedModel"]
    assert answer.json()["metadata"]["totalSteps"] == 4
    assert server.wait_for_state(model, key)["state"] == "SUCCEEDED"
    job = model.removeprefix("tunedModels/")
    assert server.get(f"/tuneboard/v1/jobs/{job}/training-data", key).content == data
    server.delete(f"/v1beta/{model}", key)
    assert create(server, key, f"sha256:{digest}").status_code == 200, "a deleted job leaves the dataset"


def test_what_was_sent_can_be_looked_up(idle_server: TuningServer, idle_key: str) -> None:
    data = jsonl(ROWS[:3])
    sent = put(idle_server, idle_key, data)
    path = f"/tuneboard/v1/datasets/{sha256(data).hexdigest()}"
    assert idle_server.get(path, idle_key).json() == sent.json()
    assert idle_server.request("HEAD", path, idle_key).status_code == 200
    assert idle_server.request("HEAD", path.replace("/datasets/", "/datasets/0"), idle_key).status_code == 404
    assert put(idle_server, idle_key, data).status_code == 200, "twice is no error"


def test_chats_and_other_columns_are_kept_as_pairs(idle_server: TuningServer, idle_key: str) -> None:
    data = jsonl([{"prompt": "1", "completion": "2"}, {"prompt": "3", "completion": "4"}])
    assert put(idle_server, idle_key, data).json()["examples"] == 2
    answer = create(idle_server, idle_key, f"sha256:{sha256(data).hexdigest()}")
    job = answer.json()["metadata"]["tunedModel"].removeprefix("tunedModels/")
    kept = idle_server.get(f"/tuneboard/v1/jobs/{job}/training-data", idle_key).text
    assert kept.splitlines()[0] == '{"text_input":"1","output":"2"}'


def test_nobody_learns_what_others_have(idle_server: TuningServer, idle_key: str) -> None:
    data = jsonl(ROWS[:4])
    digest = sha256(data).hexdigest()
    put(idle_server, idle_key, data)
    eve = idle_server.api_key("eve@example.com")
    for answer in (
        idle_server.get(f"/tuneboard/v1/datasets/{digest}", eve),
        create(idle_server, eve, f"sha256:{digest}"),
    ):
        assert (answer.status_code, answer.json()["error"]["status"]) == (404, "NOT_FOUND")
    assert put(idle_server, eve, data).status_code == 200
    assert create(idle_server, eve, f"sha256:{digest}").status_code == 200


@pytest.mark.parametrize(
    ("data", "reason", "said"),
    [
        (b"", "DATASET_UNUSABLE", "empty_file in the file"),
        (b"\xff\xfe\x00", "DATASET_UNUSABLE", "the file"),
        (b"\n\n", "DATASET_UNUSABLE", "in the file"),
        (jsonl([ROWS[0], {"text_input": "", "output": "x"}]), "DATASET_UNUSABLE", "empty_input in row 2"),
        (jsonl([{"text_input": "x" * 40_001, "output": "y"}]), "DATASET_UNUSABLE", "input_too_long in row 1"),
        (jsonl([{"text_input": 1, "output": "x"}]), "DATASET_UNUSABLE", "wrong_type in row 1"),
        (b'{"text_input": "hush", "output"\n', "DATASET_UNUSABLE", "bad_json in row 1"),
        (jsonl([["1", "2"]]), "DATASET_UNUSABLE", "row 1"),
    ],
)
def test_what_is_no_dataset_is_refused_and_not_kept(
    idle_server: TuningServer, idle_key: str, data: bytes, reason: str, said: str
) -> None:
    before = files_of(idle_server)
    answer = put(idle_server, idle_key, data, headers={"Content-Length": str(len(data))})
    error = answer.json()["error"]
    assert (answer.status_code, error["status"]) == (400, "INVALID_ARGUMENT")
    assert error["details"][0]["reason"] == reason
    assert said in error["message"]
    assert files_of(idle_server) == before
    assert "hush" not in error["message"] + idle_server.log()


@pytest.mark.parametrize("digest", ["0" * 64, "x", "A" * 64, "0" * 63, "..", "%2e%2e%2fx", "sha256%3A" + "0" * 64])
def test_hash_that_is_not_the_datas_is_refused(idle_server: TuningServer, idle_key: str, digest: str) -> None:
    before = files_of(idle_server)
    assert put(idle_server, idle_key, jsonl(ROWS), digest).status_code in (400, 404)
    assert files_of(idle_server) == before


def test_body_without_a_length_is_refused(idle_server: TuningServer, idle_key: str) -> None:
    chunks = iter([jsonl(ROWS)])
    answer = idle_server.request("PUT", f"/tuneboard/v1/datasets/{'0' * 64}", idle_key, data=chunks)
    assert answer.status_code == 411


@pytest.mark.parametrize("dataset", ["x", "sha256:", "sha256:x", "md5:" + "0" * 64, "sha256:" + "A" * 64, "0" * 64])
def test_name_that_is_no_hash_is_refused(idle_server: TuningServer, idle_key: str, dataset: str) -> None:
    answer = create(idle_server, idle_key, dataset)
    assert (answer.status_code, answer.json()["error"]["details"][0]["reason"]) == (400, "BAD_DATASET_NAME")


def test_dataset_that_was_not_sent_is_not_found(idle_server: TuningServer, idle_key: str) -> None:
    assert create(idle_server, idle_key, f"sha256:{'1' * 64}").status_code == 404


def test_examples_in_the_body_and_a_dataset_exclude_each_other(idle_server: TuningServer, idle_key: str) -> None:
    data = jsonl(ROWS[:5])
    put(idle_server, idle_key, data)
    answer = create(idle_server, idle_key, f"sha256:{sha256(data).hexdigest()}", tuning_task=TUTORIAL["tuning_task"])
    assert (answer.status_code, answer.json()["error"]["details"][0]["reason"]) == (400, "TRAINING_DATA_TWICE")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TuningServer]:
    """A server that takes datasets of a kilobyte."""
    with tuning_server(tmp_path_factory.mktemp("small"), tuner=False, TUNING_MAX_DATASET_BYTES="1000") as server:
        yield server


def test_dataset_beyond_the_limit_is_refused(small: TuningServer) -> None:
    answer = put(small, small.api_key(), jsonl([{"text_input": "x" * 1000, "output": "y"}]))
    assert (answer.status_code, answer.json()["error"]["status"]) == (413, "INVALID_ARGUMENT")


def test_nobody_fills_the_disk_with_datasets(small: TuningServer) -> None:
    key = small.api_key("hoarder@example.com")
    statuses = [put(small, key, jsonl([{"text_input": str(n) * 900, "output": "y"}])).status_code for n in range(6)]
    assert statuses == [200, 200, 200, 200, 429, 429]
    assert put(small, small.api_key("other@example.com"), jsonl(ROWS[:2])).status_code == 200
    used = sha256(jsonl([{"text_input": "0" * 900, "output": "y"}])).hexdigest()
    assert create(small, key, f"sha256:{used}").status_code == 200
    assert put(small, key, jsonl(ROWS[:2])).status_code == 200, "what is used waits no more"


@pytest.mark.django_db
def test_dataset_nobody_uses_is_removed_after_a_day(settings: Settings, tmp_path: Path) -> None:
    settings.TRAINING_DIR, settings.ADAPTERS_DIR = tmp_path / "training", tmp_path / "adapters"
    owned = make_job("uses-it", training_data="b" * 64)
    owned.permissions.create(email="ada@example.com", role=Role.OWNER)
    foreign = make_job("others", training_data="c" * 64)
    foreign.permissions.create(email="eve@example.com", role=Role.OWNER)
    facts = {"owner": "ada@example.com", "examples": 1, "size": 1}
    for name in ("a", "b", "c", "d"):
        Upload.objects.create(sha256=name * 64, training_data=name * 64, **facts)
        with files.locked():
            files.training_data(name * 64).write_bytes(b"{}")
    Upload.objects.exclude(sha256="d" * 64).update(created=Now() - timedelta(hours=25))
    age(tmp_path / "training")
    files.sweep()
    assert set(Upload.objects.values_list("sha256", flat=True)) == {"b" * 64, "d" * 64}
    assert {path.stem[0] for path in (tmp_path / "training").glob("*.jsonl")} == {"b", "c", "d"}


def age(folder: Path) -> None:
    """Make the files in ``folder`` look like yesterday's."""
    for path in folder.glob("*.jsonl"):
        os.utime(path, (time.time() - 90_000, time.time() - 90_000))
