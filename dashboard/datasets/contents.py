"""Where the files of this room stand.

A version's examples are ``VAR_DIR/datasets/<sha256>.jsonl``: named by what is in them, so that versions of equal
contents share a file.
"""

from pathlib import Path

from django.conf import settings
from django.db import connection


def path_of(sha256: str) -> Path:
    """The file that holds, or will hold, the examples of this hash."""
    return _folder("datasets") / f"{sha256}.jsonl"


def hold(sha256: str) -> None:
    """Until the caller's transaction ends, nobody else adds or removes contents of this hash.

    On SQLite a transaction that writes keeps all others waiting anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(sha256[:15], 16)])


def upload_path(key: str) -> Path:
    """Where an uploaded file waits for its columns to be chosen."""
    return _folder("uploads") / key


def _folder(name: str) -> Path:
    path: Path = settings.VAR_DIR / name
    path.mkdir(parents=True, exist_ok=True)
    return path
