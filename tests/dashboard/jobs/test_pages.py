"""The pages of the jobs room, without a service: what was known stays visible."""

import json
import time
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from dashboard.accounts.models import User
from dashboard.jobs import views
from dashboard.jobs.models import Job
from tests.factories import DatasetFactory, JobFactory, UserFactory
from tuning.jobs import JobFailure, JobState, JobStatus, Point

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_server")]

HTMX = {"HX-Request": "true"}


def with_points(job: Job, last: int, state: JobState = JobState.RUNNING, **facts: object) -> Job:
    series = [Point(step, 0, 3.0 / step, time.time()) for step in range(1, last + 1)]
    job.store(JobStatus(state=state, model="tunedModels/m", total_steps=19, **facts), series)  # type: ignore[arg-type]
    return job


@pytest.mark.parametrize("page", ["", "live/", "cancel/", "delete/"])
def test_job_of_somebody_else_is_not_found(browser: Client, page: str) -> None:
    job = JobFactory()
    answer = browser.post(f"/jobs/{job.pk}/{page}") if page == "cancel/" else browser.get(f"/jobs/{job.pk}/{page}")
    assert answer.status_code == 404
    assert browser.post(f"/jobs/{job.pk}/delete/").status_code == 404
    assert Job.objects.filter(pk=job.pk).exists()


def test_cancelling_and_deleting_need_a_post(browser: Client, alice: User) -> None:
    job = JobFactory(owner=alice)
    assert browser.get(f"/jobs/{job.pk}/cancel/").status_code == 405
    assert browser.get(f"/jobs/{job.pk}/delete/").status_code == 200
    job.refresh_from_db()
    assert job.state == JobState.QUEUED


def test_live_poll_carries_only_new_points(browser: Client, alice: User) -> None:
    job = with_points(JobFactory(owner=alice, synced_at=timezone.now() + timedelta(minutes=1)), 7)
    seen = job.fingerprint
    quiet = browser.get(f"/jobs/{job.pk}/live/?after=7&attempt=1&state=RUNNING&seen={seen}", headers=HTMX)
    assert (quiet.status_code, quiet.content) == (204, b"")
    with_points(job, 9)
    news = browser.get(f"/jobs/{job.pk}/live/?after=7&attempt=1&state=RUNNING&seen={seen}", headers=HTMX)
    assert json.loads(news.context["points"])["steps"] == [8, 9]
    assert b"job-header" not in news.content
    assert b"data-live" in news.content


def test_live_poll_without_news_costs_little_and_asks_nobody_between_intervals(
    browser: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    job = with_points(JobFactory(owner=alice), 7)
    Job.objects.filter(pk=job.pk).update(synced_at=timezone.now() + timedelta(seconds=30))
    job.refresh_from_db()
    with django_assert_max_num_queries(3):  # session, person, job
        quiet = browser.get(f"/jobs/{job.pk}/live/?after=7&seen={job.fingerprint}", headers=HTMX)
    assert (quiet.status_code, quiet.content) == (204, b"")


def test_news_are_drawn_once_for_all_who_see_the_same(
    client: Client,
    alice: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(views, "REFRESH_INTERVAL", timedelta(minutes=1))  # longer than any machine takes for this
    job = with_points(JobFactory(owner=alice, dataset_version=DatasetFactory().latest), 7)
    address = f"/jobs/{job.pk}/live/?after=7&attempt=1&state=RUNNING&seen={job.fingerprint}"
    with_points(job, 9)
    Job.objects.filter(pk=job.pk).update(synced_at=timezone.now() + timedelta(seconds=30))
    client.force_login(UserFactory(is_administrator=True))
    first = client.get(address, headers=HTMX).text
    client.force_login(UserFactory(is_administrator=True))
    with django_assert_max_num_queries(3):  # session, person, job
        second = client.get(address, headers=HTMX).text
    assert first == second
    assert "data-live" in second
    dataset = f"/datasets/{job.dataset_version.dataset_id}/"
    assert dataset in second
    client.force_login(alice)  # whose dataset it is not
    assert dataset not in client.get(address, headers=HTMX).text
    client.force_login(UserFactory())
    assert client.get(address, headers=HTMX).status_code == 404


def test_live_poll_of_a_job_that_turned_bears_the_persons_own_token(alice: User) -> None:
    job = with_points(JobFactory(owner=alice), 7)
    people = [Client(), Client()]
    for one in people:
        one.force_login(UserFactory(is_administrator=True))
    told = [one.get(f"/jobs/{job.pk}/live/?after=7&state=QUEUED&seen=x", headers=HTMX) for one in people]
    assert told[0].cookies["csrftoken"].value != told[1].cookies["csrftoken"].value


def test_live_poll_of_a_job_that_waits_to_be_sent_only_reads(
    browser: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    job = JobFactory(owner=alice, ref="")
    with django_assert_max_num_queries(3) as asked:  # session, person, job
        assert browser.get(f"/jobs/{job.pk}/live/?seen={job.fingerprint}", headers=HTMX).status_code == 204
    assert all(query["sql"].startswith("SELECT") for query in asked.captured_queries)


def test_page_tells_how_old_the_last_snapshot_is(browser: Client, alice: User) -> None:
    job = with_points(JobFactory(owner=alice), 7)
    Job.objects.filter(pk=job.pk).update(last_step_at=timezone.now() - timedelta(seconds=12))
    page = browser.get(f"/jobs/{job.pk}/").content.decode()
    age = int(page.split('data-age="')[1].partition('"')[0])
    assert 12 <= age < 60
    assert f"{age} s ago" in page


def test_live_poll_stops_and_offers_the_playground_when_the_job_is_done(browser: Client, alice: User) -> None:
    job = with_points(JobFactory(owner=alice), 19, JobState.SUCCEEDED)
    news = browser.get(f"/jobs/{job.pk}/live/?after=7&attempt=1&state=RUNNING&seen=x", headers=HTMX).content.decode()
    assert "data-live" not in news
    assert "Ask the model" in news
    assert "tunedModels%2Fm" in news


def test_live_poll_of_a_new_attempt_starts_the_curve_again(browser: Client, alice: User) -> None:
    job = with_points(JobFactory(owner=alice), 2, attempt=2)
    news = browser.get(f"/jobs/{job.pk}/live/?after=9&attempt=1&state=RUNNING&seen=x", headers=HTMX)
    assert json.loads(news.context["points"])["restart"] is True


@pytest.mark.parametrize("after", ["-1", "x", "", "9" * 30, "²"])
def test_live_poll_survives_any_address(browser: Client, alice: User, after: str) -> None:
    job = with_points(JobFactory(owner=alice), 3)
    answer = browser.get(f"/jobs/{job.pk}/live/", {"after": after, "attempt": "1"}, headers=HTMX)
    assert answer.status_code == 200


def test_failed_job_says_why_and_what_to_do(browser: Client, alice: User) -> None:
    failure = JobFailure(code="out_of_memory", detail="<b>std::bad_alloc</b>")
    job = with_points(JobFactory(owner=alice), 3, JobState.FAILED, failure=failure)
    page = browser.get(f"/jobs/{job.pk}/").content.decode()
    assert "ran out of memory" in page
    assert "smaller batch size" in page
    assert "&lt;b&gt;std::bad_alloc" in page


def test_hostile_name_is_only_text(browser: Client, alice: User) -> None:
    job = JobFactory(owner=alice, display_name="</script><img src=x onerror=y>")
    for address in ("/jobs/", f"/jobs/{job.pk}/", f"/jobs/{job.pk}/delete/"):
        assert "<img" not in browser.get(address).content.decode()


def test_form_without_a_dataset_points_to_the_datasets(browser: Client) -> None:
    assert "A job needs a dataset" in browser.get("/jobs/new/").content.decode()


def test_form_says_when_the_tuning_server_does_not_answer(browser: Client, alice: User) -> None:
    DatasetFactory(owner=alice)
    assert "does not answer" in browser.get("/jobs/new/").content.decode()


def test_job_that_cannot_be_cancelled_now_says_so(browser: Client, alice: User) -> None:
    job = JobFactory(owner=alice)
    answer = browser.post(f"/jobs/{job.pk}/cancel/")
    assert answer.status_code == 503
    assert "does not answer" in answer.content.decode()
