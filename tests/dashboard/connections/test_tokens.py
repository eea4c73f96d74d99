"""Access tokens: renewed in time, by one process, and given up when the provider says so."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from dashboard.accounts.models import User
from dashboard.audit.models import Entry
from dashboard.connections import tokens
from dashboard.connections.models import Account, Connection
from dashboard.connections.service_accounts import read_key
from tests.environment import ROOT
from tests.factories import UserFactory
from tests.google.cloud import Cloud
from tuning.errors import Unauthenticated, Unavailable

pytestmark = pytest.mark.django_db


def test_token_that_has_ended_is_renewed_and_kept(account: Account, own: Connection, alice: User, cloud: Cloud) -> None:
    first = tokens.of_person(own, alice)
    assert first.startswith("ya29.")
    assert tokens.of_person(own, alice) == first
    assert cloud.tokens.refreshes == 1
    account.refresh_from_db()
    assert account.expires > timezone.now() + timedelta(minutes=50)


def test_refresh_token_stays_where_none_comes_and_goes_where_one_does(
    account: Account, own: Connection, alice: User, cloud: Cloud
) -> None:
    before = account.refresh_token
    tokens.of_person(own, alice)
    account.refresh_from_db()
    assert account.refresh_token == before
    cloud.tokens.rotate = True
    Account.objects.update(expires=timezone.now())
    tokens.of_person(own, alice)
    account.refresh_from_db()
    assert account.refresh_token not in {"", before}


def test_token_is_renewed_before_it_ends(account: Account, own: Connection, alice: User, cloud: Cloud) -> None:
    Account.objects.update(expires=timezone.now() + timedelta(minutes=4))
    assert tokens.of_person(own, alice) != "old"


def test_old_token_serves_while_it_lasts_and_the_provider_is_away(
    account: Account, own: Connection, alice: User
) -> None:
    own.oauth_client = own.oauth_client.replace("/token", "/nowhere").replace(own.base_url, "http://127.0.0.1:9")
    own.save()
    Account.objects.update(expires=timezone.now() + timedelta(minutes=4))
    assert tokens.of_person(own, alice) == "old"
    Account.objects.update(expires=timezone.now())
    with pytest.raises(Unavailable):
        tokens.of_person(own, alice)
    account.refresh_from_db()
    assert (account.state, account.refreshing) == ("connected", None)


def test_grant_that_was_taken_back_waits_for_reconnecting(
    account: Account, own: Connection, alice: User, cloud: Cloud
) -> None:
    cloud.tokens.withdraw(account.refresh_token)
    with pytest.raises(Unauthenticated, match="reconnect") as caught:
        tokens.of_person(own, alice)
    assert caught.value.params["link"] == f"/connections/{own.pk}/connect/"
    account.refresh_from_db()
    assert (account.state, account.access_token, account.refresh_token) == ("reconnect", "", "")
    assert Entry.objects.filter(event="account.reconnect", person=None).count() == 1
    with pytest.raises(Unauthenticated, match="reconnect"):
        tokens.of_person(own, alice)
    assert cloud.tokens.refreshes == 1


def test_client_that_is_refused_is_no_fault_of_the_account(
    account: Account, own: Connection, alice: User, cloud: Cloud
) -> None:
    cloud.tokens.client_secret = "changed at Google"
    with pytest.raises(Unauthenticated, match="oauth_client_refused"):
        tokens.of_person(own, alice)
    account.refresh_from_db()
    assert account.is_connected


def test_nobodys_account_is_to_be_connected(own: Connection) -> None:
    with pytest.raises(Unauthenticated, match="connect_account"):
        tokens.of_person(own, UserFactory())


def test_service_accounts_token_is_had_once_and_again_when_it_ends(cloud: Cloud, alice: User) -> None:
    made = Connection(kind="gemini", name="Shared", base_url=cloud.url, proof="service_account")
    made.service_account = read_key(json.dumps(cloud.tokens.service_account(cloud.url)), cloud.url)
    made.save()
    token = made.settings_for(alice).token
    assert token
    first = token()
    assert (first.startswith("ya29."), token(), cloud.tokens.assertions) == (True, first, 1)
    made.service_account = read_key(json.dumps(cloud.tokens.service_account(cloud.url)), cloud.url)
    made.save()
    assert made.settings_for(alice).token() != first


def test_service_account_that_is_switched_off_is_told(cloud: Cloud, alice: User) -> None:
    made = Connection(kind="gemini", name="Shared", base_url=cloud.url, proof="service_account")
    made.service_account = read_key(json.dumps(cloud.tokens.service_account(cloud.url)), cloud.url)
    made.save()
    cloud.tokens.service_account(cloud.url)  # another key in its place
    with pytest.raises(Unauthenticated, match="service_account_refused"):
        made.settings_for(alice).token()


ONE = """
import django; django.setup()
from dashboard.accounts.models import User
from dashboard.connections import tokens
from dashboard.connections.models import Connection
print("ready", flush=True); input()
print(tokens.of_person(Connection.objects.get(name="Own"), User.objects.get(email="alice@example.com")))
"""


@pytest.mark.django_db(transaction=True)
def test_two_processes_send_one_refresh(account: Account, cloud: Cloud, tmp_path: Path) -> None:
    cloud.tokens.seconds = 0.5  # so that the other one comes meanwhile
    database = shared_database(tmp_path)
    two = [process(database) for _ in range(2)]
    for each in two:
        assert each.stdout
        assert each.stdout.readline() == "ready\n"
    said = []
    for each in two:
        assert each.stdin
        each.stdin.write("\n")
        each.stdin.flush()
    said = [each.communicate(timeout=60)[0] for each in two]
    assert said[0].startswith("ya29.")
    assert said[0] == said[1]
    assert cloud.tokens.refreshes == 1


def shared_database(folder: Path) -> str:
    """The tests' database as other processes can open it: SQLite's is in this one's memory."""
    if url := os.environ.get("TESTS_DATABASE_URL"):
        return urlsplit(url)._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    connection.ensure_connection()
    with closing(sqlite3.connect(folder / "copy.sqlite3")) as copy:
        connection.connection.backup(copy)
    return f"sqlite:///{folder / 'copy.sqlite3'}"


def process(database: str) -> subprocess.Popen[str]:
    """One that asks for Alice's token when it is told to."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "dashboard.settings", "DATABASE_URL": database}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", ONE], cwd=ROOT, env=environment, text=True, **pipes)
