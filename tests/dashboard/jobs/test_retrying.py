"""Trying again what failed or was cancelled: in its place where the service can, else as a new job."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress

import pytest
from django.test import Client
from pytest_django import Settings

from dashboard.accounts.models import User
from dashboard.datasets.models import Dataset
from dashboard.jobs.models import Job, Tag
from tests.factories import DatasetFactory, JobFactory
from tests.processes import TuningServer, child_running, tuning_server, wait_until
from tests.scripted import answer, scripted
from tuning.jobs import JobState

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TuningServer]:
    """A server of its own, whose children may be killed."""
    with tuning_server(tmp_path_factory.mktemp("retried"), TUNER_CHECKPOINT_SECONDS="0.2") as server:
        yield server


@pytest.fixture
def killable(own_server: TuningServer, settings: Settings) -> TuningServer:
    settings.TUNING_SERVER_URL = own_server.url
    settings.TUNING_SECRET = own_server.secret
    return own_server


def refreshed(job: Job) -> Job:
    Job.objects.update(synced_at=None)
    job.refresh_quietly()
    job.refresh_from_db()
    return job


@pytest.mark.kill
def test_failed_job_goes_on_from_where_it_was(browser: Client, alice: User, killable: TuningServer) -> None:
    job = JobFactory(owner=alice, ref="", batch_size=1, epoch_count=40, total_steps=600)
    job.send()
    wait_until(lambda: refreshed(job).completed_steps >= 40)
    wait_until(lambda: list((killable.var_dir / "work").glob("*/checkpoint-*")))
    while not refreshed(job).is_final:
        if child := child_running(killable.tuners[0].pid, "training"):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
    assert job.failure_code == "killed"
    page = browser.post(f"/jobs/{job.pk}/retry/", follow=True).content.decode()
    assert "goes on from its last checkpoint" in page
    wait_until(lambda: refreshed(job).is_final, seconds=200)
    assert job.state == JobState.SUCCEEDED
    assert Job.objects.count() == 1
    assert job.completed_steps == 600
    assert any("Goes on after step" in line.text for line in job.lines.all())


@pytest.mark.usefixtures("server")
def test_cancelled_job_begins_anew_in_its_place(browser: Client, alice: User) -> None:
    job = JobFactory(owner=alice, ref="", epoch_count=2, total_steps=8)
    job.send()
    job.cancel()
    wait_until(lambda: refreshed(job).is_final)
    if job.state == JobState.SUCCEEDED:  # it was quicker than the person
        pytest.skip("the job had ended before it could be cancelled")
    page = browser.post(f"/jobs/{job.pk}/retry/", follow=True).content.decode()
    assert "begins with the first step" in page
    wait_until(lambda: refreshed(job).is_final)
    assert (job.state, job.completed_steps, job.failure_code) == (JobState.SUCCEEDED, 8, "")


def test_job_that_its_service_cannot_take_up_again_is_made_anew(
    browser: Client, alice: User, settings: Settings
) -> None:
    job = JobFactory(owner=alice, state=JobState.FAILED, failure_code="gone", notes="remember")
    Tag.objects.put_on([job], "night")
    gone = {"error": {"code": 404, "message": "no such job", "status": "NOT_FOUND"}}
    made = {"name": "tunedModels/again/operations/o"}
    with scripted(answer(404, gone), answer(200, {}), answer(200, made)) as service:
        settings.TUNING_SERVER_URL = service.url
        response = browser.post(f"/jobs/{job.pk}/retry/")
    again = Job.objects.exclude(pk=job.pk).get()
    assert response["Location"] == again.get_absolute_url()
    assert (again.made_from, again.recipe, again.notes) == (job, job.recipe, "remember")
    assert [tag.name for tag in again.tags.all()] == ["night"]
    assert again.ref == made["name"]


def test_new_job_is_made_once_however_often_it_is_asked_for(browser: Client, alice: User, settings: Settings) -> None:
    job = JobFactory(owner=alice, state=JobState.FAILED)
    gone = answer(404, {"error": {"code": 404, "message": "no such job", "status": "NOT_FOUND"}})
    made = answer(200, {"name": "tunedModels/again/operations/o"})
    with scripted(gone, answer(200, {}), made, gone) as service:
        settings.TUNING_SERVER_URL = service.url
        ways = {browser.post(f"/jobs/{job.pk}/retry/")["Location"] for _ in range(3)}
    again = Job.objects.exclude(pk=job.pk).get()
    assert ways == {again.get_absolute_url()}
    again.fail("gone")
    with scripted(gone, answer(200, {}), made) as service:
        settings.TUNING_SERVER_URL = service.url
        browser.post(f"/jobs/{job.pk}/retry/")
    assert Job.objects.count() == 3


@pytest.mark.usefixtures("server")
def test_try_that_reached_the_service_unheard_is_followed(browser: Client, alice: User) -> None:
    job = JobFactory(owner=alice, ref="", epoch_count=1, total_steps=4)
    job.send()
    wait_until(lambda: refreshed(job).is_final)
    Job.objects.filter(pk=job.pk).update(state=JobState.FAILED)
    page = browser.post(f"/jobs/{job.pk}/retry/", follow=True).content.decode()
    assert "tried again already" in page
    job.refresh_from_db()
    assert (job.state, Job.objects.count()) == (JobState.SUCCEEDED, 1)


@pytest.mark.usefixtures("no_server")
def test_nothing_happens_while_the_service_is_away(browser: Client, alice: User) -> None:
    job = JobFactory(owner=alice, state=JobState.FAILED)
    answer = browser.post(f"/jobs/{job.pk}/retry/")
    assert answer.status_code == 503
    assert Job.objects.count() == 1


@pytest.mark.usefixtures("no_server")
@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.SUCCEEDED])
def test_job_that_did_not_end_badly_is_left_alone(browser: Client, alice: User, state: JobState) -> None:
    job = JobFactory(owner=alice, state=state)
    page = browser.post(f"/jobs/{job.pk}/retry/", follow=True).content.decode()
    assert "neither failed nor was cancelled" in page


@pytest.mark.usefixtures("no_server")
def test_retrying_is_for_ones_own_jobs_and_needs_a_post(browser: Client, client: Client, alice: User) -> None:
    assert browser.post(f"/jobs/{JobFactory(state=JobState.FAILED).pk}/retry/").status_code == 404
    mine = JobFactory(owner=alice, state=JobState.FAILED)
    assert browser.get(f"/jobs/{mine.pk}/retry/").status_code == 405
    client.logout()
    assert client.post(f"/jobs/{mine.pk}/retry/")["Location"].startswith("/sign-in/")


def test_examples_that_were_never_here_cannot_be_sent_again(browser: Client, alice: User, settings: Settings) -> None:
    version = Dataset.objects.absent(alice, "Elsewhere", 15, "ref")
    job = JobFactory(owner=alice, state=JobState.FAILED, dataset_version=version)
    gone = {"error": {"code": 404, "message": "no such job", "status": "NOT_FOUND"}}
    with scripted(answer(404, gone)) as service:
        settings.TUNING_SERVER_URL = service.url
        page = browser.post(f"/jobs/{job.pk}/retry/")
    assert "The examples are no longer kept" in page.content.decode()
    assert DatasetFactory(owner=alice) in Dataset.objects.visible_to(alice)
    assert version.dataset not in Dataset.objects.visible_to(alice)
