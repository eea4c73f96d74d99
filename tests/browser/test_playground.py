"""Asking: by key, again and again, each answer below the one before."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.product import Product

pytestmark = [pytest.mark.browser, pytest.mark.engine]

PATIENCE = 60_000
"""Milliseconds an answer may take where two cores are busy with other things."""


@pytest.fixture
def playground(page: Page) -> Page:
    """A base model chosen: the newest tuned one may be another test's, whose service knows nothing of it."""
    page.goto("/playground/")
    page.get_by_label("Model").select_option(label="SmolLM2 135M Instruct")
    page.get_by_label("Most tokens").fill("4")
    page.get_by_label("Prompt").fill("one")
    return page


@contextmanager
def held(page: Page, path: str) -> Iterator[None]:
    """What the page posts to ``path`` goes out at the end: an answer may come sooner than somebody can look."""
    posted: list[Route] = []

    def hold(route: Route) -> None:
        posted.append(route)

    page.route(f"**{path}", hold, times=1)
    yield
    while not posted:
        page.wait_for_timeout(10)
    posted[0].continue_()


def test_answers_follow_one_another_and_the_prompt_stays_to_be_changed(playground: Page) -> None:
    page = playground
    page.get_by_label("Prompt").fill("  one")
    with held(page, "/playground/"):
        page.keyboard.press("Control+Enter")
        expect(page.get_by_role("button", name="Asking")).to_be_disabled()
    expect(page.locator(".turn .prompt")).to_have_text("  one", timeout=PATIENCE)
    expect(page.get_by_label("Prompt")).to_be_focused()
    expect(page.get_by_label("Prompt")).to_have_value("  one")
    page.get_by_label("Prompt").fill("<b>two</b>")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator(".turn .prompt").last).to_have_text("<b>two</b>", timeout=PATIENCE)
    expect(page.locator(".turn")).to_have_count(2)


def test_answer_is_seen_while_it_is_made_and_can_be_stopped(playground: Page) -> None:
    page = playground
    page.get_by_label("Temperature").fill("0")
    page.get_by_label("Most tokens").fill("1000")
    page.get_by_label("Prompt").fill("Write a long story about a lighthouse.")
    page.get_by_role("button", name="Ask").click()
    draft = page.locator("#draft")
    expect(draft.locator(".answer")).to_have_text(re.compile(r"(\w+\W+){5}"), timeout=PATIENCE)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".turn")).to_have_count(1)
    expect(page.locator(".turn")).to_contain_text("Stopped.")
    expect(page.locator(".turn .answer")).not_to_be_empty()
    expect(draft).to_be_hidden()
    page.get_by_label("Most tokens").fill("4")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator(".turn")).to_have_count(2, timeout=PATIENCE)
    expect(page.locator(".turn").last).not_to_contain_text("Stopped.")
    expect(draft).to_be_hidden()


def test_answer_takes_no_focus_from_another_field(playground: Page) -> None:
    page = playground
    page.get_by_role("button", name="Ask").click()
    page.get_by_label("Temperature").click()
    expect(page.locator(".turn")).to_have_count(1, timeout=PATIENCE)
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_enabled()
    expect(page.get_by_label("Temperature")).to_be_focused()


def test_wrong_number_has_its_error_and_the_focus_and_the_turns_stay(playground: Page) -> None:
    page = playground
    page.get_by_role("button", name="Ask").click()
    expect(page.locator(".turn")).to_have_count(1, timeout=PATIENCE)
    page.get_by_label("Most tokens").fill("1000000")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_label("Most tokens")).to_be_focused()
    expect(page.locator(".field .error")).to_contain_text("at most")
    expect(page.locator(".turn")).to_have_count(1)


def test_bell_takes_no_focus_from_who_mends_another_field(playground: Page, product: Product) -> None:
    page = playground
    page.get_by_label("Most tokens").fill("1000000")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_label("Most tokens")).to_be_focused()
    page.get_by_label("Prompt").focus()
    bell = page.locator("#bell")
    before = bell.inner_text()
    product.plant("advised")
    page.evaluate("bellAsked = 0")
    expect(bell).not_to_have_text(before)
    expect(page.get_by_label("Prompt")).to_be_focused()
