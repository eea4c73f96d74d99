"""What people do in the rooms stands in the log, and nothing that is secret does."""

from io import BytesIO
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from dashboard.accounts.models import User
from dashboard.accounts.tries import TRIES_FROM_ONE_ADDRESS
from dashboard.accounts.welcome import issue_link
from dashboard.audit import tasks
from dashboard.audit.models import Entry
from dashboard.connections.models import Connection
from dashboard.datasets.models import Dataset
from dashboard.jobs.models import Job
from dashboard.messages import explain_entry
from dashboard.presets.models import Preset
from tests.factories import PASSWORD, DatasetFactory, JobFactory, UserFactory
from tests.processes import TuningServer
from tests.scripted import answer, scripted
from tuning.jobs import JobState

pytestmark = pytest.mark.django_db

LONG = 500
"""Epochs: such a job does not end by itself while it is looked at."""


@pytest.fixture(autouse=True)
def nothing_yet(db: None) -> None:
    cache.clear()


def told() -> list[str]:
    """All entries, the first first: event and who."""
    return [f"{entry.event} {entry.who}".strip() for entry in Entry.objects.order_by("pk")]


def events() -> list[str]:
    return list(Entry.objects.order_by("pk").values_list("event", flat=True))


def everything() -> str:
    return repr(list(Entry.objects.values()))


def test_coming_and_going(client: Client, alice: User) -> None:
    client.post("/sign-in/", {"email": "alice@example.com", "password": PASSWORD}, REMOTE_ADDR="192.0.2.7")
    client.post("/account/", {"name": "Alice B."})
    client.post("/sign-out/")
    assert told() == [f"person.{verb} alice@example.com" for verb in ("signed_in", "renamed", "signed_out")]
    assert Entry.objects.order_by("pk").values_list("address", flat=True)[0] == "192.0.2.7"
    client.post("/sign-out/")
    assert len(told()) == 3


def test_tries_that_fail_name_who_was_meant_and_keep_no_password(client: Client, alice: User) -> None:
    client.post("/sign-in/", {"email": "ALICE@example.com", "password": "guessed-1"})
    client.post("/sign-in/", {"email": "my-pass@word.example", "password": "guessed-2"})
    known, unknown = Entry.objects.order_by("pk")
    assert (known.event, known.name, known.who) == ("person.sign_in_failed", "alice@example.com", "")
    assert (unknown.name, unknown.kind, len(unknown.facts["typed"])) == ("", "", 12)
    assert not any(secret in everything() for secret in ("guessed", "my-pass"))


def test_tries_that_are_refused_are_told_of_once(client: Client, alice: User) -> None:
    for _ in range(TRIES_FROM_ONE_ADDRESS + 5):
        client.post("/sign-in/", {"email": alice.email, "password": "guess"})
    assert events() == ["person.sign_in_failed"] * TRIES_FROM_ONE_ADDRESS + ["person.sign_in_blocked"]


def test_first_person_and_passwords(client: Client, settings: Settings) -> None:
    link = issue_link()
    assert link
    token = link.rstrip("/").rpartition("/")[2]
    said = {"name": "Root", "email": "root@example.com", "password1": PASSWORD, "password2": PASSWORD}
    client.post(f"/welcome/{token}/", said)
    new = "another horse battery"
    client.post("/account/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    client.post("/account/sign-out-everywhere/")
    assert events() == ["person.created", "person.password_changed", "person.signed_out_everywhere"]
    assert not any(secret in everything() for secret in (token, PASSWORD, new))


def test_datasets(browser: Client, alice: User) -> None:
    file = BytesIO(b"text_input,output\nsecret question,secret answer\n")
    file.name = "pairs.csv"
    browser.post("/datasets/new/", {"name": "Pairs", "file": file})
    dataset = Dataset.objects.get()
    file = BytesIO(b"text_input,output\nanother secret,secret answer\n")
    file.name = "pairs.csv"
    browser.post(f"/datasets/{dataset.pk}/upload/", {"file": file})
    browser.post(f"/datasets/{dataset.pk}/rename/", {"name": "Couples"})
    b"".join(browser.get(f"/datasets/{dataset.pk}/v1/download/"))
    browser.head(f"/datasets/{dataset.pk}/v1/download/")
    browser.post(f"/datasets/{dataset.pk}/delete/")
    sentences = [explain_entry(one.event, one.name, one.facts) for one in Entry.objects.order_by("pk")]
    assert sentences == [
        "Created the dataset “Pairs”, 1 examples",
        "Added version 2 to the dataset “Pairs”, 1 examples",
        "Renamed the dataset “Pairs” to “Couples”",
        "Downloaded version 1 of the dataset “Couples”",
        "Deleted the dataset “Couples”",
    ]
    assert "secret" not in everything()


def test_dataset_that_cannot_go_is_not_told_of_as_gone(browser: Client, alice: User) -> None:
    job = JobFactory(owner=alice)
    browser.post(f"/datasets/{job.dataset_version.dataset_id}/delete/")
    assert "dataset.deleted" not in events()


def test_jobs(browser: Client, alice: User, server: TuningServer) -> None:
    target = f"{Connection.objects.local().pk}:models/tiny-llama"
    said = {"dataset": DatasetFactory(owner=alice).pk, "target": target, "display_name": "Numbers"}
    browser.post("/jobs/new/", said | {"epoch_count": LONG, "batch_size": 4, "learning_rate": 0.001})
    job = Job.objects.get()
    browser.post(f"/jobs/{job.pk}/notes/", {"notes": "my secret plan"})
    browser.post(f"/jobs/{job.pk}/tags/", {"add": "first"})
    browser.post(f"/jobs/{job.pk}/cancel/")
    b"".join(browser.get(f"/jobs/{job.pk}/series.csv"))
    browser.post(f"/jobs/{job.pk}/delete/")
    verbs = ("created", "noted", "tagged", "cancelled", "series_exported", "deleted")
    assert told() == [f"job.{verb} alice@example.com" for verb in verbs]
    assert {entry.key for entry in Entry.objects.all()} == {str(job.pk)}
    assert "secret" not in everything()


def test_job_that_its_service_refuses(browser: Client, alice: User, settings: Settings) -> None:
    models = {"models": [{"name": "models/tiny-llama", "supportedGenerationMethods": ["createTunedModel"]}]}
    refusal = {"error": {"code": 400, "message": "batch too odd", "status": "INVALID_ARGUMENT"}}
    said = {"dataset": DatasetFactory(owner=alice).pk, "target": f"{Connection.objects.local().pk}:models/tiny-llama"}
    with scripted(answer(200, models), answer(400, refusal)) as service:
        settings.TUNING_SERVER_URL = service.url
        said |= {"display_name": "Odd", "epoch_count": 5, "batch_size": 4, "learning_rate": 0.001}
        browser.post("/jobs/new/", said)
    assert events() == ["job.created", "job.refused"]


@pytest.mark.usefixtures("no_server")
def test_what_is_done_to_many_is_told_of_each(browser: Client, alice: User) -> None:
    jobs = [JobFactory(owner=alice, ref="", state=JobState.QUEUED, display_name=f"Job {n}") for n in (1, 2)]
    keys = [job.pk for job in jobs]
    browser.post("/jobs/bulk/", {"action": "tag", "tag": "old", "job": keys})
    browser.post("/jobs/bulk/", {"action": "cancel", "job": keys, "sure": "on"})
    browser.post("/jobs/bulk/", {"action": "delete", "job": keys, "sure": "on"})
    assert sorted(events()) == sorted(["job.tagged", "job.cancelled", "job.deleted"] * 2)
    assert set(Entry.objects.filter(event="job.deleted").values_list("name", flat=True)) == {"Job 1", "Job 2"}


def test_presets(browser: Client, alice: User) -> None:
    said = {"name": "Quick", "epoch_count": 5, "batch_size": 4, "learning_rate": 0.001}
    browser.post("/presets/new/", said)
    preset = Preset.objects.get()
    browser.post(f"/presets/{preset.pk}/", said | {"name": "Quicker"})
    browser.post(f"/presets/{preset.pk}/delete/")
    entries = Entry.objects.order_by("pk").values_list("event", "name")
    assert list(entries) == [("preset.created", "Quick"), ("preset.changed", "Quicker"), ("preset.deleted", "Quicker")]


def test_keys_and_their_use(client: Client, server: TuningServer) -> None:
    person = UserFactory(email=f"{uuid4().hex}@example.com")
    client.force_login(person)
    key = client.post("/account/keys/", {"name": "laptop"}).context["created"]
    tasks.note_key_use.call_local()
    assert events() == ["key.created"]
    assert server.get("/v1beta/tunedModels", headers={"x-goog-api-key": key.text}).status_code == 200
    tasks.note_key_use.call_local()
    tasks.note_key_use.call_local()
    client.post(f"/account/keys/{key.id}/revoke/")
    assert told() == [f"key.{verb} {person.email}" for verb in ("created", "used", "revoked")]
    assert key.text not in everything()
    assert set(Entry.objects.values_list("name", flat=True)) == {"laptop"}


def test_the_use_of_keys_is_not_known_while_the_server_is_away(alice: User, no_server: None) -> None:
    tasks.note_key_use.call_local()
    assert events() == []


def test_a_webhook_is_told_of_by_its_host_alone(browser: Client, settings: Settings) -> None:
    settings.WEBHOOK_INTERNAL_HOSTS = ["localhost"]
    page = browser.post("/notices/settings/webhook/", {"url": "https://localhost/hook/my-token?key=secret"})
    browser.post("/notices/settings/webhook/secret/")
    browser.post("/notices/settings/webhook/remove/")
    assert events() == ["webhook.set", "webhook.renewed", "webhook.removed"]
    assert Entry.objects.order_by("pk")[0].facts == {"host": "localhost"}
    assert page.context["secret"] not in everything()
    assert "my-token" not in everything()


def test_what_was_kept_long_enough_goes_by_whole_days(alice: User, settings: Settings) -> None:
    settings.AUDIT_KEPT_DAYS = 0
    Entry.objects.create(event="person.signed_in", time="2020-01-01T00:00:00Z")
    tasks.sweep.call_local()
    assert events() == ["person.signed_in"]
    settings.AUDIT_KEPT_DAYS = 30
    tasks.sweep.call_local()
    assert events() == ["audit.swept"]
