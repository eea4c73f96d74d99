"""The archive: whole or not there; and what was tampered with is refused before anything is believed."""

import hashlib
import io
import shutil
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import orjson
import pytest

from dashboard.moving import archive, records
from dashboard.moving.archive import ArchiveError
from dashboard.moving.records import Library

EMPTY = records.written(Library(people=[], teams=[], datasets=[], models=[]))
CURVE = "models/1/curve.bin"


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "library.zip"
    with archive.writing(path) as out:
        out.add(CURVE, [b"a" * 300_000, b"b"])
        out.add("library.json", [EMPTY])
    return path


def test_what_was_written_is_read_again(good: Path) -> None:
    told: list[tuple[int, int]] = []
    with archive.reading(good, lambda done, total: told.append((done, total))) as source:
        assert source.read(CURVE) == b"a" * 300_000 + b"b"
        assert records.read(source.read("library.json")) == Library(people=[], teams=[], datasets=[], models=[])
    assert told[-1][0] > 300_000


def test_archive_that_came_to_nothing_leaves_the_one_before(good: Path) -> None:
    before = good.read_bytes()

    def broken() -> None:
        with archive.writing(good) as out:
            out.add(CURVE, [b"half"])
            raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        broken()
    assert good.read_bytes() == before
    assert [path.name for path in good.parent.iterdir()] == ["library.zip"]


def rebuilt(path: Path, change: Callable[[dict[str, bytes]], object], kind: int = ZIP_STORED) -> None:
    """The archive with other members."""
    with ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    change(members)
    with ZipFile(path, "w", kind) as file:
        for name, data in members.items():
            file.writestr(ZipInfo(name), data, compress_type=kind)


def listing(members: dict[str, bytes], **extra: bytes) -> None:
    """The manifest that goes with ``members`` and what is added to them."""
    members |= {name.replace("__", "/"): data for name, data in extra.items()}
    said = orjson.loads(members["manifest.json"])
    rest = {name: data for name, data in members.items() if name != "manifest.json"}
    said["files"] = {
        name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in rest.items()
    }
    members["manifest.json"] = orjson.dumps(said)


def with_member(name: str) -> Callable[[dict[str, bytes]], object]:
    def change(members: dict[str, bytes]) -> None:
        members[name] = b"x"
        listing(members)

    return change


def versioned(members: dict[str, bytes]) -> None:
    members["manifest.json"] = members["manifest.json"].replace(b'"version":1', b'"version":2')


CHANGES = {
    "a byte is another": (lambda members: members.update({CURVE: b"A" + members[CURVE][1:]}), "archive_damaged"),
    "it is shorter": (lambda members: members.update({CURVE: b""}), "archive_damaged"),
    "one is missing": (lambda members: members.pop(CURVE), "archive_strange"),
    "one is more": (lambda members: members.update({"models/2/curve.bin": b""}), "archive_strange"),
    "out of the folder": (with_member("../evil"), "archive_strange"),
    "absolute": (with_member("/etc/passwd"), "archive_strange"),
    "of another kind": (with_member("models/1/run.py"), "archive_strange"),
    "with a hidden part": (with_member("models/1/curve.bin\0.py"), "archive_strange"),
    "backslashes": (with_member("models\\1\\curve.bin"), "archive_strange"),
    "no manifest": (lambda members: members.pop("manifest.json"), "archive_unreadable"),
    "a manifest of nothing": (lambda members: members.update({"manifest.json": b"[]"}), "archive_unreadable"),
    "no JSON": (lambda members: members.update({"manifest.json": b"{"}), "archive_unreadable"),
    "newer": (versioned, "archive_newer"),
    "no library": (lambda members: (members.pop("library.json"), listing(members)), "archive_unreadable"),
}


@pytest.mark.parametrize("how", CHANGES)
def test_archive_that_was_tampered_with_is_refused(good: Path, how: str) -> None:
    change, code = CHANGES[how]
    rebuilt(good, change)
    with pytest.raises(ArchiveError) as refused, archive.reading(good):
        pass
    assert refused.value.code == code


def test_compressed_members_are_refused_unread(good: Path) -> None:
    rebuilt(good, lambda members: None, ZIP_DEFLATED)
    with pytest.raises(ArchiveError) as refused, archive.reading(good):
        pass
    assert refused.value.code == "archive_strange"


def test_member_that_comes_twice_is_refused(good: Path) -> None:
    with ZipFile(good, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr(CURVE, b"another")
    with pytest.raises(ArchiveError) as refused, archive.reading(good):
        pass
    assert refused.value.code == "archive_strange"


def test_file_that_is_cut_off_or_none_is_refused(good: Path) -> None:
    shutil.copyfile(good, half := good.with_name("half.zip"))
    with half.open("r+b") as file:
        file.truncate(good.stat().st_size // 2)
    none = good.with_name("none.zip")
    none.write_bytes(io.BytesIO(b"no zip at all").read())
    for path in (half, none):
        with pytest.raises(ArchiveError) as refused, archive.reading(path):
            pass
        assert refused.value.code == "archive_unreadable"


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", EMPTY.replace(b"people", b"strangers"), b'{"people":[1]}'])
def test_records_that_are_none_are_refused(data: bytes) -> None:
    with pytest.raises(ArchiveError):
        records.read(data)
