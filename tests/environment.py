"""The surroundings of every test. pytest loads this (``-p``) before Django reads its settings.

Nothing of the person who runs the tests is touched: not their ``.env``, not their ``var/``. The prepared
base models are shared between runs in ``.cache/models``, for preparing one takes half a minute.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PERSONAL = [
    "DATABASE_URL",
    "TUNING_DATABASE_URL",
    "LOCAL",
    "DEBUG",
    "SECRET_KEY",
    "TUNING_SECRET",
    "ALLOWED_HOSTS",
    "PORT",
    "API_PORT",
    "SITE_URL",
    "TUNING_SERVER_URL",
    "EMAIL_URL",
    "LOCAL_ACCOUNTS",
    "OPENID_CLIENT_ID",
    "OPENID_CLIENT_JSON",
    "OPENID_DOMAINS",
]
"""Settings that somebody may have set for an installation of their own."""


def isolate() -> None:
    """Point both programs to an empty VAR_DIR that goes when pytest ends, and away from ``.env``."""
    var_dir = tempfile.mkdtemp(prefix="tuneboard-tests-")
    atexit.register(shutil.rmtree, var_dir, ignore_errors=True)
    os.environ["VAR_DIR"] = var_dir
    os.environ["ENV_FILE"] = os.devnull
    os.environ.setdefault("MODELS_DIR", str(ROOT / ".cache" / "models"))
    os.environ["TUNING_REQUESTS_A_MINUTE"] = "0"  # tests ask quickly
    # As in the engine's own children: spinning threads make a busy machine ten times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Hundreds of processes start: where Python may keep what it compiled, each does so sooner.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for name in PERSONAL:
        os.environ.pop(name, None)
    if url := os.environ.get("TESTS_DATABASE_URL"):  # a server on which the tests may make and drop databases
        os.environ["DATABASE_URL"] = os.environ["TUNING_DATABASE_URL"] = url


isolate()
