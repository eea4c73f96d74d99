"""A job of Vertex AI in the dashboard, from the form to its model, against the stand-in for Google Cloud."""

import pytest
from django.test import Client
from django.utils import timezone

from dashboard.accounts.models import User
from dashboard.audit.models import Entry
from dashboard.connections.models import Connection
from dashboard.jobs import tasks
from dashboard.jobs.models import Job
from tests.factories import DatasetFactory, JobFactory
from tests.google import faults, refusals
from tests.google.cloud import Cloud
from tests.google.storage import QUANTUM
from tuning.jobs import JobState

pytestmark = pytest.mark.django_db


def started(browser: Client, alice: User, vertex: Connection, **more: object) -> Job:
    """A job that was started with the form."""
    dataset = DatasetFactory(owner=alice)
    form = {
        "dataset": dataset.pk,
        "target": f"{vertex.pk}:gemini-2.5-flash",
        "display_name": "Numbers",
        "epoch_count": 2,
        "batch_size": 4,
        "learning_rate": 0.001,
        "validation": "0.2",
    }
    answer = browser.post("/jobs/new/", form | more)
    assert answer.status_code == 302, answer.text
    return Job.objects.latest("pk")


def refreshed(job: Job) -> Job:
    Job.objects.filter(pk=job.pk).update(synced_at=None)
    job.refresh_from_db()
    job.refresh_quietly()
    return job


def learnt(cloud: Cloud, job: Job) -> None:
    cloud.vertex.run(job.ref)
    cloud.vertex.learn(job.ref, [2.0, 1.0, 0.5], {3: 0.75})


def test_job_goes_from_the_form_to_an_answer(browser: Client, alice: User, vertex: Connection, cloud: Cloud) -> None:
    DatasetFactory(owner=alice)
    page = browser.get("/jobs/new/").text
    assert "Gemini 2.5 Flash, on Our project" in page
    job = started(browser, alice, vertex)
    assert job.ref in cloud.vertex.jobs
    learnt(cloud, job)
    assert refreshed(job).job_state is JobState.RUNNING
    assert (job.completed_steps, job.last_loss) == (3, 0.5)
    assert job.validation == [[3, 1, 0.75]]
    cloud.vertex.move(job.ref)
    assert refreshed(job).job_state is JobState.SUCCEEDED
    answer = browser.post("/playground/", {"target": f"{vertex.pk}:{job.model}", "prompt": "41"})
    assert "42" in answer.text


def test_page_tells_what_the_service_tells(
    browser: Client, alice: User, vertex: Connection, cloud: Cloud, settings
) -> None:
    settings.PRICES = {"vertex": 1000.0}
    job = started(browser, alice, vertex)
    learnt(cloud, job)
    cloud.vertex.move(job.ref)
    refreshed(job)
    page = browser.get(f"/jobs/{job.pk}/").text
    assert "https://console.cloud.google.com/vertex-ai/" in page
    assert "/export/" not in page
    assert f'hx-get="/jobs/{job.pk}/service/"' in page
    told = browser.get(f"/jobs/{job.pk}/service/").text
    assert "JOB_STATE_SUCCEEDED" in told
    assert "1.44" in told  # 2 epochs of 720 tokens, at 1,000 a million
    assert "After epoch 2" in told
    assert "After step 3, 87.5 % of the next tokens" in told


def test_services_silence_is_told_and_nothing_is_lost(
    browser: Client, alice: User, vertex: Connection, cloud: Cloud
) -> None:
    job = started(browser, alice, vertex)
    learnt(cloud, job)
    refreshed(job)
    for fault in (refusals.unauthenticated(), refusals.service_disabled(), refusals.internal(), faults.HTML):
        cloud.fault(fault, on="tuningJobs.get", times=9)
        assert 'class="notice warning"' in browser.get(f"/jobs/{job.pk}/service/").text
        assert (refreshed(job).job_state, job.completed_steps) == (JobState.RUNNING, 3)
        cloud.faults.clear()
    cloud.vertex.move(job.ref)
    assert refreshed(job).job_state is JobState.SUCCEEDED


def test_cancelling_is_told_as_heard_though_nothing_is_heard_after_it(
    browser: Client, alice: User, vertex: Connection, cloud: Cloud
) -> None:
    job = started(browser, alice, vertex)
    cloud.vertex.run(job.ref)
    cloud.fault(refusals.internal(), on="tuningJobs.get", times=9)
    page = browser.post(f"/jobs/{job.pk}/cancel/", follow=True)
    assert "is being cancelled" in page.text
    assert "broke down" in page.text
    assert Entry.objects.filter(event="job.cancelled").exists()
    cloud.faults.clear()
    cloud.vertex.move(job.ref, "JOB_STATE_CANCELLED")
    assert refreshed(job).job_state is JobState.CANCELLED


def test_many_examples_are_sent_by_the_worker_while_the_page_tells_how_far_they_are(
    browser: Client, alice: User, vertex: Connection, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuning.client.google_cloud.PIECE", QUANTUM)
    monkeypatch.setattr("tuning.providers.vertex.creating.PIECE", QUANTUM)
    monkeypatch.setattr("dashboard.jobs.underway.EVERY", 0.0)
    job = started(browser, alice, vertex, dataset=DatasetFactory(owner=alice, pairs=8_000).pk)
    assert (job.ref, job.sent, job.trouble) == ("", 0, {})
    assert not cloud.calls("storage.upload")
    page = browser.get(f"/jobs/{job.pk}/").text
    facts = page[page.index('id="live"') : page.index("</dl>")]
    assert "Learning rate" in facts
    assert ("of 0" in facts, "Batch size" in facts) == (False, False)  # Google chooses
    assert "sending the examples, 0 % are there" in page
    assert '<progress max="100" value="0"' in page
    before = job.fingerprint
    cloud.storage.breaks += [QUANTUM] + [0] * 9  # one piece arrives, then the line is dead
    tasks.send.func(job.pk)
    job.refresh_from_db()
    assert 0 < job.sent < 100
    assert job.fingerprint != before
    assert job.trouble
    cloud.storage.breaks.clear()
    tasks.send.func(job.pk)
    job.refresh_from_db()
    assert job.ref in cloud.vertex.jobs
    assert (job.sent, job.trouble) == (None, {})


def test_job_waits_where_nobody_knows_what_became_of_it(
    browser: Client, alice: User, vertex: Connection, cloud: Cloud
) -> None:
    cloud.fault(refusals.unavailable(), on="tuningJobs.create")
    job = started(browser, alice, vertex)
    assert (job.ref, job.job_state) == ("", JobState.QUEUED)
    claim = next(stored for name, stored in cloud.storage.buckets[cloud.bucket].items() if "claims" in name)
    claim.told["timeCreated"] = "2020-01-01T00:00:00Z"
    job.send()
    assert job.ref in cloud.vertex.jobs


def test_form_tells_the_price_and_no_time_before_a_job_was_measured_there(
    browser: Client, alice: User, vertex: Connection, cloud: Cloud, settings
) -> None:
    settings.PRICES = {"vertex": 1000.0, "vertex/gemini-2.5-pro": 5000.0}
    dataset = DatasetFactory(owner=alice)  # 15 pairs of 41 characters in all, of which 12 are learnt from
    form = {"dataset": dataset.pk, "epoch_count": 2, "batch_size": 4, "learning_rate": 0.001, "validation": "0.2"}

    def told(base: str) -> str:
        page = browser.get("/jobs/estimate/", form | {"target": f"{vertex.pk}:{base}"}).text
        return " ".join(page[: page.index("chooses for itself")].split())

    page = told("gemini-2.5-flash")
    assert "<dd>0.02 <small>" in page
    assert "<dd>0.08 <small>" in told("gemini-2.5-pro")
    assert "the first job will tell" in page
    assert "Steps" not in page
    assert "About" not in page
    job = started(browser, alice, vertex)
    assert job.estimate["cost"] == pytest.approx(1000 * 2 * 12 * 41 / 15 / 4 / 1e6)
    assert job.estimate["seconds"] is None
    learnt(cloud, job)
    cloud.vertex.move(job.ref)
    refreshed(job)
    assert "estimated 0.02" in browser.get(f"/jobs/{job.pk}/service/").text
    page = told("gemini-2.5-flash")
    assert "Judged by the last job" in page
    assert f"<dd>{job.total_steps}</dd>" in page
    assert "About" in page


def test_settings_that_the_service_does_not_use_are_named(browser: Client, alice: User, vertex: Connection) -> None:
    dataset = DatasetFactory(owner=alice)
    form = {"dataset": dataset.pk, "epoch_count": 2, "batch_size": 4, "learning_rate": 0.001, "validation": "0"}
    page = browser.get("/jobs/estimate/", form | {"target": f"{vertex.pk}:gemini-2.5-flash"}).text
    note = page[page.index("This service chooses for itself") :].split("</p>")[0]
    assert "Batch size" in note
    assert "Epochs" not in note
    local = Connection.objects.local()
    assert "chooses for itself" not in browser.get("/jobs/estimate/", form | {"target": f"{local.pk}:models/x"}).text


def test_jobs_of_the_project_are_brought_in_once(
    browser: Client, alice: User, vertex: Connection, cloud: Cloud
) -> None:
    User.objects.filter(pk=alice.pk).update(is_administrator=True)  # in whose name all ask, only they bring in
    job = started(browser, alice, vertex)
    learnt(cloud, job)
    cloud.vertex.move(job.ref)
    ref = job.ref
    job.delete()
    assert ref in browser.get("/jobs/import/").text
    for _ in range(2):
        browser.post(f"/jobs/import/{vertex.pk}/", {"model": [ref]})
    brought = Job.objects.get()
    assert (brought.ref, brought.job_state, brought.last_loss) == (ref, JobState.SUCCEEDED, 0.5)
    assert brought.dataset_version.examples == 12
    assert ref not in browser.get("/jobs/import/").text


def test_local_jobs_have_their_log_and_no_service_to_ask(browser: Client, alice: User) -> None:
    job = JobFactory(owner=alice, started=timezone.now())
    page = browser.get(f"/jobs/{job.pk}/").text
    assert 'id="log"' in page
    assert "At the service" not in page
    assert "tells nothing more" in browser.get(f"/jobs/{job.pk}/service/").text
