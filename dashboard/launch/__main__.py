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
        migration = subprocess.Popen([sys.executable, "-m", "tuning.server", "migrate", "--verbosity", "0"])
    django.setup()
    readiness.migrate()
    readiness.collect_static()
    if own_server and migration.wait() != 0:
        raise readiness.NotReady("The tuning server's database could not be brought up to date: see above.")
    return readiness.first_address()


if __name__ == "__main__":
    sys.exit(main())
