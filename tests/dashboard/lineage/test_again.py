"""Running a job exactly again, with a real tuning server and the tiny model: the curve is the same to the last bit."""

import io
import json
import zipfile
from typing import cast

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from dashboard.accounts.models import User
from dashboard.audit.models import Entry
from dashboard.connections.models import Connection
from dashboard.datasets.models import Dataset
from dashboard.jobs.models import Job
from dashboard.library.models import Grant, Role
from tests.factories import DatasetFactory, JobFactory, UserFactory
from tests.processes import TuningServer, wait_until
from tuning import curves
from tuning.jobs import JobState

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("server")]


def ended(job: Job) -> bool:
    Job.objects.update(synced_at=None)
    job.refresh_quietly()
    job.refresh_from_db()
    return job.is_final


def started(answer: HttpResponse) -> Job:
    """The job whose page ``answer`` leads to."""
    assert answer.status_code == 302, answer.content.decode()
    return Job.objects.get(pk=int(answer["Location"].split("/")[-2]))


def tuned(browser: Client, dataset: Dataset, **changes: object) -> Job:
    said: dict[str, object] = {"dataset": dataset.pk, "target": f"{Connection.objects.local().pk}:models/tiny-llama"}
    said |= {"display_name": "Numbers", "epoch_count": 3, "batch_size": 4, "learning_rate": 0.0013, "seed": 7}
    job = started(cast(HttpResponse, browser.post("/jobs/new/", said | changes)))
    assert wait_until(lambda: ended(job))
    assert job.state == JobState.SUCCEEDED
    return job


def losses(job: Job) -> tuple[bytes, bytes]:
    series = curves.arrays(job.series())
    return series.steps.tobytes(), series.values.tobytes()


def downloaded(browser: Client, job: Job) -> bytes:
    answer = browser.get(f"/lineage/jobs/{job.pk}/bundle/")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def upload(browser: Client, content: bytes, name: str = "run.zip") -> HttpResponse:
    said = {"file": SimpleUploadedFile(name, content), "connection": Connection.objects.local().pk}
    return cast(HttpResponse, browser.post("/lineage/import/", said))


def test_a_job_is_run_exactly_again(browser: Client, alice: User) -> None:
    job = tuned(browser, DatasetFactory(owner=alice), dropout=0.1, validation="0.2")
    assert "Run exactly again" in browser.get(f"/jobs/{job.pk}/").text
    again = started(cast(HttpResponse, browser.post(f"/lineage/jobs/{job.pk}/again/")))
    assert again.pk != job.pk
    assert started(cast(HttpResponse, browser.post(f"/lineage/jobs/{job.pk}/again/"))) == again  # pressed twice
    assert wait_until(lambda: ended(again))
    assert losses(again) == losses(job)
    assert again.recipe == job.recipe
    page = browser.get(f"/jobs/{again.pk}/").text
    assert "The same curve, to the last bit" in page
    assert f'<a href="/jobs/{job.pk}/">Numbers</a>' in page
    assert list(Entry.objects.filter(event="job.run_again").values_list("who", flat=True)) == ["alice@example.com"]


def test_a_bundle_runs_where_nothing_of_it_is_known(browser: Client, client: Client, alice: User) -> None:
    job = tuned(browser, DatasetFactory(owner=alice, name="Pairs"))
    content = downloaded(browser, job)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        said = json.loads(archive.read("bundle.json"))
        assert archive.read("data.jsonl") == job.dataset_version.path.read_bytes()
    assert said["recipe"]["seed"] == 7
    assert said["data"]["sha256"] == job.dataset_version.sha256
    assert said["conditions"]["engine"].startswith("torch ")
    assert said["conditions"]["server"]
    assert said["conditions"]["threads"] > 0

    bob = UserFactory()
    client.force_login(bob)
    again = started(upload(client, content))
    assert (again.owner, again.dataset_version.dataset.name) == (bob, "Pairs")
    assert again.dataset_version.dataset.owner == bob
    assert wait_until(lambda: ended(again))
    assert losses(again) == losses(job)
    assert "The same curve, to the last bit" in client.get(f"/jobs/{again.pk}/").text


def test_a_bundle_says_what_the_job_was_computed_with_and_not_what_is_there_now(browser: Client, alice: User) -> None:
    job = tuned(browser, DatasetFactory(owner=alice))
    assert job.conditions["engine"].startswith("torch ")
    then = {"server": "0.0.9", "engine": "torch 2.12.1", "threads": 3}
    Job.objects.update(conditions=then)
    with zipfile.ZipFile(io.BytesIO(downloaded(browser, job))) as archive:
        assert json.loads(archive.read("bundle.json"))["conditions"] == then


def test_the_settings_alone_do_where_the_examples_are_here(browser: Client, alice: User) -> None:
    job = tuned(browser, DatasetFactory(owner=alice))
    with zipfile.ZipFile(io.BytesIO(downloaded(browser, job))) as archive:
        text = archive.read("bundle.json")
    again = started(upload(browser, text, "bundle.json"))
    assert again.dataset_version == job.dataset_version
    assert Dataset.objects.count() == 1
    assert wait_until(lambda: ended(again))
    assert losses(again) == losses(job)


def test_another_seed_is_another_curve_and_is_said_to_be(browser: Client, alice: User) -> None:
    job = tuned(browser, DatasetFactory(owner=alice))
    with zipfile.ZipFile(io.BytesIO(downloaded(browser, job))) as archive:
        said = json.loads(archive.read("bundle.json"))
    said["recipe"]["seed"] = 8
    again = started(upload(browser, json.dumps(said).encode(), "bundle.json"))
    assert "its losses are compared" in browser.get(f"/jobs/{again.pk}/").text
    assert wait_until(lambda: ended(again))
    assert losses(again) != losses(job)
    assert "Another curve" in browser.get(f"/jobs/{again.pk}/").text


def test_a_reader_takes_the_settings_and_never_the_examples(
    browser: Client, client: Client, alice: User, server: TuningServer
) -> None:
    job = tuned(browser, DatasetFactory(owner=alice, name="Pairs"))
    reader = UserFactory(email="reader@example.com")
    Grant.objects.create(model=job.library_model, person=reader, role=Role.READER)
    client.force_login(reader)
    assert client.post(f"/lineage/jobs/{job.pk}/again/").status_code == 403
    # At the service, which judges each question, it is shared too.
    key, grant = server.api_key(alice.email), {"granteeType": "USER", "emailAddress": reader.email, "role": "READER"}
    server.post(f"/v1beta/{job.model}/permissions", key, json=grant)
    content = downloaded(client, job)
    assert zipfile.ZipFile(io.BytesIO(content)).namelist() == ["bundle.json"]
    assert "are not here" in upload(client, content).content.decode()
    assert "Run exactly again" not in client.get(f"/jobs/{job.pk}/").text


def test_what_cannot_be_run_again_offers_nothing(browser: Client, alice: User, server: TuningServer) -> None:
    failed = JobFactory(owner=alice, state=JobState.FAILED)
    absent = JobFactory(owner=alice, state=JobState.SUCCEEDED)
    Dataset.objects.filter(pk=absent.dataset_version.dataset_id).update(absent=True)
    strange = JobFactory(state=JobState.SUCCEEDED)
    for job in (failed, absent, strange):
        assert browser.get(f"/lineage/jobs/{job.pk}/bundle/").status_code == 404
        assert browser.post(f"/lineage/jobs/{job.pk}/again/").status_code == 404
    assert "Download the bundle" not in browser.get(f"/jobs/{failed.pk}/").text


def test_strangers_are_asked_to_sign_in(client: Client, alice: User) -> None:
    job = JobFactory(owner=alice, state=JobState.SUCCEEDED)
    for answer in (
        client.get("/lineage/import/"),
        client.get(f"/lineage/jobs/{job.pk}/bundle/"),
        client.post(f"/lineage/jobs/{job.pk}/again/"),
    ):
        assert answer.status_code == 302
        assert "/sign-in/" in answer["Location"]
