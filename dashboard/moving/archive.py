"""The file that a library is moved in: an uncompressed zip file whose manifest has the SHA-256 of everything else.

=========================  =============================================================================
manifest.json              format, version, when it was written, size and SHA-256 of each other member
library.json               :class:`dashboard.moving.records.Library`
models/KEY/curve.bin       training losses, packed as :mod:`tuning.curves` says
models/KEY/adapter.zip     the adapter as its service hands it out
datasets/SHA256.jsonl      the examples of a version, named by their hash
=========================  =============================================================================

It is written aside and gets its name when it is whole. When it is read, nothing of it is believed before all of it
was looked at: names, sizes and hashes.
"""

import hashlib
import os
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import orjson
from django.utils import timezone

from tuning.errors import TuningError

FORMAT, VERSION = "tuneboard-library", 1
MANIFEST, LIBRARY = "manifest.json", "library.json"
MEMBER = re.compile(
    r"library\.json|models/[0-9]{1,15}/(curve\.bin|adapter\.zip)|datasets/[0-9a-f]{64}\.jsonl", re.ASCII
)
MOST_MEMBERS = 500_000
MANIFEST_BYTES = 256 << 20
DIRECTORY_BYTES = 256 * MOST_MEMBERS
END_BYTES = 56 + 20 + 22
"""Of a zip's last three records."""
CHUNK_BYTES = 256 << 10

Told = Callable[[int, int], None]
"""How many bytes of how many are done."""


class ArchiveError(TuningError):
    """A file is no library that can be read: ``archive_unreadable``, ``archive_strange``, ``archive_damaged``,
    ``archive_newer``.
    """

    code = "archive_unreadable"


class Writing:
    """An archive that is being written."""

    def __init__(self, file: ZipFile) -> None:
        self._file = file
        self._members: dict[str, dict[str, Any]] = {}

    def add(self, name: str, chunks: Iterable[bytes]) -> None:
        """A member, streamed."""
        seen, size = hashlib.sha256(), 0
        with self._file.open(ZipInfo(name), "w", force_zip64=True) as member:
            for chunk in chunks:
                seen.update(chunk)
                size += len(chunk)
                member.write(chunk)
        self._members[name] = {"size": size, "sha256": seen.hexdigest()}

    def add_file(self, name: str, path: Path) -> None:
        with path.open("rb") as file:
            self.add(name, iter(lambda: file.read(CHUNK_BYTES), b""))

    def has(self, name: str) -> bool:
        return name in self._members

    def close(self) -> None:
        said = {"format": FORMAT, "version": VERSION, "written": timezone.now(), "files": self._members}
        self._file.writestr(ZipInfo(MANIFEST), orjson.dumps(said))


@contextmanager
def writing(path: Path) -> Generator[Writing]:
    """Write the archive at ``path``: it is there whole, or as it was before."""
    aside = path.with_name(f".{path.name}.part")
    try:
        with aside.open("wb") as raw:
            with ZipFile(raw, "w", ZIP_STORED) as file:
                made = Writing(file)
                yield made
                made.close()
            raw.flush()
            os.fsync(raw.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


class Reading:
    """An archive that was looked at, all of it."""

    def __init__(self, file: ZipFile) -> None:
        self._file = file
        self._names = frozenset(file.namelist())

    def has(self, name: str) -> bool:
        return name in self._names

    def read(self, name: str) -> bytes:
        return self._file.read(name)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """A member, which can be sought in."""
        with self._file.open(name) as member:
            yield member


def glance(path: str | Path) -> None:
    """Whether the file at ``path`` is a library by its contents' names and sizes: what takes no time. Raises
    ``ArchiveError``.
    """
    with _opened(Path(path)) as file:
        _listed(file, _members(file, Path(path).stat().st_size))


@contextmanager
def reading(path: Path, told: Told = lambda done, total: None) -> Generator[Reading]:
    """Check the archive at ``path``, then hand it out. Raises ``ArchiveError``."""
    with _opened(path) as file:
        _check(file, path.stat().st_size, told)
        yield Reading(file)


@contextmanager
def _opened(path: Path) -> Iterator[ZipFile]:
    with path.open("rb") as raw:
        _check_end(raw)
        try:
            with ZipFile(raw) as file:
                yield file
        except (BadZipFile, NotImplementedError, EOFError) as exc:
            raise ArchiveError(detail=str(exc)[:200]) from exc


def _check_end(raw: IO[bytes]) -> None:
    """See that the table of contents is no longer than ours may be, before anything builds it in memory.

    Its length stands in the zip's last record, or in the one before where ``PK 6 7`` says that it is long.
    """
    raw.seek(max(raw.seek(0, os.SEEK_END) - END_BYTES, 0))
    last = raw.read().rjust(END_BYTES, b"\0")
    long, locator, end = last[:56], last[56:76], last[76:]
    length = int.from_bytes(end[12:16], "little")
    if locator[:4] == b"PK\6\7" and long[:4] == b"PK\6\6":
        length = int.from_bytes(long[40:48], "little")
    if end[:4] != b"PK\5\6" or end[-2:] != b"\0\0" or length > DIRECTORY_BYTES:
        raise ArchiveError(detail="the end of the zip")
    raw.seek(0)


def _check(file: ZipFile, size: int, told: Told) -> None:
    found = _members(file, size)
    listed = _listed(file, found)
    done, total = 0, sum(info.file_size for info in found.values())
    for name, said in listed.items():
        info = found[name]
        if info.file_size != said.get("size") or _digest(file, info) != said.get("sha256"):
            raise ArchiveError("archive_damaged", name=name)
        done += info.file_size
        told(done, total)


def _members(file: ZipFile, size: int) -> dict[str, ZipInfo]:
    """By name: each once, none compressed, encrypted, out of its place or lying over another."""
    infos = file.infolist()
    if len(infos) > MOST_MEMBERS or sum(info.compress_size for info in infos) > size:
        raise ArchiveError("archive_strange", name=MANIFEST)
    found: dict[str, ZipInfo] = {}
    for info in infos:
        name = info.filename
        plain = info.compress_type == ZIP_STORED and info.compress_size == info.file_size and not info.flag_bits & 1
        if name in found or not plain or not (name == MANIFEST or MEMBER.fullmatch(name)):
            raise ArchiveError("archive_strange", name=name[:100])
        found[name] = info
    return found


def _listed(file: ZipFile, found: dict[str, ZipInfo]) -> dict[str, dict[str, Any]]:
    """What the manifest has, which is every other member."""
    if MANIFEST not in found or found[MANIFEST].file_size > MANIFEST_BYTES:
        raise ArchiveError
    try:
        said = orjson.loads(file.read(MANIFEST))
        form, version, listed = said["format"], said["version"], said["files"]
        named = set(listed)
    except (ValueError, LookupError, TypeError) as exc:
        raise ArchiveError(detail=MANIFEST) from exc
    if form != FORMAT or not isinstance(listed, dict) or not all(isinstance(one, dict) for one in listed.values()):
        raise ArchiveError(detail=MANIFEST)
    if version != VERSION:
        raise ArchiveError("archive_newer")
    if strange := named ^ (found.keys() - {MANIFEST}):
        raise ArchiveError("archive_strange", name=min(strange)[:100])
    if LIBRARY not in found:
        raise ArchiveError(detail=LIBRARY)
    return listed


def _digest(file: ZipFile, info: ZipInfo) -> str:
    with file.open(info) as member:
        return hashlib.file_digest(member, "sha256").hexdigest()  # type: ignore[arg-type]
