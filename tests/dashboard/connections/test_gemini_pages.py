"""The dashboard's pages where a service knows Google's paths alone: no log, no samples, no export, no queue."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.jobs.models import Job
from dashboard.library.models import TunedModel
from dashboard.retiring import removing, tasks
from dashboard.retiring.models import Removal
from tests.factories import DatasetFactory
from tests.google.gemini import KEY, NAME, Gemini, gemini_api
from tests.google.refusals import Refusal, info
from tuning.jobs import JobState

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_server")]


@pytest.fixture
def gemini() -> Iterator[Gemini]:
    with gemini_api() as running:
        yield running


@pytest.fixture
def connection(gemini: Gemini, alice: User) -> Connection:
    alice.is_administrator = True
    alice.save()
    return Connection.objects.create(kind="gemini", name="Gemini", base_url=gemini.url, secret=KEY)


@pytest.fixture
def job(browser: Client, connection: Connection) -> Job:
    browser.post(f"/jobs/import/{connection.pk}/", {"model": [NAME]})
    return Job.objects.get()


def read(browser: Client, path: str, **data: object) -> str:
    answer = browser.get(path, data)
    assert answer.status_code == 200, path
    return " ".join(answer.content.decode().split())


def test_jobs_of_google_are_offered_and_brought_in_with_their_curves(browser: Client, job: Job) -> None:
    assert (job.state, job.completed_steps, job.total_steps) == (JobState.SUCCEEDED, 12, 12)
    assert job.last_loss == pytest.approx(7.073003)
    assert "1 is here already" in read(browser, "/jobs/import/")


def test_pages_of_such_a_job_offer_what_its_service_has(browser: Client, gemini: Gemini, job: Job) -> None:
    page = read(browser, f"/jobs/{job.pk}/")
    assert "my display name 81" in page
    assert "Take it elsewhere" not in page
    assert 'id="log"' not in page
    assert "/tuneboard/" not in page
    for path in ("curve/", "log/", "live/"):
        assert browser.get(f"/jobs/{job.pk}/{path}").status_code in {200, 204}, path
    assert browser.get(f"/jobs/{job.pk}/export/adapter/").status_code == 404
    for path in ("/jobs/", "/queue/", "/library/", f"/compare/?jobs={job.pk}", f"/sweeps/new/?again={job.pk}"):
        read(browser, path)
    assert not [asked.path for asked in gemini.asked if "tuneboard" in asked.path]


def test_model_of_google_has_its_page_is_renamed_and_asked(browser: Client, gemini: Gemini, job: Job) -> None:
    model = TunedModel.objects.get()
    read(browser, model.get_absolute_url())
    read(browser, f"/library/{model.pk}/edit/")
    assert NAME in read(browser, "/playground/", model=NAME)
    form = {"target": f"{job.connection_id}:{NAME}", "prompt": "LXIII"}
    page = browser.post("/playground/", form).content.decode()
    assert "LXIV" in page


def test_model_that_is_gone_at_google_leaves_the_bin_though_google_only_refuses(
    browser: Client, gemini: Gemini, job: Job
) -> None:
    model = TunedModel.objects.get()
    removing.remove(model, None, None)
    Removal.objects.update(due=timezone.now(), next_try=timezone.now())
    gemini.models["tunedModels/another"] = gemini.models.pop(NAME) | {"name": "tunedModels/another"}
    tasks.purge.call(model.pk)
    assert not TunedModel.objects.exists()
    assert not Job.objects.exists()


def test_model_that_google_lists_and_does_not_delete_stays_in_the_bin_and_says_why(
    browser: Client, gemini: Gemini, job: Job
) -> None:
    model = TunedModel.objects.get()
    removing.remove(model, None, None)
    Removal.objects.update(due=timezone.now(), next_try=timezone.now())
    gemini.undeletable = True
    tasks.purge.call(model.pk)
    assert Removal.objects.get().problem == "permission_denied"
    assert TunedModel.objects.get() == model


def test_new_job_says_that_google_has_nothing_to_tune_and_what_to_do(
    browser: Client, alice: User, connection: Connection
) -> None:
    DatasetFactory(owner=alice)
    page = read(browser, "/jobs/new/")
    assert "has no base model that can be tuned" in page
    assert "since May 2025" in page
    assert "Gemini 2.0 Flash" not in page


def test_playground_says_what_is_missing_and_links_to_where_it_is_enabled(
    browser: Client, gemini: Gemini, connection: Connection
) -> None:
    console = "https://console.cloud.google.com/apis/library/generativelanguage.googleapis.com"
    gemini.fault = Refusal(403, "No.", info("SERVICE_DISABLED", activationUrl=console, serviceTitle="Gemini API"))
    page = read(browser, "/playground/")
    assert "not enabled in the project: Gemini API" in page
    assert f'href="{console}"' in page
    page = read(browser, "/jobs/import/")
    assert "not enabled in the project" in page
