"""What the curve says, shown where it says so; the next job one click away; and the room of notices."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import walk
from tests.browser.chromium import HEIGHT, WIDTHS
from tests.browser.product import Product
from tests.browser.test_pages import assert_fits_and_is_accessible
from tests.dashboard.notices.receiver import receiving


@pytest.fixture(scope="module")
def advised_job(product: Product, person: Any) -> str:
    return product.plant("advised")


def band(page: Page) -> list[float] | None:
    """From which step to which one the chart has a band."""
    script = """() => {
        const band = document.getElementById("loss").layout.shapes.find((shape) => shape.type === "rect");
        return band ? [band.x0, band.x1] : null;
    }"""
    return page.evaluate(script)  # type: ignore[no-any-return]


def wait_for_band(page: Page, there: bool) -> None:
    script = """there => document.getElementById("loss").layout.shapes.some((s) => s.type === "rect") === there"""
    page.wait_for_function(script, arg=there)


def test_evidence_is_drawn_while_somebody_points_at_a_finding(page: Page, advised_job: str) -> None:
    walk.open_page(page, advised_job)
    assert band(page) is None
    page.get_by_text("Flat since epoch 2: the last 15 steps").hover()
    wait_for_band(page, True)
    assert band(page) == [5, 19]
    page.get_by_role("heading", level=1).hover()
    wait_for_band(page, False)


def test_evidence_is_there_by_keyboard_and_stays_when_it_is_wanted(page: Page, advised_job: str) -> None:
    walk.open_page(page, advised_job)
    show = page.get_by_role("button", name="Show steps 5–19 in the curve")
    show.focus()
    wait_for_band(page, True)
    page.keyboard.press("Enter")
    expect(show).to_have_attribute("aria-pressed", "true")
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("Tab")
    assert band(page) == [5, 19]
    show.click()
    page.get_by_role("heading", level=1).click()
    page.get_by_role("button", name="Cancel").or_(page.get_by_role("link", name="Ask the model")).first.focus()
    wait_for_band(page, False)


def test_next_job_is_one_click_away(page: Page, advised_job: str) -> None:
    page.goto(advised_job)
    page.get_by_role("link", name="Clone with epochs = 2").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("New tuning job")
    expect(page.get_by_label("Epochs")).to_have_value("2")
    expect(page.get_by_label("Name")).to_have_value("Flat since long")


def test_notices_are_counted_followed_and_read(page: Page, advised_job: str) -> None:
    page.goto("/jobs/")
    bell = page.get_by_role("link", name=re.compile(r"^Notices\s*\d+ unread$"))
    before = int(re.findall(r"\d+", bell.inner_text())[0])
    bell.click()
    expect(page.get_by_text("The loss of “A name that is as long as a name can be” turned up").first).to_be_visible()
    expect(page.get_by_text("The machine ran out of memory.")).to_be_visible()
    page.get_by_role("link", name="“Flat since long” is done").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Flat since long")
    expect(page.get_by_role("link", name=f"Notices {before - 1} unread")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_role("link", name="Notices", exact=True)).to_be_visible()


def test_bell_rings_on_a_page_that_is_open(page: Page, product: Product, person: Any) -> None:
    page.goto("/notices/")
    if page.get_by_role("button", name="Mark all as read").is_visible():
        page.get_by_role("button", name="Mark all as read").click()
    expect(page.locator("#bell .badge")).to_have_count(0)
    product.plant("advised")
    page.evaluate("bellAsked = 0")
    expect(page.locator("#bell .badge")).to_be_visible()


def test_webhook_is_made_its_secret_shown_once_and_its_test_logged(page: Page) -> None:
    page.goto("/notices/settings/")
    page.get_by_label("Address").fill("https://localhost/hook")
    page.get_by_role("button", name="Create webhook").click()
    expect(page.get_by_text("No public host has this name")).to_be_visible()
    expect(page.get_by_label("Address")).to_be_focused()
    with receiving(204, 500) as receiver:
        page.get_by_label("Address").fill(receiver.url)
        page.get_by_role("button", name="Create webhook").click()
        expect(page.get_by_text(re.compile("whsec_"))).to_be_visible()
        page.goto("/notices/settings/")
        expect(page.get_by_text(re.compile("whsec_"))).to_have_count(0)
        page.get_by_role("button", name="Send a test").click()
        expect(page.get_by_role("row", name=re.compile("Test.*Delivered.*204"))).to_be_visible()
        page.get_by_role("button", name="Send again").click()
        expect(page.get_by_role("row", name=re.compile("Test.*500.*try 1 of 6.*Next try"))).to_be_visible()
        page.get_by_role("button", name="Send a test").click()
        expect(page.get_by_role("row", name=re.compile("Test.*500.*try 1 of 6.*On its way"))).to_be_visible()
        assert len(receiver.got) == 2
    page.get_by_role("button", name="Remove webhook").click()
    expect(page.get_by_text("The webhook is removed.")).to_be_visible()


def test_findings_and_notices_fit_and_are_accessible(page: Page, advised_job: str) -> None:
    page.set_viewport_size({"width": WIDTHS["phone"], "height": HEIGHT})
    walk.open_page(page, advised_job)
    page.get_by_role("button", name="Show steps 5–19 in the curve").click()
    assert_fits_and_is_accessible(page)
    page.goto("/notices/")
    assert_fits_and_is_accessible(page)
