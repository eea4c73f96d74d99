"""The library by hand and by keyboard, while it lives."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import walk
from tests.browser.chromium import WIDTHS, Visit
from tests.browser.product import Product
from tests.browser.test_accessibility import Scheme, check, options
from tests.browser.test_pages import overhang

pytestmark = [pytest.mark.browser, pytest.mark.engine]


@pytest.fixture(scope="module")
def shelved(product: Product, person: object) -> str:
    product.plant("kept-model")
    return "/library/?q=shelved"


@pytest.fixture
def library(page: Page, shelved: str) -> Page:
    page.goto(shelved)
    expect(page.locator("#facets li").first).to_be_visible()
    return page


def names(page: Page) -> list[str]:
    return page.locator("#rows .name a").all_inner_texts()


def test_search_narrows_models_and_facets_as_one_types(library: Page) -> None:
    library.keyboard.press("/")
    expect(library.get_by_label("Search the library")).to_be_focused()
    library.keyboard.type("shelved 17")
    expect(library.locator("#rows > *")).to_have_count(1)
    expect(library).to_have_url(re.compile("q=shelved(\\+|%20)17"))
    expect(library.locator("#facets li", has_text="Ada").locator(".number")).to_have_text("1")
    library.get_by_label("Search the library").fill("nothing is called so")
    expect(library.get_by_role("heading", name="No model is like that")).to_be_visible()


def test_facet_is_chosen_and_taken_back(library: Page) -> None:
    choice = library.locator("#facets li", has_text=re.compile(r"\binvoices\b"))
    counted = choice.locator(".number").inner_text()
    choice.get_by_role("link").click()
    expect(library.locator("#total")).to_have_text(f"{counted} models")
    expect(library.locator(".chip")).to_have_text(re.compile("Tags: invoices"))
    chosen = library.locator("#facets a[aria-current]")
    expect(chosen).to_have_text(re.compile("invoices"))
    chosen.click()
    expect(library.locator(".chip")).to_have_count(0)


@pytest.mark.parametrize("view", ["Cards", "Table"])
def test_models_are_walked_starred_selected_and_opened_by_keys(library: Page, view: str) -> None:
    library.get_by_role("button", name=view).click()
    expect(library.get_by_role("button", name=view)).to_have_attribute("aria-pressed", "true")
    for key in "jjjk":
        library.keyboard.press(key)
    expect(library.locator("#rows .name a").nth(1)).to_be_focused()
    star = library.locator("#rows > *").nth(1).get_by_role("button", name="Favourite")
    before = star.get_attribute("aria-pressed")
    library.keyboard.press("s")
    expect(star).to_have_attribute("aria-pressed", "false" if before == "true" else "true")
    library.keyboard.press("s")
    expect(star).to_have_attribute("aria-pressed", str(before))
    library.locator("#rows .name a").nth(1).focus()
    library.keyboard.press("x")
    expect(library.locator("#rows > *").nth(1).get_by_role("checkbox")).to_be_checked()
    expect(library.get_by_role("button", name="Make favourites")).to_be_in_viewport()
    expect(library.locator("[data-count]")).to_have_text("1")
    name = names(library)[1]
    library.keyboard.press("Enter")
    expect(library.get_by_role("heading", level=1)).to_have_text(name)


def test_star_is_pressed_and_found_again(library: Page) -> None:
    third = library.locator("#rows > *").nth(2)
    third.get_by_role("button", name="Favourite").click()
    expect(third.get_by_role("button", name="Favourite")).to_have_attribute("aria-pressed", "true")
    expect(third.get_by_role("button", name="Favourite")).to_be_focused()
    name = names(library)[2]
    library.goto("/library/?favourite=on")
    assert names(library) == [name]
    library.get_by_role("button", name="Favourite").click()
    library.goto("/library/?favourite=on")
    expect(library.get_by_role("heading", name="No model is like that")).to_be_visible()


@pytest.fixture
def colleagues(visit: Visit, shelved: str) -> Iterator[Page]:
    """The library of somebody else, who is no administrator."""
    with visit(storage_state=None) as page:
        page.goto("/library/")
        page.get_by_label("E-mail").fill("grace@example.com")
        page.get_by_label("Password").fill(walk.PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Library")
        yield page


@pytest.mark.parametrize("view", ["Cards", "Table"])
def test_what_is_shared_appears_by_itself_and_goes_again(colleagues: Page, product: Product, view: str) -> None:
    colleagues.get_by_role("button", name=view).click()
    rows = colleagues.locator("#rows > *")
    expect(rows).to_have_count(8)
    rows.nth(1).evaluate("row => { row.mark = 'the same'; }")
    rows.nth(1).get_by_role("checkbox").check()
    rows.nth(1).locator(".name a").focus()
    arrived = rows.filter(has_text="Shelved 2").first
    expect(colleagues.get_by_role("link", name="Shelved 2", exact=True)).to_have_count(0)
    try:
        product.plant("shared")
        expect(rows).to_have_count(9, timeout=30_000)
        expect(arrived).to_contain_text("Ada Lovelace")
        kept = rows.filter(has=colleagues.get_by_role("checkbox", checked=True))
        assert kept.evaluate("row => row.mark") == "the same"
        expect(kept.locator(".name a")).to_be_focused()
    finally:
        product.plant("unshared")
    expect(rows).to_have_count(8, timeout=30_000)


def test_notes_are_previewed_and_kept(page: Page, product: Product) -> None:
    page.goto(product.plant("kept-model"))
    expect(page.locator("#noted strong")).to_have_text("Grace")
    page.get_by_text("Change the notes").click()
    page.locator("#notes textarea").fill("Now **better**")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#noted strong")).to_have_text("better")
    page.get_by_role("button", name="Keep notes").click()
    expect(page.get_by_text("The notes are kept.")).to_be_visible()
    expect(page.locator("#noted strong")).to_have_text("better")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDTHS["phone"], WIDTHS["desk"]])
def test_library_fits_and_is_accessible(
    visit: Visit, shelved: str, product: Product, width: int, scheme: Scheme
) -> None:
    with visit(width=width, **options(scheme)) as page:
        for view in ("cards", "table"):
            page.goto(f"{shelved}&view={view}")
            expect(page.locator("#facets li").first).to_be_attached()
            page.locator("#rows").get_by_role("checkbox").first.check()
            assert not overhang(page)
            check(page)
        page.goto(product.plant("kept-model"))
        page.get_by_text("Change the notes").click()
        assert not overhang(page)
        check(page)
