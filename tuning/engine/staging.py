"""Folders that appear as a whole or not at all."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def locked(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold ``folder`` (made if missing) against other processes; the kernel lets go for one that is killed.

    Raises ``BlockingIOError`` where another holds it and we are not to ``wait``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """A new folder beside ``target`` that takes its place, and its name, when the block ends well.

    Call it under :func:`locked` of the folder around: what a killed process left of the same name is then
    nobody's, and is removed.
    """
    part = aside(target)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        yield part
        _write_through(part)
        _put(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def aside(target: Path) -> Path:
    """Where ``target`` is while it is being filled; what a killed process leaves is there."""
    return target.with_name(f".{target.name}.part")


def _put(part: Path, target: Path) -> None:
    """Give ``part`` its name. What has it goes aside first, for removing that takes long enough to be missed."""
    gone = target.with_name(f".{target.name}.gone")
    shutil.rmtree(gone, ignore_errors=True)
    with suppress(FileNotFoundError):
        target.rename(gone)
    part.rename(target)
    shutil.rmtree(gone, ignore_errors=True)


def _write_through(folder: Path) -> None:
    """Have the disk hold the files before their folder gets its name: a power cut must not leave empty ones."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
