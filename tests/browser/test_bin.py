"""A deleted model, restored with its curve and its adapter: it answers again. And one that is deleted for good."""

import pytest
from playwright.sync_api import Page, expect

from dashboard.datasets.samples import SAMPLES
from tests.browser import walk

TUNED = 120_000
"""Milliseconds in which a short job ends on two busy cores."""


@pytest.fixture
def job(page: Page) -> str:
    """The path of a job that is done."""
    walk.upload(page, SAMPLES[0].path, "Numbers to restore")
    walk.start_job(page, "Restored one", epochs=1)
    expect(page.locator("#job-header .state")).to_have_text("Done", timeout=walk.PREPARING + TUNED)
    return page.url


def drawn(page: Page) -> list[float]:
    page.wait_for_function("() => document.getElementById('loss').data?.[0].y?.length > 1")
    losses: list[float] = page.evaluate("Array.from(document.getElementById('loss').data[0].y)")
    return losses


def asked(page: Page) -> str:
    page.get_by_role("link", name="Ask the model").click()
    page.get_by_label("Temperature").fill("0")
    page.get_by_label("Most tokens").fill("4")
    return walk.ask(page, "5")


def test_deleted_model_is_restored_with_its_curve_and_answers_again(page: Page, job: str) -> None:
    page.goto(job)
    curve = drawn(page)
    answer = asked(page)
    page.goto(job)
    page.locator("#job-header").get_by_label("More").click()
    page.get_by_role("link", name="Delete model and its adapter").click()
    page.get_by_role("button", name="Delete model and its adapter").click()
    expect(page.locator("#messages")).to_contain_text("It can be restored for 14 days")
    gone = page.request.get(job)
    assert gone.status == 404
    page.goto("/playground/")
    expect(page.get_by_label("Model")).not_to_contain_text("Restored one")
    page.goto("/library/bin/")
    row = page.get_by_role("row", name="Restored one")
    expect(row).to_contain_text("by Ada Lovelace")
    row.get_by_role("button", name="Restore Restored one").click()
    expect(page.locator("#messages")).to_contain_text("is back, with its curve and its adapter")
    page.goto(job)
    assert drawn(page) == curve
    assert asked(page) == answer


def test_model_is_deleted_for_good_by_the_worker_and_the_bin_forgets_it(page: Page, job: str) -> None:
    page.goto(job)
    page.locator("#job-header").get_by_label("More").click()
    page.get_by_role("link", name="Delete model and its adapter").click()
    page.get_by_role("button", name="Delete model and its adapter").click()
    page.goto("/library/bin/")
    page.get_by_role("link", name="Delete Restored one for good").first.click()
    page.get_by_role("button", name="Delete for good now").click()
    for _ in range(60):
        if "Restored one" not in page.get_by_role("main").inner_text():
            break
        page.wait_for_timeout(500)
        page.goto("/library/bin/")
    expect(page.get_by_role("main")).to_contain_text("The bin is empty")
