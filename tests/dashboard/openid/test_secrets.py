"""No token, code, verifier or secret is anywhere but where it belongs: a person signs in elsewhere, connects accounts,
has their tokens renewed and taken back, while the provider also fails and repeats what it was told. Then all is looked
through.
"""

import json
import logging
import re
import sqlite3
import traceback
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import flask
import pytest
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection as database
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from dashboard.accounts.models import User
from dashboard.audit.models import Entry
from dashboard.connections.models import Account, Connection
from dashboard.messages import explain
from tests.browser.walk import ROOMS, SIGNED_OUT
from tests.dashboard.openid.provider import Provider
from tests.factories import UserFactory
from tests.google.cloud import Cloud
from tuning.errors import TuningError

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_server")]

CLIENT_SECRET = "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s-client"
API_KEY = "AIza-the-key-that-all-share"
THEIRS = ("werkzeug", "oidc_provider_mock", "authlib")
"""Loggers of the provider, which runs beside us here."""


class Said(logging.Handler):
    """Every line that any logger of ours writes, at any level, with what its exceptions say."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(THEIRS):
            return
        trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        self.lines.append(f"{record.name} {record.getMessage()} {record.args} {trace}")


@pytest.fixture
def log() -> Iterator[list[str]]:
    """What is logged where somebody looks for a mistake."""
    root, said = logging.getLogger(), Said()
    level = root.level
    root.addHandler(said)
    root.setLevel(logging.DEBUG)
    yield said.lines
    root.removeHandler(said)
    root.setLevel(level)


class Walker(Client):
    """A browser that keeps every page it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[str, str] = {}

    def request(self, **request: Any) -> HttpResponse:
        answer = super().request(**request)
        body = b"".join(answer) if answer.streaming else answer.content
        self.pages[f"{len(self.pages)} {request['PATH_INFO']}"] = body.decode() + answer.cookies.output()
        return answer


@pytest.fixture
def walker() -> Walker:
    return Walker()


def test_no_secret_is_anywhere_but_where_it_belongs(
    google: Provider, cloud: Cloud, come: Callable[..., HttpResponse], walker: Walker, *, log: list[str], tmp_path: Path
) -> None:
    UserFactory(email="first@example.com")
    come(browser=walker)
    ada = User.objects.get(email="ada@example.com")
    User.objects.filter(pk=ada.pk).update(is_administrator=True)

    connection = gemini(walker, google)
    connect(walker, google, connection)
    renew(connection, ada)
    failures(walker, google, connection, ada)
    connect(walker, google, connection)
    key = by_service_account(walker, cloud)
    walker.post(f"/connections/{connection.pk}/disconnect/")
    connect(walker, google, connection)
    look_around(walker)

    secrets = google.secrets | key | set(cloud.tokens._access) | {CLIENT_SECRET, API_KEY}
    assert len(google.revoked) == 1
    assert len(secrets) > 20
    assert_nowhere(secrets, walker.pages, what="page")
    assert_nowhere(secrets, dict(enumerate(log)), what="line of the log")
    assert_nowhere(secrets, dict(exported(tmp_path)), what="export")
    assert_nowhere(secrets, dict(stored(tmp_path)), what="table")
    assert "ada@example.com" in "".join(walker.pages.values())
    assert any("accounts.google.com" in line or "openid" in line for line in log)


def gemini(walker: Walker, google: Provider) -> Connection:
    """A connection by people's own accounts, with a client of its own; and one by a key."""
    ends = {"auth_uri": f"{google.url}/oauth2/authorize", "token_uri": f"{google.url}/oauth2/token"}
    ends |= {
        "issuer": google.url,
        "jwks_uri": f"{google.url}/jwks",
        "revocation_endpoint": f"{google.url}/oauth2/revoke",
    }
    file = json.dumps({"web": {"client_id": "connections", "client_secret": CLIENT_SECRET, **ends}}).encode()
    shared = {"base_url": google.url, "access": "everybody", "people": "", "project": ""}
    uploaded = {"oauth_client": SimpleUploadedFile("client_secret.json", file)}
    answer = walker.post("/connections/new/gemini/", {**shared, "name": "Gemini", "proof": "own", **uploaded})
    assert answer.status_code == 302, answer.text
    answer = walker.post("/connections/new/gemini/", {**shared, "name": "By key", "proof": "secret", "secret": API_KEY})
    assert answer.status_code == 302, answer.text
    by_key = Connection.objects.get(name="By key")
    assert by_key.secret == API_KEY
    walker.post(f"/connections/{by_key.pk}/test/")
    walker.get(f"/connections/{by_key.pk}/edit/")
    return Connection.objects.get(name="Gemini")


def connect(walker: Walker, google: Provider, connection: Connection) -> None:
    to_provider = walker.get(f"/connections/{connection.pk}/connect/")
    answer = walker.get(google.consent(to_provider["Location"], "ada-1"))
    assert answer.status_code == 302, answer.text
    assert Account.objects.get(connection=connection).refresh_token in google.secrets
    walker.get(answer["Location"])


def renew(connection: Connection, ada: User) -> None:
    before = Account.objects.get(connection=connection).access_token
    Account.objects.update(expires=timezone.now())
    connection.open_for(ada)
    after = connection.settings_for(ada).token()
    assert after != before


def failures(walker: Walker, google: Provider, connection: Connection, ada: User) -> None:
    """Everything that may go wrong, said by a provider that repeats what it was told."""

    def echo(status: int, wrap: Callable[[str], Any]) -> Callable[[], flask.Response]:
        return lambda: flask.make_response(wrap("; ".join(flask.request.form.values())), status)

    answers = [
        echo(400, lambda said: {"error": "invalid_request", "error_description": said}),
        echo(500, lambda said: f"<h1>{said}</h1>"),
        echo(200, lambda said: f"<h1>{said}</h1>"),
        echo(200, lambda said: {"access_token": [said]}),
        echo(400, lambda said: {"error": "invalid_grant", "error_description": said}),
    ]
    for google.answer in answers:
        to_provider = walker.get(f"/connections/{connection.pk}/connect/")
        walker.get(google.consent(to_provider["Location"], "ada-1"))
        stranger = Walker()
        to_provider = stranger.get("/sign-in/openid/")
        stranger.get(google.consent(to_provider["Location"], "ada-1"))
        walker.pages |= {f"stranger {place}": page for place, page in stranger.pages.items()}
        Account.objects.update(expires=timezone.now())
        for each in ("", "test/"):
            path = f"/connections/{connection.pk}/{each}"
            walker.post(path) if each else walker.get(path)
        with pytest.raises(TuningError) as caught:
            connection.settings_for(ada).token()
        walker.pages[f"error {len(walker.pages)}"] = f"{caught.value!r} {explain(caught.value)} {caught.value.detail}"
    google.answer = None
    google.unticked = {"https://www.googleapis.com/auth/generative-language.tuning"}
    to_provider = walker.get(f"/connections/{connection.pk}/connect/")
    assert walker.get(google.consent(to_provider["Location"], "ada-1")).status_code == 400
    google.unticked = set()
    walker.get(google.refuse(walker.get(f"/connections/{connection.pk}/connect/")["Location"]))
    walker.get("/connections/back/?code=an-old-one&state=nobodys")


def by_service_account(walker: Walker, cloud: Cloud) -> set[str]:
    """A connection whose key is uploaded, tested; the lines of the key."""
    key = cloud.tokens.service_account(cloud.url)
    told = {"name": "By account", "proof": "service_account", "access": "everybody", "base_url": cloud.url}
    uploaded = {"service_account": SimpleUploadedFile("key.json", json.dumps(key).encode())}
    answer = walker.post("/connections/new/gemini/", {**told, **uploaded})
    assert answer.status_code == 302, answer.text
    connection = Connection.objects.get(name="By account")
    walker.post(f"/connections/{connection.pk}/test/")
    assert cloud.tokens._access
    lines = [line for line in key["private_key"].splitlines() if "PRIVATE" not in line]
    return set(lines[:-1])


def look_around(walker: Walker) -> None:
    """Every page that is there from the start, the exports of the log among them."""
    more = ("/connections/new/", "/audit/audit.csv", "/audit/audit.json")
    for path in (*ROOMS.values(), *SIGNED_OUT.values(), *more):
        walker.get(path)
    for connection in Connection.objects.all():
        for page in ("", "edit/", "remove/"):
            walker.get(f"/connections/{connection.pk}/{page}")


def exported(folder: Path) -> Iterator[tuple[str, str]]:
    """The library in one file, and the audit log's rows."""
    call_command("export_library", str(folder / "library.zip"))
    with zipfile.ZipFile(folder / "library.zip") as archive:
        yield from ((name, archive.read(name).decode(errors="replace")) for name in archive.namelist())
    assert Entry.objects.filter(event="account.connected").exists()
    yield "audit", repr([(str(entry), vars(entry)) for entry in Entry.objects.all()])


def stored(folder: Path) -> Iterator[tuple[str, str]]:
    """Every cell of every table, sessions also as they are read; on SQLite, the file's bytes with what was freed."""
    with database.cursor() as cursor:
        for table in database.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            yield table, repr(cursor.fetchall())
    yield "sessions as read", repr([session.get_decoded() for session in Session.objects.all()])
    if database.vendor == "sqlite":
        with closing(sqlite3.connect(folder / "copy.sqlite3")) as copy:
            database.connection.backup(copy)
        yield "file", (folder / "copy.sqlite3").read_bytes().decode("latin-1")


def assert_nowhere(secrets: set[str], places: dict[Any, str], *, what: str) -> None:
    """Neither whole nor cut off, as it stands or as in an address."""
    assert places
    parts = {part for secret in secrets for part in (secret[:20], secret[-20:])}
    spelt = re.compile("|".join(re.escape(each) for part in parts for each in {part, quote(part, safe="")}))
    found = [(place, said[0][:6]) for place, text in places.items() if (said := spelt.search(text))]
    assert not found, f"a secret in a {what}: {found}"
