"""The whole way, with a real model: from the link that the first start prints to a tuned model's answer."""

from playwright.sync_api import Page, expect

from tests.browser.walk import FirstJob


def test_losses_arrive_one_after_the_other_while_the_job_runs(first_job: FirstJob) -> None:
    assert len(set(first_job.losses)) >= 5
    assert first_job.losses[-1] < first_job.losses[0]


def test_job_makes_every_step_and_is_done(first_job: FirstJob, page: Page) -> None:
    assert first_job.steps == "19 of 19"
    page.goto(first_job.places["job"])
    expect(page.locator("#job-header .state")).to_have_text("Done")
    page.goto("/jobs/")
    expect(page.get_by_role("row", name="Counting", exact=False).last).to_contain_text("Done")


def test_tuned_model_answers(first_job: FirstJob) -> None:
    assert first_job.answer.strip()
