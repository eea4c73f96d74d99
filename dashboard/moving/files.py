"""The files of MOVING_DIR: what was exported, uploaded, or put there by hand."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.http import Http404
from django.utils import timezone

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,150}\.zip", re.ASCII)
PART = ".part"
"""How files end that are not whole yet; the first character of their names is a dot."""
FORGOTTEN = 24 * 3600
"""Seconds after which nobody writes on at a part."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of MOVING_DIR."""

    name: str
    size: int
    written: datetime


def folder() -> Path:
    """MOVING_DIR, which is there from now on."""
    made = Path(settings.MOVING_DIR)
    made.mkdir(parents=True, exist_ok=True)
    return made


def kept() -> Iterator[Kept]:
    """The files, the last written first."""
    paths = [path for path in Path(settings.MOVING_DIR).glob("*.zip") if path.is_file() and NAME.fullmatch(path.name)]
    for path in sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True):
        stat = path.stat()
        yield Kept(path.name, stat.st_size, datetime.fromtimestamp(stat.st_mtime, tz=UTC))


def find(name: str) -> Path:
    """The file of that name; 404 for what is none, or leads out of there."""
    root = Path(settings.MOVING_DIR).resolve()
    if not NAME.fullmatch(name) or not (path := root / name).is_file() or path.resolve().parent != root:
        raise Http404
    return path


def new_name() -> str:
    """What an export is called."""
    return f"library-{timezone.now():%Y-%m-%d-%H%M%S}.zip"


def keep(part: Path, said: str) -> str:
    """Give a file that came whole its name: ``said`` where that is one and free, else one that tells when it came."""
    name = said if NAME.fullmatch(said) and not (folder() / said).exists() else new_name()
    part.rename(folder() / name)
    return name


def clear() -> None:
    """Remove what was never finished."""
    for path in Path(settings.MOVING_DIR).glob(f".*{PART}"):
        if path.stat().st_mtime < time.time() - FORGOTTEN:
            path.unlink(missing_ok=True)
