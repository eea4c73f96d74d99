"""Settings of the tuning server, from the environment or ``.env`` in the repository's root.

An API has no debug pages, no sessions, no cookies and no templates, so there is little to set, and nothing
here is less safe than it should be in production.
"""

import hashlib
import os
import tomllib
from pathlib import Path

import dj_database_url
import psutil
from environs import Env

from tuning.assertions import shared_secret
from tuning.engine.bases import catalogue

ROOT = Path(__file__).resolve().parents[2]

env = Env()
env.read_env(env.str("ENV_FILE", str(ROOT / ".env")), recurse=False)

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

VAR_DIR = (ROOT / env.path("VAR_DIR", Path("var"))).resolve()
"""Where everything is kept: databases, models, adapters, training data."""
os.umask(0o077)  # other accounts of this machine read nothing of what we write
MODELS_DIR = (ROOT / env.path("MODELS_DIR", VAR_DIR / "models")).resolve()
"""Prepared base models; a folder of its own so that several installations can share it."""
BASE_MODELS_FILE = (ROOT / env.path("BASE_MODELS_FILE", VAR_DIR / "base-models.toml")).resolve()
"""Lists further base models: docs/base-models.md."""
BASES_DIR = (ROOT / env.path("BASES_DIR", VAR_DIR / "bases")).resolve()
"""The only place from which administrators may add a base model without that file."""
ADAPTERS_DIR = VAR_DIR / "adapters"
MERGED_DIR = VAR_DIR / "merged"
"""Tuned models as whole GGUF files, each until nobody has wanted it for a day."""
SOURCES_DIR = VAR_DIR / "sources"
WORK_DIR = VAR_DIR / "work"
TRAINING_DIR = VAR_DIR / "training"
DEFAULT_BASE_MODEL = env.str("TUNING_DEFAULT_BASE_MODEL", catalogue.DEFAULT)
"""Made ready at the start; the names of Google's models stand for it."""
API_PORT = env.int("API_PORT", 8001)

TUNING_SECRET = env.str("TUNING_SECRET", "") or shared_secret(VAR_DIR)
"""What the dashboard signs its assertions with."""
SECRET_KEY = hashlib.sha256(b"tuning.server page tokens\0" + TUNING_SECRET.encode()).hexdigest()

DEBUG = False
ALLOWED_HOSTS = env.list("TUNING_ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
DATA_UPLOAD_MAX_MEMORY_SIZE = env.int("TUNING_MAX_BODY_BYTES", 64 * 1024 * 1024)

MAX_DATASET_BYTES = env.int("TUNING_MAX_DATASET_BYTES", 256 * 1024 * 1024)
"""Of a dataset that is sent ahead and named by its hash."""
TRAINING_DATA_DAYS = env.int("TRAINING_DATA_DAYS", 0)
"""So long the examples of a job that has ended are kept; 0: as long as its model."""
REQUESTS_A_MINUTE = env.int("TUNING_REQUESTS_A_MINUTE", 600)
"""What a key may ask; 0 sets no limit. The dashboard's people and polls of operations are not counted."""
LEASE_SECONDS = env.float("TUNING_LEASE_SECONDS", 30.0)
"""A tuner that has not been heard of for so long has lost its job to whoever claims it next."""
TUNER_CHECKPOINT_SECONDS = env.float("TUNER_CHECKPOINT_SECONDS", 30.0)
"""At most so much work is done again after a training process was killed."""
TUNER_STALL_SECONDS = env.float("TUNER_STALL_SECONDS", 600.0)
"""A training process that has said nothing for so long is ended, and the job tried once more; 0 waits for ever."""
TUNER_WARM = env.bool("TUNER_WARM", True)
"""Whether an idle tuner keeps a training process with the libraries and the default base model loaded."""
TUNER_SLOTS = max(env.int("TUNER_SLOTS", 1), 1)
"""How many jobs the tuner of this machine runs at once."""
TUNER_THREADS = env.int("TUNER_THREADS", 0) or max((psutil.cpu_count() or 1) // TUNER_SLOTS, 1)
"""How many threads compute a job. One keeps the number that it began with, wherever it goes on."""
GENERATION_SECONDS = env.float("TUNING_GENERATION_SECONDS", 120.0)
"""How long a caller may wait for an answer of a model."""

INSTALLED_APPS = ["tuning.server"]
MIDDLEWARE = ["tuning.server.answers.ErrorsAsJson"]
ROOT_URLCONF = "tuning.server.urls"
WSGI_APPLICATION = "tuning.server.wsgi.application"
APPEND_SLASH = False

DATABASES = {
    "default": dj_database_url.parse(
        env.str("TUNING_DATABASE_URL", f"sqlite:///{VAR_DIR / 'tuning.sqlite3'}"),
        conn_max_age=600,
        conn_health_checks=True,
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # A transaction that will write says so at its start: otherwise SQLite may refuse it half-way, without waiting.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False

SILENCED_SYSTEM_CHECKS = [
    "security.W001",  # SecurityMiddleware: its headers and redirects are for pages, and TLS ends before us
    "security.W002",  # X-Frame-Options: there is nothing to frame
    "security.W003",  # CSRF: no cookie is ever read
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    # Django's default would mail the administrators and print nothing.
    "loggers": {"django": {"handlers": [], "level": "WARNING", "propagate": True}},
}
