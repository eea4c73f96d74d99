"""The whole way, with a real model: from the link that the first start prints to a tuned model's answer."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.chromium import Visit
from tests.browser.walk import QUICK, FirstJob, held_out_job, upload


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


def test_what_was_found_out_on_held_out_examples_came_while_somebody_looked_on(
    visit: Visit, first_job: FirstJob
) -> None:
    with visit() as page:
        held_out_job(page, first_job.places["dataset"], base=QUICK)
        expect(page.locator("#best")).to_contain_text("This is the model that is kept")
        expect(page.locator("#samples summary").first).to_contain_text("After epoch 2")
        expect(page.locator("#samples tbody").first.get_by_role("row")).to_have_count(2)
        expect(page.get_by_role("link", name="Adapter, zip")).to_be_visible()
        assert page.evaluate("document.getElementById('loss').data[2].x.length") == 2
        expect(page.locator("#log li").first).not_to_be_empty()


def test_defaults_follow_the_dataset_unless_they_were_changed(page: Page, first_job: FirstJob, tmp_path: Path) -> None:
    rows = "".join(f'{{"text_input": "{number}", "output": "{number + 1}"}}\n' for number in range(1_001))
    (tmp_path / "many.jsonl").write_text(rows)
    upload(page, tmp_path / "many.jsonl", "Many numbers")
    page.goto("/jobs/new/")
    expect(page.get_by_label("Epochs")).to_have_value("3")
    page.get_by_label("Batch size").fill("5")
    page.get_by_label("Dataset", exact=True).select_option(label="Next number, 15 examples")
    expect(page.get_by_label("Epochs")).to_have_value("5")
    expect(page.get_by_label("Batch size")).to_have_value("5")
