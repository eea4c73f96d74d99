"""A bundle that somebody uploads: read as data, bounded in every respect, and believed only as far as its hashes hold.

Nothing of it is ever written under a name that it brings along.
"""

import hashlib
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO, cast

from dashboard.datasets.forms import limits
from dashboard.lineage.bundles import BundleRefused, Examples, Run, read
from dashboard.lineage.packing import DATA, RUN, VALIDATION
from tuning import datasets
from tuning.errors import DatasetError

MOST_OF_A_RUN = 256 * 1024
"""Bytes of ``bundle.json``."""
PIECE = 64 * 1024
IN_MEMORY = 2**20
END = 22
"""Bytes of a zip's last record, where no comment follows it."""
ZIP64_LOCATOR = 20
MOST_OF_A_DIRECTORY = 4096
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)
"""What reading a zip may raise: damaged, cut off, encrypted, packed in another way."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A run, and the examples that came with it, if they did."""

    run: Run
    data: datasets.Parsed | None = None
    validation: datasets.Parsed | None = None


def unpack(file: BinaryIO) -> Bundle:
    """The bundle that ``file`` holds, zip or JSON. Raises ``BundleRefused``."""
    if file.read(2) != b"PK":
        file.seek(0)
        return Bundle(read(b"".join(_bounded(file, MOST_OF_A_RUN))))
    _check_end(file)
    try:
        with zipfile.ZipFile(file) as archive:
            return _unpacked(archive)
    except BROKEN as error:
        raise BundleRefused("damaged") from error


def _unpacked(archive: zipfile.ZipFile) -> Bundle:
    names = archive.namelist()
    if len(set(names)) != len(names) or not set(names) <= {RUN, DATA, VALIDATION} or RUN not in names:
        raise BundleRefused("strange_files")
    with archive.open(RUN) as member:
        run = read(b"".join(_bounded(member, MOST_OF_A_RUN)))
    data = _examples(archive, DATA, run.data) if DATA in names else None
    validation = _examples(archive, VALIDATION, run.validation) if VALIDATION in names and run.validation else None
    return Bundle(run, data, validation)


def _examples(archive: zipfile.ZipFile, name: str, told: Examples) -> datasets.Parsed:
    """The examples in file ``name``, which are those that were told of."""
    seen = hashlib.sha256()
    with archive.open(name) as member, tempfile.SpooledTemporaryFile(IN_MEMORY) as kept:
        for piece in _bounded(member, limits().file_bytes):
            seen.update(piece)
            kept.write(piece)
        if seen.hexdigest() != told.sha256:
            raise BundleRefused("hash_differs", name=name)
        kept.seek(0)
        try:
            parsed = datasets.parse(cast(BinaryIO, kept), name, limits=limits())
        except DatasetError:
            raise BundleRefused("bad_examples", name=name) from None
    if parsed.sha256 != told.sha256 or parsed.count != told.examples:
        raise BundleRefused("hash_differs", name=name)
    return parsed


def _bounded(file: IO[bytes], most: int) -> Iterator[bytes]:
    """``file`` piece by piece, whatever size it says to have."""
    left = most
    while piece := file.read(PIECE):
        left -= len(piece)
        if left < 0:
            raise BundleRefused("too_large")
        yield piece


def _check_end(file: BinaryIO) -> None:
    """See that the zip's table of contents is as short as ours, before anything builds it in memory."""
    file.seek(0, 2)
    size = file.tell()
    file.seek(max(size - END - ZIP64_LOCATOR, 0))
    last = file.read()
    end = last[-END:]
    entries, directory = int.from_bytes(end[10:12], "little"), int.from_bytes(end[12:16], "little")
    is_plain = end[:4] == b"PK\5\6" and len(end) == END and not last.startswith(b"PK\6\7")
    if not is_plain or entries > 3 or directory > MOST_OF_A_DIRECTORY:
        raise BundleRefused("strange_files")
    file.seek(0)
