"""What people are told of their jobs: once, in the page, and only of their own."""

import time
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from dashboard.accounts.models import User
from dashboard.jobs.models import Job
from dashboard.notices import events, tasks
from dashboard.notices.models import Delivery, Event, Notice, Preferences
from tests.factories import JobFactory, UserFactory
from tuning.jobs import JobFailure, JobState, JobStatus, Point

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_server")]

HTMX = {"HX-Request": "true"}
TURNED_UP = [{"code": "not_finite", "params": {"step": 4}, "first_step": 4, "last_step": 9, "changes": {}}]


def told(job: Job) -> list[str]:
    return sorted(job.notices.values_list("event", flat=True))


def store(job: Job, state: JobState, losses: list[float], **facts: Any) -> None:
    points = [Point(step, step * 4 // 15, loss, time.time()) for step, loss in enumerate(losses, start=1)]
    job.store(JobStatus(state=state, total_steps=19, model="tunedModels/m", **facts), points)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"state": JobState.SUCCEEDED}, ["ended"]),
        ({"state": JobState.FAILED}, ["failed"]),
        ({"state": JobState.CANCELLED}, []),
        ({"state": JobState.RUNNING}, []),
        ({"state": JobState.RUNNING, "findings": TURNED_UP}, ["diverged"]),
        ({"state": JobState.SUCCEEDED, "findings": TURNED_UP}, ["diverged", "ended"]),
    ],
)
def test_sweep_tells_what_happened_once(facts: dict[str, Any], expected: list[str]) -> None:
    job = JobFactory(**facts)
    events.sweep()
    events.sweep()
    assert told(job) == expected


def test_job_that_stands_still_is_told(stalled_job: Job) -> None:
    events.sweep()
    events.sweep()
    assert told(stalled_job) == ["stalled"]


def test_another_attempt_may_fail_again() -> None:
    job = JobFactory(state=JobState.FAILED, attempt=1)
    events.sweep()
    Job.objects.update(attempt=2)
    events.sweep()
    assert told(job) == ["failed", "failed"]


def test_job_that_fails_again_before_anybody_took_it_up_is_told_again() -> None:
    job = JobFactory(state=JobState.FAILED, attempt=1)
    events.sweep()
    job.reopen()
    events.sweep()
    assert told(job) == ["failed"], "it waits"
    store(job, JobState.FAILED, [], attempt=1)
    events.sweep()
    events.sweep()
    assert told(job) == ["failed", "failed"]


def test_jobs_that_were_brought_in_are_no_news() -> None:
    job = JobFactory(state=JobState.SUCCEEDED)
    events.known([job])
    events.sweep()
    assert told(job) == ["ended"]
    assert not Notice.objects.shown_to(job.owner).exists()


def test_jobs_that_ended_before_there_were_notices_are_no_news() -> None:
    job, failed = JobFactory(state=JobState.SUCCEEDED), JobFactory(state=JobState.FAILED, attempt=2)
    import_module("dashboard.notices.migrations.0002_what_was").take_as_told(apps, None)
    events.sweep()
    assert (told(job), told(failed)) == (["ended"], ["failed"])
    assert not Notice.objects.filter(on_page=True).exists()


def test_end_is_told_as_soon_as_it_is_known(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    job = JobFactory(owner=alice)
    with django_capture_on_commit_callbacks(execute=True):
        store(job, JobState.SUCCEEDED, [3.0, 1.0, 0.5])
    assert told(job) == ["ended"]


def test_owner_is_told_and_nobody_else() -> None:
    UserFactory(administrator=True)
    job = JobFactory(state=JobState.FAILED)
    events.sweep()
    assert [notice.person for notice in Notice.objects.all()] == [job.owner]


def test_who_does_not_want_to_hear_of_it_sees_nothing(alice: User) -> None:
    Preferences.objects.create(person=alice, ways={Event.FAILED: []})
    JobFactory(owner=alice, state=JobState.FAILED)
    JobFactory(owner=alice, state=JobState.SUCCEEDED)
    events.sweep()
    assert list(Notice.objects.shown_to(alice).values_list("event", flat=True)) == ["ended"]


def test_notices_and_deliveries_go_with_their_job(alice: User, settings: Any) -> None:
    settings.EMAIL_URL = "smtp://localhost"
    Preferences.objects.create(person=alice, ways={Event.ENDED: ["mail"]})
    job = JobFactory(owner=alice, state=JobState.SUCCEEDED)
    events.sweep()
    assert Delivery.objects.count() == 1
    job.delete()
    assert not Notice.objects.exists()
    assert not Delivery.objects.exists()


def test_page_says_what_happened_and_what_the_curve_says(browser: Client, alice: User) -> None:
    job = JobFactory(owner=alice, display_name="<b>Counting</b>")
    store(job, JobState.SUCCEEDED, [3.0, 2.0, 1.0, 0.5] + [0.1] * 15)
    failed = JobFactory(owner=alice, display_name="Too large")
    store(failed, JobState.FAILED, [], failure=JobFailure(code="out_of_memory"))
    events.sweep()
    page = browser.get("/notices/").content.decode()
    assert "“&lt;b&gt;Counting&lt;/b&gt;” is done" in page
    assert "Loss 3.00 → 0.10 in 19 steps." in page
    assert "Flat since epoch 2" in page
    assert f"/jobs/new/?again={job.pk}&amp;epoch_count=2" in page
    assert "The machine ran out of memory. It ended before its first step." in page


def test_loss_that_is_no_number_is_called_that(browser: Client, alice: User) -> None:
    store(JobFactory(owner=alice), JobState.RUNNING, [3.0, 2.0, float("nan")])
    events.sweep()
    page = browser.get("/notices/").content.decode()
    assert "turned up" in page
    assert "Loss 3.00 → no number after 3 of 19 steps." in page


def test_page_without_notices_says_when_some_will_come(browser: Client) -> None:
    assert "No notices yet" in browser.get("/notices/").content.decode()


def test_bell_counts_what_is_unread_and_costs_nothing_while_that_stays(browser: Client, alice: User) -> None:
    assert b"unread" not in browser.get("/jobs/").content
    assert browser.get("/notices/bell/?seen=0", headers=HTMX).status_code == 204
    JobFactory(owner=alice, state=JobState.FAILED)
    events.sweep()
    assert b"1 unread" in browser.get("/notices/bell/?seen=0", headers=HTMX).content
    assert b"1 unread" in browser.get("/jobs/").content
    assert browser.get("/notices/bell/?seen=1", headers=HTMX).status_code == 204


def test_notice_leads_to_its_job_and_is_read_then(browser: Client, alice: User) -> None:
    job = JobFactory(owner=alice, state=JobState.FAILED)
    events.sweep()
    notice = job.notices.get()
    assert browser.get(f"/notices/{notice.pk}/")["Location"] == f"/jobs/{job.pk}/"
    assert not Notice.objects.unread().exists()


def test_all_can_be_read_at_once(browser: Client, alice: User) -> None:
    JobFactory(owner=alice, state=JobState.FAILED)
    others = JobFactory(state=JobState.FAILED)
    events.sweep()
    browser.post("/notices/read/")
    assert [notice.job for notice in Notice.objects.unread()] == [others]


def test_notices_of_others_are_not_there(browser: Client) -> None:
    job = JobFactory(state=JobState.FAILED, display_name="Theirs")
    events.sweep()
    assert "Theirs" not in browser.get("/notices/").content.decode()
    assert browser.get(f"/notices/{job.notices.get().pk}/").status_code == 404


@pytest.mark.parametrize("page", ["-1", "x", "99999999999999999999"])
def test_any_page_number_is_borne(browser: Client, page: str) -> None:
    assert browser.get("/notices/", {"page": page}).status_code == 200


@pytest.mark.parametrize("path", ["", "bell/", "1/", "settings/", "settings/log/"])
def test_strangers_are_asked_to_sign_in(client: Client, db: None, path: str) -> None:
    assert client.get(f"/notices/{path}")["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("path", ["read/", "settings/webhook/", "settings/test/mail/", "settings/again/1/"])
def test_strangers_change_nothing(client: Client, db: None, path: str) -> None:
    assert client.post(f"/notices/{path}")["Location"].startswith("/sign-in/")


def test_ways_are_chosen_by_event(browser: Client, alice: User, settings: Any) -> None:
    settings.EMAIL_URL = "smtp://localhost"
    browser.post("/notices/settings/", {"failed": ["page", "mail"], "ended": ["mail"]})
    assert Preferences.of(alice) == {"ended": ["mail", "webhook"], "failed": ["page", "mail", "webhook"]} | {
        event: ["webhook"] for event in ("stalled", "diverged", "expires")
    }


def test_way_that_does_not_exist_is_refused(browser: Client, alice: User) -> None:
    assert browser.post("/notices/settings/", {"failed": ["pigeon"]}).status_code == 200
    assert not Preferences.objects.exists()


def test_worker_sweeps_once_a_minute_without_telling_twice(alice: User) -> None:
    job = JobFactory(owner=alice, state=JobState.SUCCEEDED)
    tasks.sweep.call_local()
    tasks.sweep.call_local()
    assert told(job) == ["ended"]
