"""Versions never change, and a file stays exactly as long as a version names it."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from django.db.models import ProtectedError

from dashboard.datasets.models import Dataset, DatasetVersion
from tests.factories import DatasetFactory, JobFactory, UserFactory
from tuning.datasets import Parsed, parse

pytestmark = pytest.mark.django_db

Commit = Callable[..., object]


def pairs(*numbers: int) -> Parsed:
    rows = "".join(f"{number},{number + 1}\n" for number in numbers)
    return parse(BytesIO(b"input,output\n" + rows.encode()), "pairs.csv")


def files(var_dir: Path) -> set[str]:
    return {path.stem for path in (var_dir / "datasets").iterdir()}


def test_version_cannot_be_changed() -> None:
    version = DatasetFactory().latest
    version.examples = 1
    with pytest.raises(TypeError):
        version.save()
    assert DatasetVersion.objects.get().examples == 15


def test_file_is_named_by_what_is_in_it(var_dir: Path) -> None:
    parsed = pairs(1, 2)
    version, _ = DatasetFactory().add_version(parsed)
    assert version.path == var_dir / "datasets" / f"{parsed.sha256}.jsonl"
    assert version.size == version.path.stat().st_size
    assert version.path.read_bytes() == b'{"text_input":"1","output":"2"}\n{"text_input":"2","output":"3"}\n'


def test_versions_are_numbered_within_their_dataset() -> None:
    dataset, other = DatasetFactory(), DatasetFactory()
    assert [dataset.add_version(pairs(n))[0].number for n in (1, 2)] == [2, 3]
    assert other.latest.number == 1
    assert dataset.latest.number == 3


def test_contents_equal_to_the_latest_make_no_version_but_older_ones_do() -> None:
    dataset = Dataset.objects.start(UserFactory(), "Pairs", pairs(1))
    assert dataset.add_version(pairs(1)) == (dataset.latest, False)
    dataset.add_version(pairs(2))
    version, is_new = dataset.add_version(pairs(1))
    assert (version.number, is_new) == (3, True)


def test_equal_contents_share_a_file_which_goes_with_the_last(
    var_dir: Path, django_capture_on_commit_callbacks: Commit
) -> None:
    first, second = (Dataset.objects.start(UserFactory(), "Pairs", pairs(1)) for _ in range(2))
    other = Dataset.objects.start(UserFactory(), "Others", pairs(2))
    assert len(files(var_dir)) == 2
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        first.delete()
    assert len(files(var_dir)) == 2
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        second.delete()
    assert files(var_dir) == {other.latest.sha256}


def test_dataset_that_jobs_use_cannot_be_deleted(var_dir: Path) -> None:
    job = JobFactory()
    with pytest.raises(ProtectedError):
        job.dataset_version.dataset.delete()
    assert job.dataset_version.path.exists()


def test_preview_begins_and_ends_where_it_is_asked_to() -> None:
    version = DatasetFactory(pairs=20).latest
    assert [example.text_input for example in version.preview(17, 50)] == ["17", "18", "19"]
    assert [example.text_input for example in version.preview(3, 2)] == ["3", "4"]


def test_people_see_their_own_and_administrators_all() -> None:
    alice, bob = UserFactory(), UserFactory()
    mine, _ = DatasetFactory(owner=alice), DatasetFactory(owner=bob)
    assert list(Dataset.objects.visible_to(alice)) == [mine]
    assert Dataset.objects.visible_to(UserFactory(administrator=True)).count() == 2
