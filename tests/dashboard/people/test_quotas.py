"""Limits: jobs at once and bytes of datasets, wherever jobs and datasets are made."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from dashboard.accounts.models import User
from dashboard.datasets.models import Dataset, Upload
from dashboard.jobs.models import Job
from dashboard.people.models import Allowance
from dashboard.sweeps.models import Sweep
from tests.factories import DatasetFactory, JobFactory, UserFactory
from tests.scripted import answer, scripted
from tuning.jobs import JobState

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_server")]

SAID = {"epoch_count": 5, "batch_size": 4, "learning_rate": 0.001, "display_name": "More"}


@pytest.fixture
def source(alice: User) -> Job:
    """A job that is done, to be tuned further: its form asks no service."""
    job: Job = JobFactory(owner=alice, state=JobState.SUCCEEDED, model="tunedModels/source")
    return job


def form_of(source: Job, **said: object) -> dict[str, object]:
    return {**SAID, "dataset": source.dataset_version.dataset_id, "further": source.pk, **said}


def allow(person: User, **limits: int) -> None:
    Allowance.objects.update_or_create(person=person, defaults=limits)


def unfinished(person: User) -> int:
    return Job.objects.unfinished().filter(owner=person).count()


def test_one_job_too_many_is_refused_and_said_why(browser: Client, alice: User, source: Job) -> None:
    allow(alice, jobs=2)
    for _ in range(2):
        assert browser.post("/jobs/new/", form_of(source)).status_code == 302
    page = browser.post("/jobs/new/", form_of(source))
    assert "No more jobs at once: 2 of 2 are queued or running" in page.text
    assert "Administrators can raise the limit" in page.text
    assert 'value="More"' in page.text
    assert unfinished(alice) == 2


def test_job_that_ended_makes_room(browser: Client, alice: User, source: Job) -> None:
    allow(alice, jobs=1)
    browser.post("/jobs/new/", form_of(source))
    Job.objects.unfinished().get().cancel()
    assert browser.post("/jobs/new/", form_of(source)).status_code == 302


def test_everybodys_limit_counts_for_each_person(browser: Client, alice: User, source: Job, settings: Settings) -> None:
    settings.JOBS_AT_ONCE = 1
    JobFactory(owner=UserFactory(), state=JobState.RUNNING)
    assert browser.post("/jobs/new/", form_of(source)).status_code == 302
    assert browser.post("/jobs/new/", form_of(source)).status_code == 200
    allow(alice, jobs=0)
    assert browser.post("/jobs/new/", form_of(source)).status_code == 302


def test_form_that_is_sent_twice_is_one_job_within_the_limit(browser: Client, alice: User, source: Job) -> None:
    allow(alice, jobs=1)
    answers = {browser.post("/jobs/new/", form_of(source, key="k" * 32))["Location"] for _ in range(2)}
    assert len(answers) == 1


def test_sweep_is_made_whole_or_not_at_all(browser: Client, alice: User, source: Job) -> None:
    allow(alice, jobs=3)
    said = form_of(source, learning_rate="0.001, 0.002", epoch_count="1..2")
    page = browser.post("/sweeps/new/", said).text
    assert "0 of 3 are queued or running, and 4 more would be too many" in page
    assert not Sweep.objects.exists()
    assert unfinished(alice) == 0
    allow(alice, jobs=4)
    assert browser.post("/sweeps/new/", said).status_code == 302
    assert unfinished(alice) == 4


def test_try_again_needs_room_too(browser: Client, alice: User) -> None:
    allow(alice, jobs=1)
    failed = JobFactory(owner=alice, state=JobState.FAILED)
    JobFactory(owner=alice, dataset_version=failed.dataset_version, state=JobState.RUNNING)
    page = browser.post(f"/jobs/{failed.pk}/retry/", follow=True).text
    assert "No more jobs at once" in page
    failed.refresh_from_db()
    assert failed.state == JobState.FAILED


def test_try_again_as_a_new_job_needs_room_too(browser: Client, alice: User) -> None:
    allow(alice, jobs=1)
    failed = JobFactory(owner=alice, state=JobState.FAILED, ref="")
    JobFactory(owner=alice, dataset_version=failed.dataset_version, state=JobState.RUNNING)
    assert "No more jobs at once" in browser.post(f"/jobs/{failed.pk}/retry/", follow=True).text
    assert Job.objects.count() == 2


def test_lowered_limit_takes_nothing_away(browser: Client, alice: User, source: Job) -> None:
    running = JobFactory(owner=alice, dataset_version=source.dataset_version, state=JobState.RUNNING)
    allow(alice, jobs=1)
    running.refresh_from_db()
    assert running.state == JobState.RUNNING


def megabyte(rows: int = 1) -> SimpleUploadedFile:
    """A file whose examples take ``rows`` times 0.4 MB."""
    lines = [json.dumps({"text_input": f"{n} {'x' * 30_000}", "output": "y" * 4_000}) for n in range(12 * rows)]
    return SimpleUploadedFile("big.jsonl", "\n".join(lines).encode())


def test_dataset_beyond_the_limit_is_refused_beside_its_field(browser: Client, alice: User) -> None:
    allow(alice, storage_mb=1)
    assert browser.post("/datasets/new/", {"file": megabyte()}).status_code == 302
    page = browser.post("/datasets/new/", {"file": megabyte(3)}).text
    assert "No room for it: 0.4 of 1 MB for datasets are used, and this takes 1.2 MB" in page
    assert Dataset.objects.count() == 1


def test_next_version_beyond_the_limit_is_refused(browser: Client, alice: User) -> None:
    allow(alice, storage_mb=1)
    dataset = DatasetFactory(owner=alice)
    assert "No room for it" in browser.post(f"/datasets/{dataset.pk}/upload/", {"file": megabyte(3)}).text
    assert dataset.versions.count() == 1


def test_administrators_version_counts_for_the_datasets_owner(client: Client, alice: User) -> None:
    allow(alice, storage_mb=1)
    dataset = DatasetFactory(owner=alice)
    client.force_login(UserFactory(administrator=True))
    assert "No room for it" in client.post(f"/datasets/{dataset.pk}/upload/", {"file": megabyte(3)}).text


def test_file_whose_columns_are_chosen_waits_until_there_is_room(browser: Client, alice: User) -> None:
    rows = "\n".join(f"{n}{'x' * 30_000},{'y' * 4_000}" for n in range(36))
    place = browser.post("/datasets/new/", {"file": SimpleUploadedFile("f.csv", f"Frage,Antwort\n{rows}\n".encode())})[
        "Location"
    ]
    allow(alice, storage_mb=1)
    chosen = {"text_input": 0, "output": 1}
    assert "No room for it" in browser.post(place, chosen).text
    assert Upload.objects.exists()
    allow(alice, storage_mb=2)
    assert browser.post(place, chosen).status_code == 302
    assert Dataset.objects.count() == 1


def test_examples_of_a_pasted_request_need_room(browser: Client, alice: User) -> None:
    allow(alice, storage_mb=1)
    browser.post("/datasets/new/", {"file": megabyte(2)})
    examples = [{"textInput": f"{n} {'x' * 30_000}", "output": "y"} for n in range(20)]
    asked = {"displayName": "P", "tuningTask": {"trainingData": {"examples": {"examples": examples}}}}
    page = browser.post("/jobs/new/paste/", {"text": json.dumps(asked)}).text
    assert "No room for it" in page
    assert Dataset.objects.count() == 1


def test_sample_that_has_no_room_is_no_breakdown(browser: Client, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.people.quotas.MEBIBYTE", 100)
    allow(alice, storage_mb=1)
    answered = browser.get("/datasets/")
    slug = answered.context["samples"][0].slug
    refused = browser.post(f"/datasets/samples/{slug}/")
    assert refused.status_code == 429
    assert "No room for it" in refused.text


def test_same_examples_once_more_take_no_room(browser: Client, alice: User) -> None:
    dataset = DatasetFactory(owner=alice)
    allow(alice, storage_mb=1)
    browser.post(f"/datasets/{dataset.pk}/upload/", {"file": megabyte(2)})
    assert browser.post(f"/datasets/{dataset.pk}/upload/", {"file": megabyte(2)}).status_code == 302
    assert dataset.versions.count() == 2


def test_job_that_is_tried_again_anew_is_sent_within_the_limit(
    browser: Client, alice: User, settings: Settings
) -> None:
    allow(alice, jobs=1)
    failed = JobFactory(owner=alice, state=JobState.FAILED, failure_code="gone")
    gone = {"error": {"code": 404, "message": "no such job", "status": "NOT_FOUND"}}
    made = {"name": "tunedModels/again/operations/o"}
    with scripted(answer(404, gone), answer(200, {}), answer(200, made)) as service:
        settings.TUNING_SERVER_URL = service.url
        browser.post(f"/jobs/{failed.pk}/retry/")
    assert unfinished(alice) == 1
