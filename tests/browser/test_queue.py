"""The queue room by hand: an administrator moves a job to the front and cancels jobs."""

import pytest
from playwright.sync_api import Page, expect

from dashboard.datasets.samples import SAMPLES
from tests.browser import walk

pytestmark = [pytest.mark.browser, pytest.mark.engine]


def test_job_is_moved_to_the_front_and_all_are_cancelled(page: Page) -> None:
    walk.upload(page, SAMPLES[0].path, "Number pairs in a queue")
    dataset = page.url
    for n in range(3):
        page.goto(dataset)
        walk.start_job(page, f"Waiting {n}", epochs=500)
    page.goto("/queue/")
    last = page.locator("tr", has_text="Waiting 2")
    last.get_by_role("button", name="First").click()
    expect(last).to_contain_text("priority 1")
    expect(page.locator("table.queue tbody tr").filter(has_text="Waiting").nth(1)).to_contain_text("Waiting 2")
    for n in range(3):
        row = page.locator("tr", has_text=f"Waiting {n}")
        row.get_by_role("button", name="Cancel").click()
        expect(row).to_have_count(0)
