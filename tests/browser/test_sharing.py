"""Two people in two browsers: one shares a model, the other sees it come, uses it, and loses it again."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import walk
from tests.browser.chromium import WIDTHS, Visit
from tests.browser.test_accessibility import Scheme, both_schemes, check, options
from tests.browser.test_pages import overhang

BOB = "bob@example.com"
ONE_POLL = 10_000
"""Milliseconds in which a list that waits has asked at least once."""


@pytest.fixture(scope="module")
def job(first_job: walk.FirstJob) -> str:
    return first_job.places["job"]


@pytest.fixture
def bobs_page(visit: Visit, page: Page) -> Iterator[Page]:
    """Of a member who has nothing of his own."""
    with visit(storage_state=None) as bobs:
        walk.accept(bobs, walk.invite(page), "Bob", BOB)
        expect(bobs.get_by_role("link", name="Jobs").first).to_be_visible()
        bobs.goto("/jobs/")
        yield bobs


def test_shared_seen_used_handed_over_and_lost(page: Page, bobs_page: Page, job: str) -> None:
    shared = bobs_page.get_by_role("link", name="Counting", exact=True)
    expect(shared).to_have_count(0)
    page.goto(job)
    share(page)

    bobs_page.get_by_role("link", name="Show the list as it is").click(timeout=ONE_POLL)
    shared.click()
    expect(bobs_page.locator("#job-header")).to_contain_text("of Ada Lovelace")
    expect(bobs_page.get_by_role("link", name="Share", exact=True)).to_have_count(0)
    bobs_page.get_by_role("link", name="Ask the model").click()
    assert walk.ask(bobs_page, "LXIII")

    page.get_by_role("link", name="Share", exact=True).click()
    row = page.locator(".grants li", has_text=BOB)
    row.get_by_role("link", name="Make owner").click()
    expect(page.get_by_role("heading", name="Make Bob the owner of “Counting”?")).to_be_visible()
    page.get_by_role("button", name="Make owner").click()
    expect(page.get_by_role("status").filter(has_text="Bob is the owner now.")).to_be_visible()

    bobs_page.goto(job)
    bobs_page.get_by_role("link", name="Share", exact=True).click()
    bobs_page.locator(".grants li", has_text=walk.EMAIL).get_by_role("link", name="Make owner").click()
    bobs_page.get_by_role("button", name="Make owner").click()
    expect(bobs_page.get_by_role("status").filter(has_text="Ada Lovelace is the owner now.")).to_be_visible()
    bobs_page.goto("/jobs/")
    expect(shared).to_be_visible()

    page.goto(job)
    page.get_by_role("link", name="Share", exact=True).click()
    page.get_by_role("button", name="Stop sharing with Bob").click()
    expect(page.get_by_text("No longer shared with Bob.")).to_be_visible()
    bobs_page.get_by_role("link", name="Show the list as it is").click(timeout=ONE_POLL)
    expect(shared).to_have_count(0)
    bobs_page.goto(job)
    expect(bobs_page.get_by_role("heading", level=1)).to_have_text("Not found, or not yours")


def share(page: Page) -> None:
    """By keyboard alone: open the dialog, share, close it."""
    opener = page.get_by_role("link", name="Share", exact=True)
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Share “Counting”")
    expect(dialog).to_be_visible()
    email = dialog.get_by_label("E-mail")
    email.fill("nobody")
    page.keyboard.press("Enter")
    email.fill(BOB)
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("Shared with Bob.")).to_be_visible()
    expect(dialog.locator(".grants")).to_contain_text(BOB)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


@both_schemes
def test_dialog_is_accessible(visit: Visit, job: str, scheme: Scheme) -> None:
    with visit(**options(scheme)) as page:
        page.goto(job)
        page.get_by_role("link", name="Share", exact=True).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        check(page)


def test_dialog_fits_a_phone(visit: Visit, job: str) -> None:
    with visit(width=WIDTHS["phone"]) as page:
        page.goto(job)
        page.get_by_role("link", name="Share", exact=True).click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        assert overhang(page) == 0
        box = dialog.bounding_box()
        assert box
        assert box["width"] <= WIDTHS["phone"]
        dialog.get_by_role("button", name="Close").click()
        expect(dialog).to_be_hidden()
