"""Jobs that were made elsewhere, brought in with their curves."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.datasets.models import Dataset
from dashboard.jobs.models import Job
from tests.factories import DatasetFactory, JobFactory, UserFactory
from tests.processes import TuningServer
from tests.scripted import Drip, answer, scripted
from tests.tuning.server.bodies import body
from tests.tuning.server.recorded import RECORDED
from tuning import curves
from tuning.jobs import JobState

pytestmark = pytest.mark.django_db

NOT_THERE = answer(404, {"error": {"code": 404, "message": "no such route", "status": "NOT_FOUND"}})
OPERATION = f"{RECORDED['name']}/operations/9wpmc1m920vq"
DONE = {"name": OPERATION, "done": True, "metadata": {"totalSteps": 12, "completedSteps": 12}}


def take(browser: Client, **said: Any) -> str:
    path = f"/jobs/import/{Connection.objects.local().pk}/"
    return browser.post(path, said, follow=True).content.decode()


def test_job_made_by_plain_rest_is_brought_in_whole(browser: Client, alice: User, server: TuningServer) -> None:
    key = server.api_key("alice@example.com")
    server.post("/v1beta/tunedModels?tunedModelId=by-rest", key, json=body(epochs=2))
    told = server.wait_for_state("by-rest", key)
    assert "tunedModels/by-rest" in browser.get("/jobs/import/").content.decode()
    page = take(browser, model=["tunedModels/by-rest"])
    job = Job.objects.get()
    assert f"<h1>{job.display_name}</h1>" in page
    assert (job.owner, job.state, job.completed_steps) == (alice, JobState.SUCCEEDED, told["totalSteps"])
    assert [point.value for point in curves.unpack(job.series())] == [point[2] for point in told["points"]]
    assert (job.epoch_count, job.model, job.ref) == (2, "tunedModels/by-rest", told["operation"])
    assert job.dataset_version.examples == told["trainingData"]["examples"]
    assert job.dataset_version.preview(0, 1)[0].text_input
    assert job.lines.exists()
    assert "tunedModels/by-rest" not in browser.get("/jobs/import/").content.decode()


def test_bringing_twice_gives_one_and_finds_the_dataset_again(
    browser: Client, alice: User, server: TuningServer
) -> None:
    key = server.api_key("alice@example.com")
    server.post("/v1beta/tunedModels?tunedModelId=twice", key, json=body(epochs=1))
    server.wait_for_state("twice", key)
    for _ in range(2):
        take(browser, model=["tunedModels/twice"])
    first = Job.objects.get()
    first.delete()
    take(browser, all="", q="twice")
    assert Job.objects.get().dataset_version == first.dataset_version
    assert Dataset.objects.count() == 1


def test_job_of_somebody_else_is_not_there(browser: Client, server: TuningServer) -> None:
    key = server.api_key("bob@example.com")
    server.post("/v1beta/tunedModels?tunedModelId=bobs-own", key, json=body(epochs=1))
    assert "bobs-own" not in browser.get("/jobs/import/").content.decode()
    take(browser, model=["tunedModels/bobs-own"])
    assert not Job.objects.exists()


def test_recorded_job_of_the_real_service_is_brought_in(browser: Client, alice: User, settings: Settings) -> None:
    answers = [NOT_THERE, RECORDED, {"operations": [DONE]}, NOT_THERE, NOT_THERE]
    with scripted(*(one if isinstance(one, bytes) else answer(200, one) for one in answers)) as service:
        settings.TUNING_SERVER_URL = service.url
        take(browser, model=[RECORDED["name"]])
    job = Job.objects.get()
    assert (job.display_name, job.base_model) == ("my display name 81", "models/text-bison-tuning-test")
    assert (job.state, job.completed_steps, job.total_steps) == (JobState.SUCCEEDED, 12, 12)
    assert job.last_loss == pytest.approx(7.073003)
    assert job.dataset_version.examples == 16
    assert job.created.isoformat() == "2023-09-18T22:02:08.690991+00:00"
    page = browser.get(f"/jobs/{job.pk}/").content.decode()
    assert "not here" in page
    assert "New job with this dataset" not in page
    assert browser.get(f"/datasets/{job.dataset_version.dataset_id}/").status_code == 404
    assert "my display name 81" in browser.get("/jobs/").content.decode()


def test_cancelled_recorded_job_is_known_as_such(browser: Client, settings: Settings) -> None:
    failed = {**RECORDED, "state": "FAILED"}
    cancelled = {**DONE, "error": {"code": 1, "message": "cancelled"}}
    answers = [NOT_THERE, failed, {"operations": [cancelled]}, NOT_THERE]
    with scripted(*(one if isinstance(one, bytes) else answer(200, one) for one in answers)) as service:
        settings.TUNING_SERVER_URL = service.url
        take(browser, model=[RECORDED["name"]])
    assert Job.objects.get().state == JobState.CANCELLED


def test_list_of_the_real_service_is_searched(browser: Client, settings: Settings) -> None:
    pages = [
        {"tunedModels": [RECORDED], "nextPageToken": "2"},
        {"tunedModels": [{**RECORDED, "name": "tunedModels/other", "displayName": "<i>Other"}]},
    ]
    with scripted(*(answer(200, page) for page in pages)) as service:
        settings.TUNING_SERVER_URL = service.url
        page = browser.get("/jobs/import/").content.decode()
    assert "my display name 81" in page
    assert "&lt;i&gt;Other" in page
    with scripted(*(answer(200, page) for page in pages)) as service:
        settings.TUNING_SERVER_URL = service.url
        page = browser.get("/jobs/import/", {"q": "OTHER"}).content.decode()
    assert "my display name 81" not in page


@pytest.mark.usefixtures("no_server")
def test_service_that_is_away_is_said_to_be(browser: Client) -> None:
    assert "does not answer" in browser.get("/jobs/import/").content.decode()
    assert "does not answer" in take(browser, model=["tunedModels/x"])


@pytest.mark.usefixtures("no_server")
@pytest.mark.parametrize("model", ["", "../../v1beta/models", "tunedModels/", "tunedModels/a?b", "x" * 5000, "é"])
def test_any_model_name_is_survived(browser: Client, model: str) -> None:
    assert take(browser, model=[model])
    assert not Job.objects.exists()


def test_strangers_are_asked_to_sign_in(client: Client) -> None:
    assert client.get("/jobs/import/")["Location"].startswith("/sign-in/")
    assert client.post("/jobs/import/1/")["Location"].startswith("/sign-in/")


def test_pages_of_a_job_whose_examples_are_not_here_all_answer(
    browser: Client, alice: User, settings: Settings
) -> None:
    models = {"models": [{"name": "models/tiny-llama", "supportedGenerationMethods": ["createTunedModel"]}]}
    version = Dataset.objects.absent(alice, "Elsewhere", 15, "ref")
    job = JobFactory(owner=alice, dataset_version=version, state=JobState.SUCCEEDED, model="tunedModels/m")
    DatasetFactory(owner=alice)
    with scripted(answer(200, models)) as service:
        settings.TUNING_SERVER_URL = service.url
        for path in (f"/jobs/{job.pk}/", f"/jobs/new/?again={job.pk}", f"/jobs/new/?further={job.pk}"):
            assert browser.get(path).status_code == 200, path
        for path in (f"/compare/?jobs={job.pk}", f"/sweeps/new/?again={job.pk}", "/datasets/", "/jobs/?q=elsewhere"):
            assert browser.get(path).status_code == 200, path


def test_running_job_of_a_plain_service_is_followed(browser: Client, settings: Settings) -> None:
    under_way = {**DONE, "done": False}
    shots = RECORDED["tuningTask"]["snapshots"]
    early = {**RECORDED, "state": "CREATING", "tuningTask": {**RECORDED["tuningTask"], "snapshots": shots[:4]}}
    first = [NOT_THERE, early, {"operations": [under_way]}, NOT_THERE]
    with scripted(*(one if isinstance(one, bytes) else answer(200, one) for one in first)) as service:
        settings.TUNING_SERVER_URL = service.url
        take(browser, model=[RECORDED["name"]])
    job = Job.objects.get()
    assert (job.state, job.completed_steps) == (JobState.RUNNING, shots[3]["step"])
    later = [NOT_THERE, RECORDED, {"operations": [DONE]}, NOT_THERE]
    with scripted(*(one if isinstance(one, bytes) else answer(200, one) for one in later)) as service:
        settings.TUNING_SERVER_URL = service.url
        job.refresh_quietly()
    assert (job.state, job.completed_steps) == (JobState.SUCCEEDED, 12)
    assert len(curves.unpack(job.series())) == len(shots)


def test_job_whose_model_is_shared_is_followed_without_its_samples(
    browser: Client, alice: User, server: TuningServer
) -> None:
    key = server.api_key("bob@example.com")
    asked = body(epochs=2) | {"displayName": "Bob's"}
    server.post("/v1beta/tunedModels?tunedModelId=shared-one", key, json=asked)
    server.wait_for_state("shared-one", key)
    reader = {"granteeType": "USER", "emailAddress": alice.email, "role": "READER"}
    server.post("/v1beta/tunedModels/shared-one/permissions", key, json=reader)
    take(browser, model=["tunedModels/shared-one"])
    job = Job.objects.get()
    job.recipe = replace(job.recipe, samples=2)
    job.save()
    job.reopen()
    assert job.refresh_quietly()
    assert (job.state, job.failure_code) == (JobState.SUCCEEDED, "")


def test_who_was_first_takes_the_job_from_nobody_and_lets_it_go_without_its_model(
    browser: Client, alice: User, server: TuningServer
) -> None:
    key = server.api_key("bob@example.com")
    server.post("/v1beta/tunedModels?tunedModelId=shared-two", key, json=body(epochs=1))
    server.wait_for_state("shared-two", key)
    reader = {"granteeType": "USER", "emailAddress": alice.email, "role": "READER"}
    server.post("/v1beta/tunedModels/shared-two/permissions", key, json=reader)
    take(browser, model=["tunedModels/shared-two"])
    bob, bobs = UserFactory(email="bob@example.com"), Client()
    bobs.force_login(bob)
    assert "tunedModels/shared-two" in bobs.get("/jobs/import/").content.decode()
    take(bobs, model=["tunedModels/shared-two"])
    his, hers = Job.objects.get(owner=bob), Job.objects.get(owner=alice)
    assert (his.ref, his.state) == (hers.ref, JobState.SUCCEEDED)
    page = browser.post(f"/jobs/{hers.pk}/delete/", follow=True).content.decode()
    assert "somebody else" in page
    assert list(Job.objects.all()) == [his]
    assert server.job("shared-two", key)["state"] == "SUCCEEDED"


@pytest.mark.parametrize("kind", [bytes, Drip])
def test_examples_that_are_too_many_or_too_slow_are_left_and_the_job_is_brought(
    browser: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch, kind: type[bytes]
) -> None:
    pairs = b'{"text_input": "1", "output": "2"}\n' * 40_000
    settings.UPLOAD_LIMIT_MB = 1 if kind is bytes else 64
    monkeypatch.setattr("dashboard.jobs.bringing.PATIENCE", 0.5 if kind is Drip else 60)
    answers = [NOT_THERE, RECORDED, {"operations": [DONE]}, NOT_THERE, kind(answer(200, pairs))]
    with scripted(*(one if isinstance(one, bytes) else answer(200, one) for one in answers)) as service:
        settings.TUNING_SERVER_URL = service.url
        take(browser, model=[RECORDED["name"]])
    assert Job.objects.get().dataset_version.dataset.absent
