"""axe finds nothing, on any page, in either scheme."""

from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser import walk
from tests.browser.chromium import Visit

Scheme = Literal["light", "dark"]
both_schemes = pytest.mark.parametrize("scheme", ["light", "dark"])


def options(scheme: Scheme) -> dict[str, Any]:
    # axe is injected into the page, which our Content-Security-Policy would rightly refuse.
    return {"color_scheme": scheme, "reduced_motion": "reduce", "bypass_csp": True}


def check(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


@both_schemes
@pytest.mark.parametrize("name", [*walk.ROOMS, *walk.MADE])
def test_page_is_accessible(visit: Visit, places: dict[str, str], name: str, scheme: Scheme) -> None:
    with visit(**options(scheme)) as page:
        walk.open_page(page, places[name])
        check(page)


@both_schemes
@pytest.mark.parametrize("name", walk.SIGNED_OUT)
def test_strangers_page_is_accessible(visit: Visit, name: str, scheme: Scheme) -> None:
    with visit(storage_state=None, **options(scheme)) as page:
        page.goto(walk.SIGNED_OUT[name])
        check(page)


@both_schemes
def test_form_with_mistakes_is_accessible(visit: Visit, scheme: Scheme) -> None:
    with visit(storage_state=None, **options(scheme)) as page:
        page.goto("/sign-in/")
        walk.sign_in(page, "not the password")
        expect(page.get_by_text("do not belong together")).to_be_visible()
        check(page)


@both_schemes
def test_settings_that_are_folded_away_are_accessible(visit: Visit, places: dict[str, str], scheme: Scheme) -> None:
    with visit(**options(scheme)) as page:
        page.goto("/jobs/new/")
        walk.unfold(page)
        check(page)
        walk.open_page(page, places["held-out-job"])
        walk.unfold(page)
        check(page)


@both_schemes
def test_keys_dialog_is_accessible(visit: Visit, scheme: Scheme) -> None:
    with visit(**options(scheme)) as page:
        page.goto("/jobs/")
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        check(page)


@both_schemes
def test_answer_is_accessible(visit: Visit, places: dict[str, str], scheme: Scheme) -> None:
    with visit(**options(scheme)) as page:
        page.goto(places["job"])
        page.get_by_role("link", name="Ask the model").click()
        walk.ask(page, "nine")
        check(page)
