"""Folders that appear as a whole or not at all."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold ``folder`` (made if missing) against other processes; the kernel lets go for one that is killed."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """A new folder beside ``target`` that takes its place, and its name, when the block ends well.

    Call it under :func:`locked` of the folder around: what a killed process left of the same name is then
    nobody's, and is removed.
    """
    aside = target.with_name(f".{target.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    try:
        yield aside
        _write_through(aside)
        shutil.rmtree(target, ignore_errors=True)
        aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _write_through(folder: Path) -> None:
    """Have the disk hold the files before their folder gets its name: a power cut must not leave empty ones."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
