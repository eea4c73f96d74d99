"""Bundles that somebody uploads: hostile ones are refused with a sentence, and leave nothing behind."""

import hashlib
import io
import json
import struct
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.datasets.models import Dataset
from dashboard.jobs.models import Job
from dashboard.lineage.unpacking import MOST_OF_A_RUN
from tuning.recipes import Recipe

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_server")]

DATA = b'{"text_input":"1","output":"2"}\n{"text_input":"3","output":"4"}\n'
RECIPE: dict[str, Any] = {
    "epoch_count": 3,
    "batch_size": 4,
    "learning_rate": 0.001,
    "schedule": "constant",
    "warmup": 0.0,
    "weight_decay": 0.01,
    "gradient_norm": 1.0,
    "rank": 8,
    "alpha": 16.0,
    "dropout": 0.0,
    "longest": None,
    "seed": 7,
    "validation": 0.0,
    "patience": 0,
    "samples": 0,
}
RUN: dict[str, Any] = {
    "tuneboard_run": 1,
    "display_name": "Numbers",
    "base_model": "models/tiny-llama",
    "recipe": RECIPE,
    "data": {"sha256": hashlib.sha256(DATA).hexdigest(), "examples": 2, "name": "Pairs"},
    "validation": None,
    "tuned_from": "",
    "curve": {"points": 3, "sha256": "0" * 64},
    "conditions": {"server": "0.1.0", "engine": "torch 2.13.0", "threads": 2},
}


def packed(files: dict[str, bytes] | None = None, **options: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:
        for name, content in (files or {"bundle.json": json.dumps(RUN).encode(), "data.jsonl": DATA}).items():
            archive.writestr(name, content)
    return buffer.getvalue()


def said(**changes: Any) -> bytes:
    return json.dumps(RUN | changes).encode()


def twice() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("bundle.json", said())
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("bundle.json", said(display_name="Other"))
    return buffer.getvalue()


def encrypted() -> bytes:
    """With the bit set that says so, in both places."""
    content = bytearray(packed())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(signature) + offset] |= 1
    return bytes(content)


def damaged() -> bytes:
    content = bytearray(packed(compression=zipfile.ZIP_DEFLATED))
    place = content.index(b"bundle.json") + 40
    content[place : place + 20] = bytes(20)
    return bytes(content)


def with_directory(size: int) -> bytes:
    """An end that tells of another table of contents."""
    content = packed()
    return content[:-10] + struct.pack("<I", size) + content[-6:]


def upload(browser: Client, content: bytes) -> str:
    said = {"file": SimpleUploadedFile("run.zip", content), "connection": Connection.objects.local().pk}
    answer = browser.post("/lineage/import/", said, follow=True)
    assert answer.status_code == 200
    return answer.text


def test_a_whole_one_becomes_a_job_and_a_dataset(browser: Client, alice: User) -> None:
    upload(browser, packed())
    job = Job.objects.get()
    assert (job.owner, job.display_name, job.state) == (alice, "Numbers", "QUEUED")
    assert job.recipe == Recipe(epoch_count=3, batch_size=4, learning_rate=0.001, seed=7)
    assert job.dataset_version.path.read_bytes() == DATA
    assert (job.total_steps, job.dataset_version.dataset.name) == (2, "Pairs")
    upload(browser, packed())
    assert Job.objects.count() == 1  # it waits for its service already


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"PK", "other files"),
        (b"PK\5\6" + bytes(18), "other files"),
        (b"hello", "no bundle"),
        (b"[]", "no bundle"),
        (b"{}", "no bundle"),
        (b"[" * 100_000, "no bundle"),
        (said(tuneboard_run=2), "newer Tuneboard"),
        (said(base_model=""), "cannot be read"),
        (said(base_model="m\n" * 10), "cannot be read"),
        (said(display_name="x" * 41), "cannot be read"),
        (said(data={"sha256": "../../etc/passwd", "examples": 2, "name": "x"}), "cannot be read"),
        (said(surprise=1), "cannot be read"),
        (said(data=RUN["data"] | {"name": "x\0"}), "cannot be read"),
        (said(conditions=RUN["conditions"] | {"threads": -1}), "cannot be read"),
        (said(conditions=RUN["conditions"] | {"threads": 2**40}), "cannot be read"),
        (said(recipe=RECIPE | {"epoch_count": 10**9}), "cannot be read"),
        (said(recipe=RECIPE | {"epoch_count": "3"}), "cannot be read"),
        (said(recipe=RECIPE | {"epoch_count": True}), "cannot be read"),
        (said(recipe=RECIPE | {"learning_rate": 0}), "cannot be read"),
        (said(recipe=RECIPE | {"schedule": "sideways"}), "cannot be read"),
        (said(recipe=RECIPE | {"surprise": 1}), "cannot be read"),
        (said(recipe={}), "cannot be read"),
        (said(curve={"points": -1, "sha256": ""}), "cannot be read"),
        (said(), "are not here"),
        (said(tuned_from="tunedModels/secret"), "not yours to see"),
        (b" " * (MOST_OF_A_RUN + 1), "larger than may be uploaded"),
        (packed({"data.jsonl": DATA}), "other files"),
        (packed({"bundle.json": said(), "../data.jsonl": DATA}), "other files"),
        (packed({"bundle.json": said(), "/etc/passwd": DATA}), "other files"),
        (packed({f"{n}": b"" for n in range(1000)}), "other files"),
        (packed({"bundle.json": said() + b" " * MOST_OF_A_RUN}), "larger than may be uploaded"),
        (packed({"bundle.json": said(), "data.jsonl": DATA + DATA}), "SHA-256 differs"),
        (packed({"bundle.json": said(), "data.jsonl": b""}), "SHA-256 differs"),
        (packed()[:-30], "other files"),
        (with_directory(2**31), "other files"),
        (with_directory(1), "damaged"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(browser: Client, content: bytes, sentence: str) -> None:
    assert sentence in upload(browser, content)
    assert not Job.objects.exists()
    assert not Dataset.objects.exists()


@pytest.mark.parametrize(("make", "sentence"), [(twice, "other files"), (encrypted, "damaged"), (damaged, "damaged")])
def test_zips_that_are_no_ordinary_ones_are_refused(browser: Client, make: Any, sentence: str) -> None:
    assert sentence in upload(browser, make())
    assert not Job.objects.exists()


def test_a_bomb_is_let_out_only_as_far_as_may_be_uploaded(browser: Client, settings: Settings) -> None:
    settings.UPLOAD_LIMIT_MB = 1
    bomb = packed({"bundle.json": said(), "data.jsonl": bytes(50 * 2**20)}, compression=zipfile.ZIP_DEFLATED)
    assert len(bomb) < 2**20
    assert "larger than may be uploaded" in upload(browser, bomb)


def test_a_file_that_is_too_large_is_not_opened(browser: Client, settings: Settings) -> None:
    settings.UPLOAD_LIMIT_MB = 1
    assert "larger than" in upload(browser, packed() + bytes(2 * 2**20))


def test_examples_that_are_none_are_refused(browser: Client) -> None:
    data = b'{"text_input":"1"}\n'
    told = {"sha256": hashlib.sha256(data).hexdigest(), "examples": 1, "name": "x"}
    page = upload(browser, packed({"bundle.json": said(data=told), "data.jsonl": data}))
    assert "cannot be read" in page
    assert not Dataset.objects.exists()


def test_examples_told_of_otherwise_than_they_are_written_are_refused(browser: Client) -> None:
    data = DATA.replace(b",", b", ")  # the same examples in another spelling have another hash as a dataset
    told = {"sha256": hashlib.sha256(data).hexdigest(), "examples": 2, "name": "x"}
    assert "SHA-256 differs" in upload(browser, packed({"bundle.json": said(data=told), "data.jsonl": data}))
