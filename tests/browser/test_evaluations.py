"""From a model's page to its scores, with a real model: how it goes on arrives by itself."""

import re

from playwright.sync_api import Page, expect


def test_scores_and_answers_stand_where_they_were_waited_for(page: Page, places: dict[str, str]) -> None:
    page.goto(places["evaluation"])
    expect(page.locator("#live .figure dd")).to_have_text(re.compile(r"\d+ % \d+ of 15 · 95 % interval"))
    expect(page.locator("#in-training")).to_be_visible()
    rows = page.locator("#answers tbody tr")
    expect(rows).to_have_count(15)
    right = page.locator("#answers .as-expected").count()
    assert right >= 8  # of what it was tuned on
    page.get_by_role("link", name="Not as expected").click()
    expect(page.locator("#answers [aria-current]")).to_have_text("Not as expected")
    expect(page).to_have_url(re.compile("only=wrong"))
    expect(page.locator("#answers").get_by_text("as expected", exact=True)).to_have_count(0)


def test_evaluation_is_reached_from_model_and_dataset(page: Page, places: dict[str, str]) -> None:
    for place in ("model", "dataset"):
        page.goto(places[place])
        page.locator("#evaluations tbody a").first.click()
        expect(page).to_have_url(re.compile(places["evaluation"]))


def test_evaluation_is_stopped_and_goes_on(page: Page, places: dict[str, str]) -> None:
    page.goto(places["evaluate"])
    page.get_by_label("Most tokens an answer").fill("200")
    page.get_by_role("button", name="Start the evaluation").click()
    page.get_by_role("button", name="Stop").click()
    state = page.locator("#evaluation-header .state")
    expect(state).to_have_text("Stopped")
    page.get_by_role("button", name="Go on").click()
    expect(state).to_have_text("Done", timeout=120_000)
    expect(page.locator("#live")).not_to_have_attribute("data-live", re.compile(""))
