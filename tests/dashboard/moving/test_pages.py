"""The page of exports and imports: administrators', and no way out of its folder."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import cast
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from dashboard.audit.models import Entry
from dashboard.moving import archive, files, records, uploading
from dashboard.moving.models import Kind, Move
from dashboard.moving.records import Library
from dashboard.moving.tasks import move
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

PATHS = [
    ("get", "/library/moving/"),
    ("get", "/library/moving/live/"),
    ("post", "/library/moving/export/"),
    ("post", "/library/moving/import/"),
    ("get", "/library/moving/upload/"),
    ("post", "/library/moving/upload/"),
    ("get", "/library/moving/files/a.zip"),
    ("post", "/library/moving/files/a.zip/remove/"),
]


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.MOVING_DIR = tmp_path / "moving"
    settings.MOVING_DIR.mkdir()
    (settings.MOVING_DIR / "a.zip").write_bytes(b"no library")
    (tmp_path / "secret.zip").write_bytes(b"secret")
    (settings.MOVING_DIR / "link.zip").symlink_to(tmp_path / "secret.zip")
    return Path(settings.MOVING_DIR)


@pytest.fixture
def root(client: Client) -> Client:
    client.force_login(UserFactory(administrator=True))
    return client


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_only_administrators_find_it(client: Client, folder: Path, method: str, path: str) -> None:
    assert getattr(client, method)(path).status_code == 302
    client.force_login(UserFactory())
    assert getattr(client, method)(path).status_code == 404
    assert not Move.objects.exists()


@pytest.mark.parametrize("name", ["..%2Fsecret.zip", "link.zip", "b.zip", ".a.zip", "a.txt", "a.zip%00"])
def test_no_file_out_of_the_folder_is_handed_out(root: Client, folder: Path, name: str) -> None:
    assert root.get(f"/library/moving/files/{name}").status_code == 404
    assert root.post(f"/library/moving/files/{name}/remove/").status_code == 404
    assert (folder.parent / "secret.zip").exists()


def test_file_that_is_no_library_is_refused_with_a_sentence(root: Client, folder: Path) -> None:
    root.post("/library/moving/import/", {"file": "a.zip"})
    move.call(Move.objects.get().pk)
    assert "no library that can be read" in root.get("/library/moving/").text
    assert Move.objects.get().finished


def test_file_that_is_gone_when_its_turn_comes_is_told_of(root: Client, folder: Path) -> None:
    root.post("/library/moving/import/", {"file": "a.zip"})
    (folder / "a.zip").unlink()
    move.call(Move.objects.get().pk)
    assert "no longer there" in root.get("/library/moving/").text


def test_second_press_begins_no_second_export(root: Client, folder: Path) -> None:
    root.post("/library/moving/export/")
    root.post("/library/moving/export/")
    assert Move.objects.count() == 1


def test_two_workers_do_it_once(folder: Path) -> None:
    asked = Move.objects.create(kind=Kind.IMPORT, file="a.zip", by=UserFactory(administrator=True))
    assert Move.objects.claim(asked.pk)
    assert not Move.objects.claim(asked.pk)


def library(change: Callable[[ZipFile], object] = lambda file: None) -> bytes:
    """An export of nothing, and what ``change`` puts into it besides."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "library.zip"
        with archive.writing(path) as out:
            out.add("library.json", [records.written(Library(people=[], teams=[], datasets=[], models=[]))])
        with ZipFile(path, "a") as file:
            change(file)
        return path.read_bytes()


def send(client: Client, content: bytes, name: str = "ours.zip", **headers: str) -> HttpResponse:
    path = "/library/moving/upload/"
    return cast(HttpResponse, client.post(path, {"file": SimpleUploadedFile(name, content)}, headers=headers))


def test_library_is_uploaded_and_then_brought_in(root: Client, folder: Path) -> None:
    page = root.get("/library/moving/").text
    assert "/library/moving/upload/" in page
    assert send(root, library(), **{"HX-Request": "true"}).headers["HX-Redirect"] == "/library/moving/"
    assert (folder / "ours.zip").stat().st_size == len(library())
    assert not list(folder.glob("*.part"))
    assert not list(folder.glob(".*"))
    root.post("/library/moving/import/", {"file": "ours.zip"})
    move.call(Move.objects.get().pk)
    assert "Done: 0 models" in root.get("/library/moving/").text
    events = Entry.objects.values_list("event", flat=True)
    assert set(events) == {"library.uploaded", "library.imported"}


@pytest.mark.parametrize("name", ["a.zip", "../../a.zip", "no name \N{SNOWMAN}.zip", "a.exe", ".hidden.zip"])
def test_upload_lies_in_the_folder_under_a_name_of_its_own(root: Client, folder: Path, name: str) -> None:
    before = {path.name for path in folder.iterdir()}
    send(root, library(), name)
    [came] = {path.name for path in folder.iterdir()} - before
    assert files.NAME.fullmatch(came)
    assert (folder / "a.zip").read_bytes() == b"no library"
    assert [path.name for path in folder.parent.iterdir() if path.suffix == ".zip"] == ["secret.zip"]


HOSTILE: dict[str, bytes] = {
    "no zip": b"PK\3\4 and nothing more",
    "text behind it": library() + b"more",
    "a way out": library(lambda file: file.writestr("../../evil", b"evil")),
    "packed": library(lambda file: file.writestr("models/1/curve.bin", b"0" * 9_999, compress_type=ZIP_DEFLATED)),
    "what is in no manifest": library(lambda file: file.writestr("models/1/curve.bin", b"0")),
    "a table of contents of 4 GB": library()[:-10] + b"\xff" * 4 + library()[-6:],
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_library_is_not_kept(root: Client, folder: Path, content: bytes) -> None:
    before = sorted(path.name for path in folder.iterdir())
    answer = send(root, content)
    assert answer.status_code == 200
    assert answer.context["form"].errors["file"]
    assert sorted(path.name for path in folder.iterdir()) == before
    assert not Entry.objects.exists()


def test_upload_that_is_too_large_is_not_stored(root: Client, folder: Path, settings: Settings) -> None:
    settings.LIBRARY_UPLOAD_LIMIT_MB = 1
    answer = send(root, b"0" * (3 << 20))
    [said] = answer.context["form"].errors["file"]
    assert said.replace("\xa0", " ").startswith("The file has 3 MB; at most 1 MB can be uploaded now.")
    assert not list(folder.glob(".*"))


def test_nothing_of_a_strangers_upload_is_stored(client: Client, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "Part", None)  # it would be called
    client.force_login(UserFactory())
    assert send(client, library()).status_code == 404


def test_upload_needs_the_forms_token(folder: Path) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(UserFactory(administrator=True))
    before = sorted(path.name for path in folder.iterdir())
    assert send(strict, library()).status_code == 403
    assert sorted(path.name for path in folder.iterdir()) == before
    token = strict.get("/library/moving/upload/").context["csrf_token"]
    answer = strict.post(
        "/library/moving/upload/",
        {"file": SimpleUploadedFile("ours.zip", library()), "csrfmiddlewaretoken": str(token)},
    )
    assert answer.status_code == 302


def test_upload_that_was_cut_off_is_cleared_up(folder: Path) -> None:
    old, new = folder / ".old.part", folder / ".new.part"
    for part in (old, new):
        part.write_bytes(b"half")
    os.utime(old, (1, 1))
    files.clear()
    assert (old.exists(), new.exists()) == (False, True)
