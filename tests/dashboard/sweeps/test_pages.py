"""The pages of the sweeps room, without a service."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from dashboard.accounts.models import User
from dashboard.jobs.models import Job
from dashboard.sweeps import tasks
from dashboard.sweeps.models import Sweep, Trial
from tests.factories import DatasetFactory, JobFactory, UserFactory
from tests.scripted import answer, scripted
from tuning.jobs import JobState, JobStatus, Point

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_server")]

HTMX = {"HX-Request": "true"}


def sweep_of(owner: User, *losses: float | None, stop_on_failure: bool = False) -> Sweep:
    """A sweep over learning rates; a job has failed where there is no loss."""
    sweep = Sweep(owner=owner, name="Numbers", varied=["learning_rate"], stop_on_failure=stop_on_failure)
    version = DatasetFactory(owner=owner).latest
    jobs = []
    for number, loss in enumerate(losses, start=1):
        state = JobState.SUCCEEDED if loss is not None else JobState.FAILED
        rate = number / 1000
        job = JobFactory(owner=owner, dataset_version=version, state=state, last_loss=loss, learning_rate=rate)
        Job.objects.filter(pk=job.pk).update(display_name=f"Numbers · rate {rate}", small_curve=[[1, 3.0], [19, 0.1]])
        jobs.append((job, {"learning_rate": rate}))
    Sweep.objects.start(sweep, jobs)
    for trial in sweep.trials.all():
        Trial.objects.filter(pk=trial.pk).update(loss=trial.job.last_loss)
    return sweep


def test_sweep_of_somebody_else_is_not_found(browser: Client) -> None:
    sweep = sweep_of(UserFactory(), 0.1, 0.2)
    for address in ("", "live/"):
        assert browser.get(f"/sweeps/{sweep.pk}/{address}").status_code == 404
    assert browser.post(f"/sweeps/{sweep.pk}/stop/").status_code == 404
    assert "Numbers" not in browser.get("/sweeps/").content.decode()
    sweep.refresh_from_db()
    assert not sweep.stopping


def test_settings_of_somebody_elses_job_fill_no_form(browser: Client) -> None:
    DatasetFactory(owner=User.objects.get())
    other = JobFactory(display_name="Top secret")
    assert "Top secret" not in browser.get(f"/sweeps/new/?again={other.pk}").content.decode()


def test_administrator_sees_all_sweeps(client: Client, alice: User) -> None:
    sweep = sweep_of(alice, 0.1, 0.2)
    client.force_login(UserFactory(administrator=True))
    assert sweep.name in client.get("/sweeps/").content.decode()
    assert client.get(f"/sweeps/{sweep.pk}/").status_code == 200


def test_best_is_marked_and_its_settings_are_one_press_away(browser: Client, alice: User) -> None:
    sweep = sweep_of(alice, 0.5, 0.07, None)
    best = Job.objects.get(last_loss=0.07)
    page = browser.get(f"/sweeps/{sweep.pk}/").content.decode()
    assert f"/jobs/new/?again={best.pk}" in page
    assert "training loss 0.07 over its last epoch" in page
    assert page.count('class="as-expected"') == 1
    assert f"/compare/?jobs={','.join(str(trial.job_id) for trial in sweep.all_trials())}" in page
    assert "data-live" not in page


def test_best_is_judged_by_held_out_losses_where_all_have_one(browser: Client, alice: User) -> None:
    sweep = sweep_of(alice, 0.5, 0.07)
    Job.objects.filter(last_loss=0.5).update(best_loss=0.8)
    Job.objects.filter(last_loss=0.07).update(best_loss=1.3)
    page = browser.get(f"/sweeps/{sweep.pk}/").content.decode()
    assert "held-out loss 0.80" in page
    assert f"/jobs/new/?again={Job.objects.get(last_loss=0.5).pk}" in page


def test_training_losses_are_judged_by_the_mean_of_the_last_epoch(browser: Client, alice: User) -> None:
    sweep = sweep_of(alice, 0.0, 0.0)
    Trial.objects.update(loss=None)
    steady, lucky = (trial.job for trial in sweep.all_trials())  # four steps an epoch
    for job, losses in ((steady, [9.0, 0.5, 0.5, 0.5, 0.5]), (lucky, [0.1, 2.0, 2.0, 2.0, 0.1])):
        points = [Point(step, 0, loss, 1000.0 + step) for step, loss in enumerate(losses, start=1)]
        Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING)
        job.store(JobStatus(state=JobState.SUCCEEDED, total_steps=5), points)
    page = browser.get(f"/sweeps/{sweep.pk}/")
    assert page.context["found"].best.job == steady
    assert [trial.loss for trial in sweep.trials.all()] == pytest.approx([0.5, 1.525])


def test_poll_without_news_is_empty_and_with_news_brings_the_rows(browser: Client, alice: User) -> None:
    sweep = sweep_of(alice, 0.5, 0.07)
    Job.objects.filter(last_loss=0.5).update(state=JobState.RUNNING, synced_at=None)
    page = browser.get(f"/sweeps/{sweep.pk}/")
    assert "data-live" in page.content.decode()
    poll = f"/sweeps/{sweep.pk}/live/?seen={page.context['seen']}"
    quiet = browser.get(poll, headers=HTMX)
    assert (quiet.status_code, quiet.content) == (204, b"")
    Job.objects.filter(last_loss=0.5).update(completed_steps=7)
    assert "7 / 19" in browser.get(poll, headers=HTMX).content.decode()


def test_sweep_whose_jobs_were_deleted_still_opens(browser: Client, alice: User) -> None:
    sweep = sweep_of(alice, 0.5, 0.07)
    Job.objects.all().delete()
    assert "all its jobs were deleted" in browser.get(f"/sweeps/{sweep.pk}/").content.decode()


def test_page_of_many_jobs_needs_few_queries(
    browser: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    sweep = sweep_of(alice, *[0.1 + place for place in range(64)])
    with django_assert_max_num_queries(8):
        page = browser.get(f"/sweeps/{sweep.pk}/").content.decode()
    assert page.count("<tr data-job") == 64
    with django_assert_max_num_queries(8):
        browser.get("/sweeps/")


def test_cancelling_without_a_service_is_noted_for_the_worker(browser: Client, alice: User) -> None:
    sweep = sweep_of(alice, 0.5, 0.07)
    Job.objects.update(state=JobState.RUNNING)
    Job.objects.filter(last_loss=0.5).update(ref="")
    page = browser.post(f"/sweeps/{sweep.pk}/stop/", follow=True).content.decode()
    assert "1 job could not be reached" in page
    assert "being cancelled" in page
    assert Job.objects.get(ref="").state == JobState.CANCELLED
    assert list(Sweep.objects.to_be_stopped()) == [sweep]


def test_sweep_that_is_taken_back_leaves_no_job_at_its_service(alice: User, settings: Settings) -> None:
    sweep = sweep_of(alice, 0.5, 0.07)
    Job.objects.filter(last_loss=0.5).update(ref="")
    with scripted(answer(200, {})) as service:
        settings.TUNING_SERVER_URL = service.url
        sweep.undo()
    assert [asked.method for asked in service.asked] == ["DELETE"]
    assert not Job.objects.exists()
    assert not Sweep.objects.exists()


def test_service_that_is_away_is_asked_once_for_all_jobs(alice: User, settings: Settings) -> None:
    sweep = sweep_of(alice, 0.5, 0.07, 0.02)
    Job.objects.update(state=JobState.RUNNING)
    with scripted(answer(503)) as service:
        settings.TUNING_SERVER_URL = service.url
        assert sweep.stop() == 3
    assert len({asked.path for asked in service.asked}) == 1


def test_failure_stops_the_rest_only_where_that_was_asked_for(alice: User) -> None:
    going_on, stopping = sweep_of(alice, 0.5, None), sweep_of(alice, 0.5, None, stop_on_failure=True)
    Job.objects.filter(last_loss=0.5).update(state=JobState.QUEUED, ref="")
    assert list(Sweep.objects.to_be_stopped()) == [stopping]
    tasks.stop.call(going_on.pk)
    tasks.stop.call(stopping.pk)
    assert set(Job.objects.filter(trial__sweep=stopping).values_list("state", flat=True)) == {"CANCELLED", "FAILED"}
    assert set(Job.objects.filter(trial__sweep=going_on).values_list("state", flat=True)) == {"QUEUED", "FAILED"}
    assert not Sweep.objects.to_be_stopped().exists()


def test_job_that_is_tried_again_after_the_stop_goes_on(alice: User) -> None:
    sweep = sweep_of(alice, None, None, stop_on_failure=True)
    Job.objects.filter(pk=sweep.all_trials()[0].job_id).update(state=JobState.QUEUED, ref="")
    tasks.stop.call(sweep.pk)
    assert set(Job.objects.values_list("state", flat=True)) == {"CANCELLED", "FAILED"}
    Job.objects.filter(state=JobState.CANCELLED).update(state=JobState.QUEUED)
    tasks.stop.call(sweep.pk)
    assert Job.objects.filter(state=JobState.QUEUED).exists()


def test_room_without_sweeps_says_what_one_is(browser: Client) -> None:
    assert "No sweeps yet" in browser.get("/sweeps/").content.decode()


def test_job_of_a_sweep_leads_to_it_and_a_clone_to_what_it_was_made_from(browser: Client, alice: User) -> None:
    sweep = sweep_of(alice, 0.5, 0.07)
    first, second = (trial.job for trial in sweep.all_trials())
    Job.objects.filter(pk=second.pk).update(made_from=first)
    page = browser.get(f"/jobs/{second.pk}/").content.decode()
    assert sweep.get_absolute_url() in page
    assert f"/compare/?jobs={first.pk},{second.pk}" in page


def test_hostile_name_is_only_text(browser: Client, alice: User) -> None:
    sweep = sweep_of(alice, 0.5, 0.07)
    name = "</script><img src=x onerror=y>"
    Sweep.objects.update(name=name)
    Job.objects.update(display_name=name)
    for address in ("/sweeps/", f"/sweeps/{sweep.pk}/"):
        assert "<img" not in browser.get(address).content.decode()
