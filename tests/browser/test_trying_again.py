"""A job that fails says why, and goes on when it is tried again."""

from contextlib import suppress

import psutil
from playwright.sync_api import Page, expect

from dashboard.datasets.samples import SAMPLES
from tests.browser import walk
from tests.browser.product import Product

TUNED = 120_000
"""Milliseconds in which a short job ends on two busy cores."""


def test_job_whose_process_is_killed_fails_and_is_tried_again(page: Page, product: Product) -> None:
    walk.upload(page, SAMPLES[0].path, "Numbers to fail with")
    walk.start_job(page, "Failing", epochs=20, base=walk.QUICK)
    state = page.locator("#job-header .state")
    while state.text_content() != "Failed":
        kill_training(product)
        page.wait_for_timeout(100)
    expect(page.get_by_role("main")).to_contain_text("The tuning process was killed twice")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#messages")).to_contain_text("is queued again")
    expect(state).to_have_text("Done", timeout=TUNED)
    expect(page.get_by_role("link", name="Ask the model")).to_be_visible()


def kill_training(product: Product) -> None:
    """End the processes that tune, or wait to, as the system does where memory runs out."""
    for process in psutil.Process(product.process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if "tuning.engine.training" in process.cmdline():
                process.kill()
