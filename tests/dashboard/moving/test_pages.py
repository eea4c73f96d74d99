"""The page of exports and imports: administrators', and no way out of its folder."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from dashboard.moving.models import Kind, Move
from dashboard.moving.tasks import move
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

PATHS = [
    ("get", "/library/moving/"),
    ("get", "/library/moving/live/"),
    ("post", "/library/moving/export/"),
    ("post", "/library/moving/import/"),
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
