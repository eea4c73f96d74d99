"""The dashboard's settings, all of them, from the environment or ``.env`` (documented in ``.env.example``)."""

import os
from pathlib import Path

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key
from django.utils.translation import gettext_lazy as _
from environs import Env

from tuning.assertions import shared_secret

ROOT = Path(__file__).resolve().parent.parent

env = Env()
env.read_env(env.str("ENV_FILE", str(ROOT / ".env")), recurse=False)

VAR_DIR = (ROOT / env.str("VAR_DIR", "var")).resolve()
os.umask(0o077)  # other accounts of this machine read nothing of what we write
DEBUG = env.bool("DEBUG", False)
LOCAL = env.bool("LOCAL", True)
"""On one machine over plain http, which is what ``make run`` starts. ``LOCAL=false`` is production: https, a
SECRET_KEY and ALLOWED_HOSTS of your own, no DEBUG."""


def _kept_secret(name: str) -> str:
    """A secret made once and kept in VAR_DIR, for installations that set none."""
    path = VAR_DIR / name
    if not path.exists():
        VAR_DIR.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(get_random_secret_key())
    return path.read_text()


def _secret_key() -> str:
    secret = env.str("SECRET_KEY", "")
    if secret or LOCAL:
        return secret or _kept_secret("dashboard.secret")
    raise ImproperlyConfigured("With LOCAL=false, set SECRET_KEY to 50 random characters or more.")


SECRET_KEY = _secret_key()
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])
SALT_KEY = [SECRET_KEY, *SECRET_KEY_FALLBACKS]
"""django-fernet-encrypted-fields derives its keys from each SECRET_KEY and each of these; ``manage.py reencrypt``."""

if not LOCAL and (DEBUG or len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5):
    raise ImproperlyConfigured("With LOCAL=false, DEBUG must be off and SECRET_KEY at least 50 random characters.")

PORT = env.int("PORT", 8000)
API_PORT = env.int("API_PORT", 8001)
TUNING_SERVER_URL = env.str("TUNING_SERVER_URL", f"http://127.0.0.1:{API_PORT}")
TUNING_SECRET = env.str("TUNING_SECRET", "") or shared_secret(VAR_DIR)

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"] if LOCAL else [])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
SITE_URL = env.str("SITE_URL", f"http://127.0.0.1:{PORT}")

ROOT_URLCONF = "dashboard.urls"
WSGI_APPLICATION = "dashboard.wsgi.application"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "csp",
    "django_htmx",
    "template_partials.apps.SimpleAppConfig",
    "django_tasks",
    "huey.contrib.djhuey",
    "dashboard",
    "dashboard.accounts",
    "dashboard.audit",
    "dashboard.connections",
    "dashboard.datasets",
    "dashboard.evaluations",
    "dashboard.jobs",
    "dashboard.library",
    "dashboard.lineage",
    "dashboard.listing",
    "dashboard.moving",
    "dashboard.notices",
    "dashboard.openid",
    "dashboard.playground",
    "dashboard.sharing",
    "dashboard.sweeps",
    "dashboard.presets",
    "dashboard.retiring",
    "dashboard.teams",
    "dashboard.people",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "dashboard.audit.middleware.Asked",
    "dashboard.accounts.middleware.NotKept",
    "dashboard.accounts.middleware.Strangers",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "dashboard.middleware.HtmxPlumbing",
    "dashboard.accounts.middleware.ReturnToPage",
    "dashboard.middleware.ServiceErrors",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    [
                        (
                            "django.template.loaders.cached.Loader",
                            [
                                "django.template.loaders.filesystem.Loader",
                                "django.template.loaders.app_directories.Loader",
                            ],
                        )
                    ],
                )
            ],
            "builtins": [
                "django.templatetags.i18n",
                "template_partials.templatetags.partials",
                "dashboard.templatetags.tuneboard",
            ],
        },
    }
]
FORM_RENDERER = "dashboard.forms.FormRenderer"

# SQLite with a write-ahead log: readers never wait for the writer, and a short wait settles two writers.
DATABASES = {"default": env.dj_db_url("DATABASE_URL", f"sqlite:///{VAR_DIR / 'dashboard.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
# A thread keeps its connection: to open one takes longer than a poll's questions do.
DATABASES["default"] |= {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "jobs:list"
LOGOUT_REDIRECT_URL = "accounts:sign_in"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

OPENID_ISSUER = env.str("OPENID_ISSUER", "https://accounts.google.com")
"""Who vouches for people beside their passwords: any OpenID provider. Offered once a client is named."""
OPENID_NAME = env.str("OPENID_NAME", "Google")
OPENID_CLIENT_ID = env.str("OPENID_CLIENT_ID", "")
OPENID_CLIENT_SECRET = env.str("OPENID_CLIENT_SECRET", "")
OPENID_CLIENT_JSON = env.str("OPENID_CLIENT_JSON", "")
"""In their place: the ``client_secret.json`` of Google's console, by its path or as its text."""
if OPENID_CLIENT_JSON.strip()[:1] not in {"", "{"} and not Path(OPENID_CLIENT_JSON).is_file():
    raise ImproperlyConfigured("OPENID_CLIENT_JSON names no file.")
OPENID_DOMAINS: list[str] = env.str("OPENID_DOMAINS", "").lower().replace(",", " ").split()
"""Whose e-mails come in by the provider; empty: all whom it vouches for and who have an account here."""
OPENID_CREATES = env.bool("OPENID_CREATES", bool(OPENID_DOMAINS))
"""Whether a first sign-in makes an account. Without domains everybody would get one who has one at the provider."""
LOCAL_ACCOUNTS = env.bool("LOCAL_ACCOUNTS", True)
"""Whether people sign in by passwords of their own here."""
if not LOCAL_ACCOUNTS and not (OPENID_CLIENT_ID or OPENID_CLIENT_JSON):
    raise ImproperlyConfigured("With LOCAL_ACCOUNTS=false, set OPENID_CLIENT_ID: nobody could come in.")

EMAIL_URL = env.str("EMAIL_URL", "")
"""Where mail goes, e.g. ``submission://user:password@mail.example.com`` (port 587 and STARTTLS). Empty: no mail
is sent, and pages that would send some are not offered."""
if EMAIL_URL:
    mail = env.dj_email_url("EMAIL_URL")
    if "EMAIL_BACKEND" not in mail:
        raise ImproperlyConfigured("EMAIL_URL begins with submission:// or smtp://, for example (see .env.example).")
    vars().update(mail, EMAIL_TIMEOUT=mail["EMAIL_TIMEOUT"] or 20)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "tuneboard@localhost")

WEBHOOK_INTERNAL_HOSTS: list[str] = env.list("WEBHOOK_INTERNAL_HOSTS", [])
"""Hosts in one's own network that notices may be posted to, by the names that stand in the webhooks' addresses."""

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
TIME_ZONE = "UTC"
USE_TZ = True
LOCALE_PATHS = [ROOT / "locale"]

STATIC_URL = "/static/"
STATICFILES_DIRS: list[Path | tuple[str, Path]] = [ROOT / "static"]
STATIC_ROOT = VAR_DIR / "static"
# plotly.js, placed there by scripts/install.py; not committed (third-party code).
VENDOR_DIR = ROOT / ".vendor"
if VENDOR_DIR.is_dir():
    STATICFILES_DIRS.append(("vendor", VENDOR_DIR))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "dashboard.static_files.StaticFiles"},
}

VERTEX_BASE_MODELS: list[str] = env.list("VERTEX_BASE_MODELS", [])
"""Empty: those that were documented when this was written; no method of Google's lists them."""
PRICES: dict[str, float] = env.dict("PRICES", {}, subcast_values=float)
"""Of a million tokens read in tuning, by kind of connection, or ``kind/models/…`` for one base model there."""
CURRENCY = env.str("CURRENCY", "USD")

AUDIT_KEPT_DAYS = env.int("AUDIT_KEPT_DAYS", 365)
"""For how long entries of the audit log are kept; 0 keeps all."""

BIN_DAYS = env.int("BIN_DAYS", 14)
"""For how long a model that was removed can be restored; then its service is asked to delete it."""

MOVING_DIR = (ROOT / env.path("MOVING_DIR", VAR_DIR / "moving")).resolve()
"""Where libraries are written to and brought in from."""
LIBRARY_UPLOAD_LIMIT_MB = env.int("LIBRARY_UPLOAD_LIMIT_MB", 8 * 1024)
"""The largest library's file that may be uploaded in the browser."""

UPLOAD_LIMIT_MB = env.int("UPLOAD_LIMIT_MB", 64)
JOBS_AT_ONCE = env.int("JOBS_AT_ONCE", 0)
"""How many jobs of one person may be queued or running, and how many megabytes of datasets they may keep, where
administrators say nothing else of them; 0 sets no limit."""
STORAGE_LIMIT_MB = env.int("STORAGE_LIMIT_MB", 0)
FILE_UPLOAD_HANDLERS = ["dashboard.datasets.uploads.CappedTemporaryFile"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024

# Strict: no inline script or style, nothing from elsewhere, no frames. plotly.js writes one <style>, to which
# base.html lends its nonce; it draws images from data: and blob: when a picture is saved.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "manifest-src": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
# Asked for with each request; Django's own engine writes the same question anew each time.
SESSION_ENGINE = "dashboard.accounts.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = not LOCAL
SECURE_HSTS_SECONDS = 0 if LOCAL else 60 * 60 * 24 * 365
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not LOCAL
# We listen on this machine alone, so in production there is a proxy: it sets X-Forwarded-Proto and -For.
if env.bool("BEHIND_PROXY", not LOCAL):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

TASKS = {"default": {"BACKEND": "huey.contrib.djhuey.tasks_backend.HueyBackend", "ENQUEUE_ON_COMMIT": True}}
HUEY = {
    "huey_class": "huey.SqliteHuey",
    "name": "tuneboard",
    "filename": str(VAR_DIR / "worker.sqlite3"),
    "immediate": False,
    "results": False,
    # One thread may wait for receivers of notices (dashboard/notices/sending.py), one for answers of models
    # (dashboard/evaluations/tasks.py): the third has the jobs. None sleeps longer than somebody who began an evaluation
    # likes to wait.
    "consumer": {
        "workers": 3,
        "max_delay": 2.0,
        "worker_type": "thread",
        "periodic": True,
        "check_worker_health": True,
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{levelname} {name}: {message}", "style": "{"}},
    "filters": {"tokens": {"()": "dashboard.logs.WithoutTokens"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["tokens"]}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django_tasks": {"level": "WARNING"},  # each task's start and end: two lines a second while jobs go on
        # What these say below a warning holds codes, tokens and secrets.
        "requests_oauthlib": {"level": "WARNING"},
        "oauthlib": {"level": "WARNING"},
        "google_auth_oauthlib": {"level": "WARNING"},
        "urllib3": {"level": "INFO"},
        "huey": {"handlers": ["console"], "level": "WARNING", "propagate": False},
    },
}
