"""axe finds nothing, in either scheme, in what a person makes of a page. As they come, pages are in test_pages.py."""

from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser import walk

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
both_schemes = pytest.mark.parametrize("scheme", SCHEMES)


def options(scheme: Scheme) -> dict[str, Any]:
    # axe is injected into the page, which our Content-Security-Policy would rightly refuse.
    return {"color_scheme": scheme, "reduced_motion": "reduce", "bypass_csp": True}


def check(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def check_schemes(page: Page) -> None:
    """The page as it is, in light and in dark."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        check(page)


def test_form_with_mistakes_is_accessible(strangers_page: Page) -> None:
    strangers_page.goto("/sign-in/")
    walk.sign_in(strangers_page, "not the password")
    expect(strangers_page.get_by_text("do not belong together")).to_be_visible()
    check_schemes(strangers_page)


def test_keys_dialog_is_accessible(page: Page) -> None:
    page.goto("/jobs/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    check_schemes(page)


def test_answer_is_accessible(page: Page, places: dict[str, str]) -> None:
    page.goto(places["job"])
    page.get_by_role("link", name="Ask the model").click()
    walk.ask(page, "nine")
    check_schemes(page)
