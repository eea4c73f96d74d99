"""A library that somebody made up: what it may not do to the one that it is brought into."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.test import Client

from dashboard.accounts.models import User
from dashboard.datasets.models import Dataset, DatasetVersion
from dashboard.moving import archive, records
from dashboard.moving.archive import ArchiveError
from dashboard.moving.arriving import Arrival
from dashboard.moving.leaving import Outcome, export
from dashboard.moving.models import Kind, Move
from dashboard.moving.records import Library, MemberRecord, TeamRecord
from dashboard.teams.models import Team
from tests.factories import DatasetFactory, TunedModelFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_server")]

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def administrator(db: None) -> User:
    return UserFactory(email="root@example.com", administrator=True)


@contextmanager
def reading(path: Path, library: Library | bytes, **members: bytes) -> Iterator[archive.Reading]:
    with archive.writing(path) as out:
        for name, data in members.items():
            out.add(f"datasets/{name}.jsonl", [data])
        out.add("library.json", [library if isinstance(library, bytes) else records.written(library)])
    with archive.reading(path) as source:
        yield source


def library(**what: Any) -> Library:
    return replace(Library(people=[], teams=[], datasets=[], models=[]), **what)


def test_team_that_is_here_gets_no_members(administrator: User, alice: User, tmp_path: Path) -> None:
    team = Team.objects.create(name="Research")
    said = TeamRecord(
        name="Research",
        address="research-1@teams.tuneboard",
        members=[MemberRecord(email=alice.email, is_manager=True)],
    )
    with reading(tmp_path / "library.zip", library(teams=[said])) as source:
        Arrival(source, administrator).bring()
    assert not team.members.exists()
    assert Team.objects.count() == 1


def of_datasets(change: Callable[[dict[str, Any]], object]) -> bytes:
    """A library with one dataset, whose record was changed."""
    version = {"number": 1, "sha256": "0" * 64, "examples": 15, "size": 10, "created": NOW, "facts": {}}
    dataset = {"key": 1, "owner": "a@example.com", "name": "D", "created": NOW, "absent": True, "versions": [version]}
    change(dataset)
    return orjson.dumps({"people": [], "teams": [], "datasets": [dataset], "models": []})


MADE_UP: dict[str, Callable[[dict[str, Any]], object]] = {
    "no version": lambda dataset: dataset.update(versions=[]),
    "a version twice": lambda dataset: dataset.update(versions=dataset["versions"] * 2),
    "before there were years": lambda dataset: dataset.update(created="0001-01-01T00:00:00+14:00"),
    "after the last year": lambda dataset: dataset["versions"][0].update(created="9999-12-31T23:59:59-12:00"),
}


@pytest.mark.parametrize("how", MADE_UP)
def test_datasets_that_cannot_be_are_refused(administrator: User, tmp_path: Path, how: str) -> None:
    with reading(tmp_path / "library.zip", of_datasets(MADE_UP[how])) as source, pytest.raises(ArchiveError):
        Arrival(source, administrator).bring()
    assert not Dataset.objects.exists()


def test_members_twice_are_refused(administrator: User, tmp_path: Path) -> None:
    twice = [MemberRecord(email="a@example.com")] * 2
    said = TeamRecord(name="Research", address="research-1@teams.tuneboard", members=twice)
    with reading(tmp_path / "library.zip", library(teams=[said])) as source, pytest.raises(ArchiveError):
        Arrival(source, administrator).bring()
    assert not Team.objects.exists()


def test_facts_of_a_dataset_are_found_anew(administrator: User, client: Client, tmp_path: Path) -> None:
    version = DatasetFactory(owner=administrator).latest
    facts, data, sha256 = version.facts, version.path.read_bytes(), version.sha256

    def change(dataset: dict[str, Any]) -> None:
        dataset.update(absent=False, owner=administrator.email)
        dataset["versions"][0].update(sha256=sha256, size=len(data), facts={"inputs": "many"})

    Dataset.objects.all().delete()
    with reading(tmp_path / "library.zip", of_datasets(change), **{sha256: data}) as source:
        Arrival(source, administrator).bring()
    assert DatasetVersion.objects.get().facts == facts
    client.force_login(administrator)
    assert client.get(Dataset.objects.get().get_absolute_url()).status_code == 200


def test_lineage_of_a_model_that_is_here_is_its_own(administrator: User, tmp_path: Path) -> None:
    mine, other = (TunedModelFactory(job=None, dataset_version=None) for _ in range(2))
    export(tmp_path / "good.zip", administrator)
    with archive.reading(tmp_path / "good.zip") as source:
        said = records.read(source.read("library.json"))
    with reading(
        tmp_path / "library.zip", replace(said, models=[replace(said.models[0], tuned_from=other.name)])
    ) as source:
        assert Arrival(source, administrator).bring().there == 1
    mine.refresh_from_db()
    assert mine.tuned_from is None


def test_page_says_what_was_wrong_with_a_model(administrator: User, client: Client) -> None:
    bad = ArchiveError("archive_strange", name="library.json: notes")
    Move.objects.create(kind=Kind.IMPORT, file="library.zip", by=administrator).finish(Outcome(failed=[("Next", bad)]))
    client.force_login(administrator)
    assert "The file holds what no library has: library.json: notes" in client.get("/library/moving/").text
