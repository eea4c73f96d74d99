"""Connections as people see them: set up, connected in one's own name, ended, taken back, connected anew."""

import re
from collections.abc import Iterator

import flask
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import walk
from tests.browser.chromium import opened
from tests.browser.product import Product, running
from tests.browser.test_accessibility import check_schemes
from tests.dashboard.openid.provider import Provider, provider

NOBODY = "http://localhost:9"
"""Where no service is: only the dashboard is started, which takes a second."""
TUNING = "https://www.googleapis.com/auth/generative-language.tuning"
END = "from dashboard.connections.models import Account; from django.utils import timezone; {}"
END = END.format("Account.objects.update(expires=timezone.now())")


@pytest.fixture(scope="module")
def google() -> Iterator[Provider]:
    with provider() as google:
        for subject, email in enumerate(["ada@example.com", "countess@example.com"]):
            google.people[str(subject)] = {"email": email, "email_verified": True}
        yield google


@pytest.fixture(scope="module")
def tuneboard(browser: Browser, google: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    named = {"OPENID_ISSUER": google.url, "OPENID_CLIENT_ID": "us", "OPENID_CLIENT_SECRET": "our-secret"}
    with running(tmp_path_factory.mktemp("connections"), TUNING_SERVER_URL=NOBODY, **named) as product:
        yield product


@pytest.fixture(scope="module")
def page(browser: Browser, tuneboard: Product) -> Iterator[Page]:
    """Ada's, who is an administrator; she is at the page of a connection that she has set up."""
    with opened(browser, tuneboard.url) as page:
        walk.come_in(page, tuneboard.link)
        set_up(page)
        yield page


def set_up(page: Page) -> None:
    page.get_by_role("link", name="Connections", exact=True).click()
    page.get_by_role("link", name="New connection").click()
    page.get_by_role("link", name="Gemini API").click()
    page.get_by_label("Name").fill("Gemini of the team")
    expect(page.get_by_label("client_secret.json")).to_be_visible()
    expect(page.get_by_label("API key")).to_be_hidden()
    page.get_by_label("Who asks there").select_option("A key that all share")
    expect(page.get_by_label("API key")).to_be_visible()
    check_schemes(page)
    page.get_by_label("Who asks there").select_option("Each person’s own Google account")
    page.get_by_label("Address").fill("http://gemini.example.com")
    page.get_by_role("button", name="Set up connection").click()
    expect(page.get_by_text("Tokens go over https only")).to_be_visible()
    page.get_by_label("Address").fill(NOBODY)
    page.get_by_role("button", name="Set up connection").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Gemini of the team")


def agree(page: Page, email: str = "ada@example.com") -> None:
    """At the provider."""
    expect(page.get_by_role("heading")).to_have_text("Provider")
    page.get_by_role("button", name=email, exact=True).click()


def at_connection(page: Page) -> None:
    page.goto("/connections/")
    page.get_by_role("link", name="Gemini of the team", exact=True).click()


def test_account_is_connected_after_a_refusal_and_a_box_left_empty(page: Page) -> None:
    at_connection(page)
    expect(page.get_by_text("Not connected")).to_be_visible()
    check_schemes(page)
    page.get_by_role("link", name="Connect your Google account").click()
    page.get_by_role("button", name="No").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You did not agree")
    page.get_by_role("link", name="Begin again").click()
    page.get_by_label(TUNING).uncheck()
    agree(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Something that is needed was not granted")
    expect(page.get_by_text("tuned models of the Gemini API (generative-language.tuning)")).to_be_visible()
    check_schemes(page)
    page.get_by_role("link", name="Grant again").click()
    agree(page)
    expect(page.get_by_text("ada@example.com is connected.")).to_be_visible()
    check_schemes(page)


def test_token_that_has_ended_is_renewed_unseen(page: Page, google: Provider, tuneboard: Product) -> None:
    at_connection(page)
    tuneboard.manage("shell", "-c", END)
    before = len(google.asked)
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#checks li")).to_have_text([re.compile("Your account is connected"), re.compile("not answer")])
    check_schemes(page)
    assert [form["grant_type"] for form in google.asked[before:]] == ["refresh_token"]


def test_grant_that_was_taken_back_is_told_and_given_anew(page: Page, google: Provider, tuneboard: Product) -> None:
    google.answer = lambda: flask.make_response({"error": "invalid_grant"}, 400)
    tuneboard.manage("shell", "-c", END)
    at_connection(page)
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#checks li", has_text="Missing")).to_be_visible()
    google.answer = None
    page.goto("/playground/")
    notice = page.locator(".notice", has_text="Gemini of the team")
    expect(notice).to_contain_text("is to be connected anew")
    check_schemes(page)
    notice.get_by_role("link").click()
    agree(page, "countess@example.com")
    expect(page.get_by_text("countess@example.com is connected.")).to_be_visible()
    expect(page.get_by_text("Before, it was ada@example.com")).to_be_visible()


def test_disconnecting_takes_it_back(page: Page, google: Provider) -> None:
    at_connection(page)
    page.get_by_role("button", name="Disconnect your account").click()
    expect(page.get_by_text("countess@example.com is disconnected.")).to_be_visible()
    assert len(google.revoked) == 1


def test_connection_goes(page: Page) -> None:
    at_connection(page)
    page.locator("summary[aria-label=More]").click()
    page.get_by_role("link", name="Remove connection").click()
    check_schemes(page)
    page.get_by_role("button", name="Remove connection, jobs and models").click()
    expect(page.get_by_text("“Gemini of the team” was removed.")).to_be_visible()
    expect(page.get_by_role("link", name="Gemini of the team", exact=True)).to_have_count(0)
