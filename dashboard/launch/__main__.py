"""``python -m dashboard.launch``, which ``make run`` calls once everything is installed.

Not a management command, because a folder that cannot be written to already fails the reading of the settings,
and the person is to see one sentence then, too.
"""

import os
import subprocess
import sys

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from environs import EnvError

from dashboard.launch import processes, readiness

MIGRATE_SERVER = [sys.executable, "-m", "tuning.server", "migrate", "--verbosity", "0", "--skip-checks"]
"""Its checks load every view, which takes longer than all the rest; ``make lint`` runs them."""


def main() -> int:
    """Start all processes and stay until they have ended. Returns the exit status."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "dashboard.settings"
    try:
        link = prepare()
    except (readiness.NotReady, ImproperlyConfigured, EnvError) as reason:
        sys.exit(str(reason))
    except OSError as error:
        sys.exit(f"{error.filename or settings.VAR_DIR}: {error.strerror}. Put that right, or choose another VAR_DIR.")
    except KeyboardInterrupt:
        sys.exit("Stopped before anything was started.")
    return processes.run(link)


def prepare() -> str:
    """Put everything in order; the address to open. Raises :class:`readiness.NotReady`."""
    readiness.check_storage(settings.VAR_DIR)
    readiness.check_port("PORT", settings.PORT)
    own_server = processes.has_own_server()
    if own_server:
        readiness.check_port("API_PORT", settings.API_PORT)
        # Django serves one set of settings a process; meanwhile this one sees to the dashboard.
        migration = subprocess.Popen(MIGRATE_SERVER, stderr=subprocess.PIPE, text=True)
    django.setup()
    readiness.migrate()
    if own_server:
        finish(migration)
    readiness.collect_static()
    return readiness.first_address()


def finish(migration: subprocess.Popen[str]) -> None:
    """Wait for the tuning server's database. Raises :class:`readiness.NotReady` with the reason it gave last."""
    said = migration.communicate()[1].strip()
    if migration.returncode != 0:
        reason = said.splitlines()[-1] if said else f"exit status {migration.returncode}"
        raise readiness.NotReady(
            f"The tuning server's database cannot be used ({reason}). Check TUNING_DATABASE_URL and VAR_DIR."
        )


if __name__ == "__main__":
    sys.exit(main())
