"""The list of jobs by hand and by keyboard, while it lives."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import HEIGHT, WIDTHS
from tests.browser.product import Product
from tests.browser.test_accessibility import check_schemes
from tests.browser.test_pages import overhang

pytestmark = [pytest.mark.browser, pytest.mark.engine]


@pytest.fixture(scope="module")
def listed(product: Product, person: object) -> str:
    return product.plant("listed")


@pytest.fixture
def jobs(page: Page, listed: str) -> Page:
    page.goto(listed)
    return page


def name_of(page: Page, row: int) -> str:
    return page.locator("#rows .name a").nth(row).inner_text()


def test_search_narrows_as_one_types_and_stands_in_the_address(jobs: Page) -> None:
    jobs.keyboard.press("/")
    expect(jobs.get_by_label("Search jobs")).to_be_focused()
    jobs.keyboard.type("planted 17")
    expect(jobs.locator("#rows tr")).to_have_count(1)
    expect(jobs).to_have_url(re.compile("q=planted(\\+|%20)17"))
    jobs.reload()
    expect(jobs.locator("#rows tr")).to_have_count(1)
    jobs.get_by_label("Search jobs").fill("nothing is called so")
    expect(jobs.get_by_role("heading", name="No job is like that")).to_be_visible()


def test_filters_are_chosen_and_taken_away_one_by_one(jobs: Page) -> None:
    jobs.get_by_role("link", name="Filter", exact=True).click()
    panel = jobs.get_by_role("form", name="Filters")
    panel.get_by_label("Failed").check()
    panel.get_by_label("every third").check()
    panel.get_by_role("button", name="Show these jobs").click()
    expect(jobs.locator(".chip")).to_have_count(2)
    assert {state.inner_text() for state in jobs.locator("#rows .state").all()} == {"Failed"}
    jobs.locator(".chip", has_text="Failed").click()
    expect(jobs.locator(".chip")).to_have_count(1)
    jobs.get_by_role("link", name="Clear all").click()
    expect(jobs.locator(".chip")).to_have_count(0)


def test_rows_are_walked_selected_and_opened_by_keys(jobs: Page) -> None:
    for key in "jjjk":
        jobs.keyboard.press(key)
    expect(jobs.locator("#rows .name a").nth(1)).to_be_focused()
    expect(jobs.get_by_role("button", name="Compare")).to_be_hidden()
    jobs.keyboard.press("x")
    expect(jobs.locator("#rows tr").nth(1).get_by_role("checkbox")).to_be_checked()
    expect(jobs.get_by_role("button", name="Compare")).to_be_in_viewport()
    expect(jobs.locator("[data-count]")).to_have_text("1")
    name = name_of(jobs, 1)
    jobs.keyboard.press("Enter")
    expect(jobs.get_by_role("heading", level=1)).to_have_text(name)


def test_many_are_tagged_at_once_and_compared(jobs: Page) -> None:
    for row in (1, 2):
        jobs.locator("#rows tr").nth(row).get_by_role("checkbox").check()
    jobs.get_by_label("Tag", exact=True).fill("Tonight")
    jobs.get_by_role("button", name="Add tag").click()
    expect(jobs.get_by_text("2 jobs bear “Tonight”")).to_be_visible()
    expect(jobs.locator("#rows .tag", has_text="Tonight")).to_have_count(2)
    for row in (1, 2):
        jobs.locator("#rows tr").nth(row).get_by_role("checkbox").check()
    jobs.get_by_role("button", name="Compare").click()
    expect(jobs).to_have_url(re.compile(r"/compare/\?jobs=\d+,\d+"))


def test_row_lives_while_another_is_selected_and_has_the_focus(jobs: Page, product: Product) -> None:
    running = jobs.locator("#rows tr", has_text="Planted and running")
    others = jobs.locator("#rows tr", has_not_text="Planted and running")
    running.get_by_role("checkbox").check()
    others.nth(3).get_by_role("checkbox").check()
    others.nth(3).locator(".name a").focus()
    others.nth(3).evaluate("row => { row.mark = 'the same'; }")
    product.plant("moved-on")
    expect(running).to_contain_text("7 / 19")
    expect(running.get_by_role("checkbox")).to_be_checked()
    expect(others.nth(3).get_by_role("checkbox")).to_be_checked()
    expect(others.nth(3).locator(".name a")).to_be_focused()
    assert others.nth(3).evaluate("row => row.mark") == "the same"
    expect(jobs.locator("[data-count]")).to_have_text("2")


def test_view_is_saved_and_columns_are_chosen(jobs: Page) -> None:
    jobs.goto("/jobs/?state=FAILED&sort=loss")
    jobs.get_by_text("Views", exact=True).click()
    jobs.get_by_label("Save this view as").fill("Failures by loss")
    jobs.get_by_role("button", name="Save view").click()
    jobs.goto("/jobs/")
    jobs.get_by_text("Views", exact=True).click()
    jobs.get_by_role("link", name="Failures by loss").click()
    expect(jobs.locator(".chip")).to_have_text(re.compile("State: Failed"))
    expect(jobs.locator("th[aria-sort=ascending]")).to_have_text("Loss")
    jobs.locator("summary", has_text="Columns").click()
    jobs.get_by_label("Learning rate").check()
    jobs.get_by_role("button", name="Show these").click()
    expect(jobs.get_by_role("columnheader", name="Learning rate")).to_be_visible()


@pytest.mark.parametrize("width", [WIDTHS["phone"], WIDTHS["desk"]])
def test_list_fits_and_is_accessible_with_all_its_panels(page: Page, listed: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": HEIGHT})
    page.goto("/jobs/?q=planted&state=FAILED")
    page.get_by_role("link", name="Filter", exact=True).click()
    expect(page.get_by_role("form", name="Filters")).to_be_visible()
    page.locator("#rows").get_by_role("checkbox").first.check()
    assert not overhang(page)
    check_schemes(page)
