"""What must be in order before the processes start; each function sees to one thing or raises :class:`NotReady`."""

import hashlib
import shutil
import socket
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import DatabaseError

SPACE = 0.5
"""GB that must be free: room for a prepared base model and for the databases to grow."""


class NotReady(Exception):
    """One sentence for the person who starts Tuneboard: what is in the way, and what to do."""


def check_storage(var_dir: Path) -> None:
    """The folder of all data is there, can be written to and has room."""
    var_dir.mkdir(parents=True, exist_ok=True)
    probe = var_dir / ".writable"
    probe.write_text("yes")
    probe.unlink()
    free = shutil.disk_usage(var_dir).free / 1e9
    if free < SPACE:
        raise NotReady(f"Only {free:.1f} GB are free in {var_dir}. Free {SPACE} GB, or choose another VAR_DIR.")


def check_port(name: str, port: int) -> None:
    """Nobody else listens on ``port``, which the setting ``name`` chooses."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            why = "is not allowed here" if isinstance(error, PermissionError | OverflowError) else "is taken"
            raise NotReady(
                f"Port {port} {why}. Choose another one, for example: {name}={8010 + port % 10} make run"
            ) from error


def migrate() -> None:
    """Bring the dashboard's database up to date, if it is not."""
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", verbosity=0, interactive=False)
    except DatabaseError as error:
        raise NotReady(f"The dashboard's database cannot be used ({error}). Check DATABASE_URL and VAR_DIR.") from error


def collect_static() -> None:
    """Copy, hash and compress the static files when one of them has changed: it takes seconds."""
    stamp = Path(settings.VAR_DIR) / "static.stamp"
    wanted = _static_digest()
    if stamp.exists() and stamp.read_text() == wanted and Path(settings.STATIC_ROOT).is_dir():
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(wanted)


def _static_digest() -> str:
    """Changes when a static file does: names, sizes and times of all that would be collected."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def first_address() -> str:
    """The one-time welcome link while nobody can sign in yet, else where the dashboard is."""
    from dashboard.accounts.welcome import issue_link  # noqa: PLC0415 - its models need Django to be set up

    return issue_link() or settings.SITE_URL
