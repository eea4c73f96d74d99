"""What the adviser says stands on the job's page, as long as the curve says it, with the next job one click away."""

import time
from typing import Any

import pytest
from django.test import Client

from dashboard.accounts.models import User
from dashboard.jobs.models import Job
from tests.factories import JobFactory
from tuning.jobs import JobState, JobStatus, Point
from tuning.recipes import Recipe

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_server")]

HTMX = {"HX-Request": "true"}
FLAT = [3.0, 2.0, 1.0, 0.5] + [0.1] * 15


def store(job: Job, losses: list[float], state: JobState = JobState.RUNNING, *, after: int = 0, **facts: Any) -> Job:
    now = facts.pop("since", 1_700_000_000.0)
    points = [Point(step, step * 4 // 15, loss, now + step) for step, loss in enumerate(losses, start=after + 1)]
    job.store(JobStatus(state=state, total_steps=facts.pop("total_steps", 19), **facts), points)
    job.refresh_from_db()
    return job


def codes(job: Job) -> list[str]:
    return [finding["code"] for finding in job.findings]


def page_of(browser: Client, job: Job) -> str:
    return browser.get(f"/jobs/{job.pk}/").content.decode()


def test_page_gives_the_evidence_and_the_next_job(browser: Client, alice: User) -> None:
    job = store(JobFactory(owner=alice), FLAT, JobState.SUCCEEDED)
    page = page_of(browser, job)
    assert "Flat since epoch 2: the last 15 steps changed the loss by less than 1 % of all it fell." in page
    assert f'<a class="button" href="/jobs/new/?again={job.pk}&amp;epoch_count=2">Clone with epochs = 2</a>' in page
    assert 'data-from="5" data-to="19"' in page


def test_flat_curve_that_needed_its_epochs_has_no_next_job(browser: Client, alice: User) -> None:
    job = store(JobFactory(owner=alice, epoch_count=1, batch_size=1, total_steps=15), FLAT[:15], JobState.SUCCEEDED)
    page = page_of(browser, job)
    assert "More epochs will not help; other examples may." in page
    assert "Clone with" not in page


def test_good_curve_has_nothing_that_stands_out(browser: Client, alice: User) -> None:
    losses = [3.0 * 0.85**step for step in range(19)]
    assert "Nothing stands out" in page_of(browser, store(JobFactory(owner=alice), losses, JobState.SUCCEEDED))


def test_job_without_findings_says_nothing_while_it_is_tuned(browser: Client, alice: User) -> None:
    page = page_of(browser, store(JobFactory(owner=alice), [3.0, 2.0]))
    assert 'id="findings" aria-labelledby="findings-title" hidden' in page


def test_divergence_is_seen_while_the_job_goes_on() -> None:
    job = store(JobFactory(), [3.0, 2.0, 1.0])
    assert codes(job) == []
    store(job, [float("nan")], after=3)
    assert codes(job) == ["not_finite"]


def test_finding_goes_when_the_curve_says_so_no_more() -> None:
    job = store(JobFactory(), [3.0, 2.0, 1.0, float("nan")])
    store(job, [0.9, 0.8], after=4)
    assert codes(job) == []


def test_new_attempt_begins_without_findings() -> None:
    job = store(JobFactory(), [3.0, 2.0, 1.0, float("nan")])
    store(job, [], attempt=2)
    assert codes(job) == []


def test_overfitting_is_told_from_the_held_out_losses() -> None:
    job = JobFactory()
    job.recipe = Recipe(epoch_count=5, batch_size=4, learning_rate=0.001, validation=0.2)
    job.save()
    held_out = tuple(
        Point(3 * epoch, epoch, loss, 0.0) for epoch, loss in enumerate([2.0, 1.0, 1.5, 2.0, 2.5], start=1)
    )
    store(job, [3.0 * 0.8**step for step in range(15)], JobState.SUCCEEDED, total_steps=15, validation=held_out)
    assert [(one["code"], one["changes"]) for one in job.findings] == [("overfitting", {"epoch_count": 2})]


def test_job_that_was_cancelled_is_not_told_that_it_hardly_fell() -> None:
    assert codes(store(JobFactory(), [3.0] * 12, JobState.CANCELLED)) == []
    assert codes(store(JobFactory(), [3.0] * 12, JobState.SUCCEEDED)) == ["hardly_fell"]


def test_whole_curve_is_read_now_and_then_only() -> None:
    job = store(JobFactory(), FLAT, total_steps=100_000)
    job.findings = [{"code": "swings", "params": {}, "first_step": 1, "last_step": 2, "changes": {}}]
    job.save()
    store(job, [0.1] * 5, after=19, total_steps=100_000)
    assert codes(job) == ["swings"]  # nothing was looked at again
    store(job, [0.1] * 60, after=24, total_steps=100_000)
    assert codes(job) == ["flat"]


def test_live_page_brings_findings_when_they_are_new(browser: Client, alice: User) -> None:
    job = store(JobFactory(owner=alice), [3.0, 2.0, 1.0, float("nan")], since=time.time())
    told, known = (
        browser.get(f"/jobs/{job.pk}/live/", {"advised": mark, "state": job.state, "seen": "x"}, headers=HTMX)
        for mark in ("", job.advised)
    )
    assert "is no number since step 4" in told.content.decode()
    assert "is no number" not in known.content.decode()


def test_findings_are_text_only(browser: Client, alice: User) -> None:
    job = JobFactory(owner=alice, state=JobState.SUCCEEDED)
    job.findings = [{"code": "<b>", "params": {}, "first_step": 1, "last_step": 2, "changes": {"epoch_count": 2}}]
    job.save()
    assert "<b>" not in page_of(browser, job).split("findings-title")[2]


def test_loss_that_is_no_number_from_the_first_step_on_is_borne() -> None:
    assert codes(store(JobFactory(), [float("nan")] * 3)) == ["not_finite"]
