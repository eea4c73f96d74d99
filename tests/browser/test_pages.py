"""What holds for every page: no errors in the console, room on a phone, axe finds nothing, everything by keyboard.

The ``page`` fixtures fail a test when the console held an error.
"""

import pytest
from playwright.sync_api import Page, expect

from tests.browser import walk
from tests.browser.chromium import HEIGHT, WIDTHS, Visit
from tests.browser.test_accessibility import check_schemes


@pytest.mark.parametrize("name", [*walk.ROOMS, *walk.MADE])
def test_page_fits_is_accessible_and_says_nothing_in_the_console(page: Page, places: dict[str, str], name: str) -> None:
    page.set_viewport_size({"width": WIDTHS["phone"], "height": HEIGHT})
    walk.open_page(page, places[name])
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert_fits_and_is_accessible(page)


def test_settings_that_are_folded_away_fit_and_are_accessible(page: Page, places: dict[str, str]) -> None:
    page.set_viewport_size({"width": WIDTHS["phone"], "height": HEIGHT})
    for path in ("/jobs/new/", places["held-out-job"]):
        walk.open_page(page, path)
        walk.unfold(page)
        assert_fits_and_is_accessible(page)


@pytest.mark.parametrize("name", walk.SIGNED_OUT)
def test_strangers_page_fits_and_is_accessible(visit: Visit, name: str) -> None:
    with visit(storage_state=None, width=WIDTHS["phone"]) as page:
        page.goto(walk.SIGNED_OUT[name])
        assert_fits_and_is_accessible(page)


def assert_fits_and_is_accessible(page: Page) -> None:
    """At every width, from a phone's upwards, and in either scheme."""
    for width in WIDTHS.values():
        page.set_viewport_size({"width": width, "height": HEIGHT})
        assert not overhang(page), width
    check_schemes(page)


def overhang(page: Page) -> int:
    """By how many pixels the page can be scrolled sideways."""
    page.wait_for_load_state("networkidle")
    return int(page.evaluate("Math.max(0, document.documentElement.scrollWidth - window.innerWidth)"))


@pytest.mark.parametrize(
    ("keys", "heading"),
    [("gj", "Jobs"), ("gl", "Library"), ("gd", "Datasets"), ("gp", "Playground"), ("n", "New tuning job")],
)
def test_keys_lead_to_the_rooms(page: Page, keys: str, heading: str) -> None:
    page.goto("/account/")
    page.get_by_role("heading", level=1).click()
    for key in keys:
        page.keyboard.press(key)
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)


def test_keys_do_nothing_while_somebody_types(page: Page) -> None:
    page.goto("/account/")
    page.get_by_label("Name").press_sequentially("gj?n")
    expect(page.get_by_role("heading", level=1)).to_have_text("Account")
    expect(page.get_by_role("dialog")).not_to_be_visible()


def test_question_mark_shows_the_keys_and_escape_closes_them(page: Page) -> None:
    page.goto("/jobs/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).not_to_be_visible()


def test_first_tab_offers_to_skip_the_rail(page: Page) -> None:
    page.goto("/jobs/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_everything_in_the_rail_can_be_reached_by_tab(page: Page) -> None:
    page.goto("/jobs/")
    reached = []
    for _key in range(page.locator(".rail a").count() + 1):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
    assert [name for name in reached if name in {"Jobs", "Datasets", "Playground", "Ada Lovelace"}] == [
        "Jobs",
        "Datasets",
        "Playground",
        "Ada Lovelace",
    ]


def test_mistake_in_a_form_has_the_focus_and_what_was_typed_stays(strangers_page: Page) -> None:
    strangers_page.goto("/sign-in/")
    walk.sign_in(strangers_page, "not the password")
    expect(strangers_page.get_by_label("Password")).to_be_focused()
    expect(strangers_page.get_by_label("E-mail")).to_have_value(walk.EMAIL)


def test_sign_in_leads_to_the_page_that_was_wanted(strangers_page: Page) -> None:
    strangers_page.goto("/datasets/new/")
    walk.sign_in(strangers_page)
    expect(strangers_page).to_have_url(strangers_page.url.split("/sign-in")[0].split("/datasets")[0] + "/datasets/new/")


def test_session_that_ended_under_a_living_page_leads_back_to_it(visit: Visit, places: dict[str, str]) -> None:
    with visit() as page:
        page.goto("/playground/")
        page.context.clear_cookies(name="sessionid")
        page.get_by_label("Prompt").fill("LXIII")
        page.get_by_role("button", name="Ask").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        walk.sign_in(page)
        expect(page.get_by_role("heading", level=1)).to_have_text("Playground")


def test_person_can_go_all_the_way_without_scripts(visit: Visit, places: dict[str, str]) -> None:
    with visit(java_script_enabled=False) as page:
        page.goto(places["dataset"])
        walk.start_job(page, "Without scripts", epochs=1)
        page.get_by_role("button", name="Cancel job").click()
        page.goto(places["job"])
        page.get_by_role("link", name="Ask the model").click()
        assert walk.ask(page, "nine")
