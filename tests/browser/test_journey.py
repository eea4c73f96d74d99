"""The whole way, with a real model: from the link that the first start prints to a tuned model's answer."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from dashboard.datasets.samples import SAMPLES
from tests.browser import walk
from tests.browser.chromium import opened
from tests.browser.product import running

pytestmark = [pytest.mark.browser, pytest.mark.engine]


def test_from_the_welcome_link_to_an_answer(browser: Browser, tmp_path: Path, pictures: Path | None) -> None:
    numbers = next(sample.path for sample in SAMPLES if sample.path.name == "next-number.csv")
    with running(tmp_path) as product, opened(browser, product.url) as page:
        walk.come_in(page, product.link)
        walk.upload(page, numbers, "Next number")
        walk.start_job(page, "Counting", epochs=5, batch=4)

        losses = walk.losses_until_done(page)
        assert len(set(losses)) >= 5
        assert float(losses[-1]) < float(losses[0]) / 2
        expect(page.locator("#live")).to_contain_text("19 of 19")
        expect(page.locator("#loss.js-plotly-plot .scatterlayer path").first).to_be_visible()
        if pictures:
            page.screenshot(path=pictures / "journey.png")

        page.get_by_role("link", name="Ask the model").click()
        assert walk.ask(page, "LXIII").strip()
        page.goto("/jobs/")
        expect(page.get_by_role("row", name="Counting")).to_contain_text("Done")
