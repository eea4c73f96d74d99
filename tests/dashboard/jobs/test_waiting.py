"""What a person is told while a job waits for its turn."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from dashboard.accounts.models import User
from tests.factories import JobFactory
from tuning.jobs import JobState, JobStatus

pytestmark = pytest.mark.django_db


def waiting(place: int, **changes: object) -> JobStatus:
    return JobStatus(state=JobState.QUEUED, total_steps=19, queue_place=place, **changes)  # type: ignore[arg-type]


def test_waiting_job_tells_its_place_and_when_it_may_start(browser: Client, alice: User) -> None:
    job = JobFactory(owner=alice)
    job.store(waiting(3, expected_start=timezone.now() + timedelta(minutes=4, seconds=30)), [])
    page = browser.get(f"/jobs/{job.pk}/").text
    assert "place 3 in the queue" in page
    assert "expected to start" in page
    assert ">in about 4 min</time>" in page


def test_nothing_is_promised_where_nothing_is_known(browser: Client, alice: User) -> None:
    job = JobFactory(owner=alice)
    job.store(waiting(1), [])
    page = browser.get(f"/jobs/{job.pk}/").text
    assert "next in the queue" in page
    assert "expected to start" not in page


def test_page_is_renewed_when_the_expected_start_has_moved(browser: Client, alice: User) -> None:
    job = JobFactory(owner=alice, synced_at=timezone.now() + timedelta(minutes=1))  # nobody is asked meanwhile
    start = timezone.now() + timedelta(minutes=4)
    job.store(waiting(2, expected_start=start), [])
    seen = job.fingerprint
    assert browser.get(f"/jobs/{job.pk}/live/?seen={seen}").status_code == 204
    job.store(waiting(2, expected_start=start + timedelta(minutes=1)), [])
    assert browser.get(f"/jobs/{job.pk}/live/?seen={seen}").status_code == 200
