"""The room: what administrators set up, what is refused, and who sees what."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from dashboard.accounts.models import User
from dashboard.audit.models import Entry
from dashboard.connections import removing, tasks
from dashboard.connections.models import Account, Connection, askable
from dashboard.jobs.models import Job
from dashboard.library.models import TunedModel
from dashboard.teams.models import Team
from tests.factories import JobFactory, TunedModelFactory, UserFactory
from tests.google.cloud import Cloud
from tests.processes import TuningServer
from tuning.errors import PermissionDenied

pytestmark = pytest.mark.django_db


def said(**more: Any) -> dict[str, Any]:
    return {"name": "Gemini", "proof": "secret", "secret": "AIza-key", "access": "everybody", **more}


def new(client: Client, **more: Any) -> HttpResponse:
    return client.post("/connections/new/gemini/", said(**more))


def file(content: object, name: str = "key.json") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content if isinstance(content, bytes) else json.dumps(content).encode())


def test_connection_is_set_up_and_its_key_is_not_shown(administrator: Client) -> None:
    made = new(administrator, project="counted-here")
    connection = Connection.objects.get(name="Gemini")
    assert made["Location"] == f"/connections/{connection.pk}/"
    assert (connection.kind, connection.secret, connection.project) == ("gemini", "AIza-key", "counted-here")
    assert "AIza-key" not in administrator.get(f"/connections/{connection.pk}/edit/").text
    assert Entry.objects.filter(event="connection.created").exists()


def test_kept_key_stays_where_none_is_given(administrator: Client) -> None:
    new(administrator)
    pk = Connection.objects.get(name="Gemini").pk
    assert administrator.post(f"/connections/{pk}/edit/", said(secret="", name="Google")).status_code == 302
    connection = Connection.objects.get(pk=pk)
    assert (connection.name, connection.secret) == ("Google", "AIza-key")
    assert Entry.objects.get(event="connection.changed").facts == {"fields": "name"}


def test_changed_address_asks_for_the_key_anew(administrator: Client) -> None:
    new(administrator)
    pk = Connection.objects.get(name="Gemini").pk
    page = administrator.post(f"/connections/{pk}/edit/", said(secret="", base_url="https://elsewhere.example"))
    assert "what is kept goes to no other" in page.text
    assert Connection.objects.get(pk=pk).base_url == ""


@pytest.mark.parametrize(
    "address",
    [
        "http://gemini.example.com",
        "http://10.0.0.5",
        "https://user:password@example.com",
        "ftp://example.com",
        "https://example.com/?key=1",
        "https://example.com/#x",
        "https://169.254.169.254/computeMetadata/v1",
        "https://metadata.google.internal/",
        "https://[::ffff:169.254.169.254]/",
        "https://2852039166/",
        "https://exa mple.com",
        "https://example.com\\@evil.example",
        "javascript:alert(1)",
        "https://",
    ],
)
def test_address_that_leads_nowhere_good_is_refused(administrator: Client, address: str) -> None:
    assert new(administrator, base_url=address).status_code == 200
    assert not Connection.objects.filter(name="Gemini").exists()


@pytest.mark.parametrize("address", ["https://10.0.0.5:8443/gemini/", "http://127.0.0.1:9/", "https://gpu"])
def test_address_of_ones_own_is_taken(administrator: Client, address: str) -> None:
    new(administrator, base_url=address)
    assert Connection.objects.get(name="Gemini").base_url == address.rstrip("/")


def test_other_tuning_server_has_a_secret_of_its_own(administrator: Client, alice: User, settings: Any) -> None:
    form = {"name": "GPU", "base_url": "http://10.0.0.5:8001", "access": "everybody"}
    assert "required" in administrator.post("/connections/new/local/", form).text
    administrator.post("/connections/new/local/", form | {"secret": "theirs" * 8})
    settings_there = Connection.objects.get(name="GPU").settings_for(alice)
    assert settings_there.secret == "theirs" * 8
    assert Connection.objects.local().settings_for(alice).secret == settings.TUNING_SECRET


def test_service_accounts_key_is_kept_without_what_is_not_needed(administrator: Client, cloud: Cloud) -> None:
    key = cloud.tokens.service_account("https://oauth2.googleapis.com") | {"more": "x"}
    new(administrator, proof="service_account", secret="", service_account=file(key))
    connection = Connection.objects.get(name="Gemini")
    assert "more" not in json.loads(connection.service_account)
    page = administrator.get(f"/connections/{connection.pk}/").text
    assert key["client_email"] in page
    assert key["private_key"][40:80] not in page


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "authorized_user"},
        {"token_uri": "https://evil.example/token"},
        {"token_uri": "http://oauth2.googleapis.com/token"},
        {"token_uri": "https://oauth2.googleapis.com.evil.example/token"},
        {"private_key": "no key"},
        {"client_email": ""},
    ],
)
def test_key_that_would_go_elsewhere_is_refused(administrator: Client, cloud: Cloud, changes: dict[str, str]) -> None:
    key = cloud.tokens.service_account("https://oauth2.googleapis.com") | changes
    page = new(administrator, proof="service_account", secret="", service_account=file(key))
    assert "no JSON key of a service account" in page.text


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b"null", b"{}", b"1" * 30_000])
def test_file_that_is_no_key_is_refused(administrator: Client, content: bytes) -> None:
    page = new(administrator, proof="service_account", secret="", service_account=file(content))
    assert (page.status_code, Connection.objects.filter(name="Gemini").exists()) == (200, False)


def test_client_secret_is_read_as_it_is_downloaded(administrator: Client) -> None:
    web = {"client_id": "x.apps.googleusercontent.com", "client_secret": "GOCSPX-x"}
    web |= {"auth_uri": "https://accounts.google.com/o/oauth2/auth", "token_uri": "https://oauth2.googleapis.com/token"}
    new(administrator, proof="own", secret="", oauth_client=file({"web": web}))
    assert Connection.objects.get(name="Gemini").wants_account
    evil = {"web": web | {"token_uri": "https://evil.example/token"}}
    page = new(administrator, name="Evil", proof="own", secret="", oauth_client=file(evil))
    assert "no client_secret.json" in page.text


def test_own_accounts_take_a_client(administrator: Client) -> None:
    assert "Nobody signs in by Google here" in new(administrator, proof="own", secret="").text


@pytest.mark.parametrize(
    ("issuer", "base_url", "serves"),
    [
        ("https://accounts.google.com", "", True),
        ("https://accounts.google.com", "https://gemini.example.com", True),
        ("https://sso.example.com", "", False),
        ("https://sso.example.com", "https://gemini.example.com", False),
        ("https://gemini.example.com/realms/us", "https://gemini.example.com", True),
    ],
)
def test_client_of_the_sign_in_serves_where_its_provider_is_known(
    administrator: Client, settings: Any, issuer: str, base_url: str, serves: bool
) -> None:
    settings.OPENID_ISSUER, settings.OPENID_CLIENT_ID, settings.OPENID_CLIENT_SECRET = issuer, "us", "secret"
    refused = "Nobody signs in by Google here" in new(administrator, proof="own", secret="", base_url=base_url).text
    assert refused is not serves


def test_connection_is_offered_to_those_it_is_for(administrator: Client) -> None:
    bob, carol, dave = UserFactory(email="bob@example.com"), UserFactory(), UserFactory()
    team = Team.objects.create(name="Team")
    team.members.add(carol)
    new(administrator, access="chosen", teams=[team.pk], people="BOB@example.com")
    connection = Connection.objects.get(name="Gemini")
    for person, may in [(bob, True), (carol, True), (dave, False)]:
        assert (connection in Connection.objects.usable_by(person)) is may
        assert connection.may_be_used_by(person) is may
    client = Client()
    client.force_login(dave)
    assert client.get(f"/connections/{connection.pk}/").status_code == 404
    assert "Gemini" not in client.get("/connections/").text
    with pytest.raises(PermissionDenied, match="connection_closed"):
        connection.open_for(dave).base_models()


def test_stranger_cannot_be_chosen(administrator: Client) -> None:
    page = new(administrator, access="chosen", people="nobody@example.com")
    assert "Nobody here signs in with nobody@example.com." in page.text


def test_what_hangs_on_a_connection_goes_with_it(administrator: Client, own: Connection, account: Account) -> None:
    JobFactory(connection=own)
    TunedModelFactory(connection=own, job=JobFactory(connection=own))
    kept = JobFactory()
    assert "2" in administrator.get(f"/connections/{own.pk}/remove/").text
    administrator.post(f"/connections/{own.pk}/remove/")
    assert list(Job.objects.all()) == [kept]
    assert not Connection.objects.filter(pk=own.pk).exists()
    assert not Account.objects.exists()
    assert not TunedModel.objects.filter(connection_id=own.pk).exists()


def test_removal_that_takes_long_is_ended_by_the_worker(
    administrator: Client, own: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removing, "AT_ONCE", 1)
    monkeypatch.setattr(removing, "PATIENCE", timedelta(0))
    jobs = [JobFactory(connection=own, state="RUNNING") for _ in range(3)]
    page = administrator.post(f"/connections/{own.pk}/remove/", follow=True).text
    assert "is closed" in page
    assert f'href="/connections/{own.pk}/"' not in page
    assert administrator.get(f"/connections/{own.pk}/").status_code == 404
    assert Job.objects.filter(connection=own).count() == len(jobs) - 1
    with pytest.raises(PermissionDenied, match="connection_closed"):
        Connection.objects.get(pk=own.pk).open_for(jobs[0].owner).base_models()
    assert not Job.objects.filter(askable()).exists()
    tasks.sweep.call_local()
    assert not Connection.objects.filter(pk=own.pk).exists()
    assert not Job.objects.exists()
    assert Entry.objects.get(event="connection.removed").facts == {"jobs": 3, "models": 0}


def test_removal_takes_back_what_people_allowed(
    administrator: Client, own: Connection, account: Account, cloud: Cloud
) -> None:
    administrator.post(f"/connections/{own.pk}/remove/")
    assert cloud.tokens.revoked == [account.refresh_token]


def test_this_machines_own_is_not_removed(administrator: Client) -> None:
    local = Connection.objects.local()
    assert administrator.post(f"/connections/{local.pk}/remove/").status_code == 404
    administrator.post(f"/connections/{local.pk}/edit/", {"name": "Here", "access": "administrators"})
    assert Connection.objects.local().name == "Here"
    assert not Connection.objects.usable_by(UserFactory())


def test_test_says_line_by_line_what_is_there(administrator: Client, server: TuningServer) -> None:
    page = administrator.post(f"/connections/{Connection.objects.local().pk}/test/").text
    assert "The service answers." in page
    assert "Base models that can be tuned" in page
    assert Entry.objects.get(event="connection.tested").facts == {"missing": 0}


def test_test_says_that_nobody_answers(administrator: Client, no_server: None) -> None:
    page = administrator.post(f"/connections/{Connection.objects.local().pk}/test/").text
    assert "The service does not answer. It is down, or the network is." in page


def test_test_leads_to_connecting_the_account(administrator: Client, own: Connection) -> None:
    page = administrator.post(f"/connections/{own.pk}/test/").text
    assert "Your account is not connected." in page
    assert f'href="/connections/{own.pk}/connect/"' in page


@pytest.mark.usefixtures("no_server")
@pytest.mark.parametrize("path", ["/jobs/new/", "/playground/", "/jobs/import/", "/sweeps/new/"])
def test_page_that_offers_connections_says_which_account_is_wanting(
    browser: Client, own: Connection, path: str
) -> None:
    page = browser.get(path).text
    assert f'href="/connections/{own.pk}/connect/"' in page


def test_job_says_that_its_owner_is_to_reconnect(
    browser: Client, alice: User, own: Connection, account: Account
) -> None:
    job = JobFactory(owner=alice, connection=own, state="RUNNING", completed_steps=7)
    Account.objects.update(state="reconnect")
    page = browser.get(f"/jobs/{job.pk}/").text
    assert "Reconnect your Google account" in page
    job.refresh_from_db()
    assert (job.state, job.completed_steps) == ("RUNNING", 7)


def test_farewell_takes_back_what_the_person_allowed(alice: User, account: Account, cloud: Cloud, server: Any) -> None:
    from dashboard.people.farewells import go_on
    from dashboard.people.models import Farewell

    farewell = Farewell.objects.create(person=alice, by=UserFactory(administrator=True))
    go_on(farewell)
    farewell.refresh_from_db()
    assert farewell.finished
    assert cloud.tokens.revoked == [account.refresh_token]
    assert not Account.objects.exists()
