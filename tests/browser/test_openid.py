"""Coming in by an account elsewhere, as a person sees it: a real provider, and a Tuneboard without a tuning server."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import walk
from tests.browser.chromium import opened
from tests.browser.product import Product, running
from tests.browser.test_accessibility import check_schemes
from tests.dashboard.openid.provider import Provider, provider

NOBODY = "http://127.0.0.1:9"
"""Where no tuning server is: only the dashboard is started, which takes a second."""


@pytest.fixture(scope="module")
def google() -> Iterator[Provider]:
    with provider() as google:
        emails = [walk.EMAIL, "grace@example.com", "eve@evil.example", "ada@private.example.com"]
        for subject, email in enumerate(emails):
            google.people[str(subject)] = {"email": email, "email_verified": True, "name": "Grace Hopper"}
        yield google


@pytest.fixture(scope="module")
def offering(google: Provider) -> dict[str, str]:
    """The settings of a Tuneboard whose people may come by the provider."""
    named = {"OPENID_ISSUER": google.url, "OPENID_CLIENT_ID": "us", "OPENID_CLIENT_SECRET": "our-secret"}
    return {**named, "OPENID_DOMAINS": "example.com, private.example.com", "TUNING_SERVER_URL": NOBODY}


@pytest.fixture(scope="module")
def tuneboard(
    browser: Browser, offering: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    """Ada has come by the welcome link and has a password."""
    with running(tmp_path_factory.mktemp("openid"), **offering) as product:
        with opened(browser, product.url) as page:
            walk.come_in(page, product.link)
        yield product


@pytest.fixture
def page(browser: Browser, tuneboard: Product) -> Iterator[Page]:
    """A page of somebody who is not signed in."""
    with opened(browser, tuneboard.url) as page:
        yield page


def agree(page: Page, email: str) -> None:
    """At the provider."""
    expect(page.get_by_role("heading")).to_have_text("Provider")
    page.get_by_role("button", name=email, exact=True).click()


def test_new_person_comes_in_and_lands_where_they_wanted(page: Page) -> None:
    page.goto("/datasets/")
    page.get_by_role("link", name="Sign in with Google").click()
    agree(page, "grace@example.com")
    expect(page.get_by_role("heading", level=1)).to_have_text("Datasets")
    page.goto("/account/")
    expect(page.get_by_text("Your only way in")).to_be_visible()
    expect(page.get_by_role("link", name="Change password")).to_have_count(0)
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("link", name="Sign in with Google").click()
    agree(page, "grace@example.com")
    expect(page.get_by_role("link", name="Grace Hopper")).to_be_visible()


def test_refusal_leads_to_being_asked_again(page: Page) -> None:
    page.goto("/sign-in/?next=/account/")
    page.get_by_role("link", name="Sign in with Google").click()
    page.get_by_role("button", name="No").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You did not agree")
    page.get_by_role("link", name="Grant again").click()
    assert "prompt=consent" in page.url
    agree(page, "grace@example.com")
    expect(page.get_by_role("heading", level=1)).to_have_text("Account")


def test_box_that_was_unticked_is_named_and_asked_for_again(page: Page) -> None:
    page.goto("/sign-in/")
    page.get_by_role("link", name="Sign in with Google").click()
    page.get_by_label("email").uncheck()
    agree(page, "grace@example.com")
    expect(page.get_by_role("heading", level=1)).to_have_text("Something that is needed was not granted")
    expect(page.get_by_text("Missing: your e-mail address.")).to_be_visible()
    page.get_by_role("link", name="Grant again").click()
    agree(page, "grace@example.com")
    expect(page.get_by_role("heading", level=1)).to_have_text("Jobs")


def test_account_of_another_domain_is_told_so_and_may_be_changed(page: Page) -> None:
    page.goto("/sign-in/")
    page.get_by_role("link", name="Sign in with Google").click()
    agree(page, "eve@evil.example")
    expect(page.get_by_role("heading", level=1)).to_have_text("Accounts of evil.example do not come in here")
    page.get_by_role("link", name="Use another account").click()
    assert "prompt=select_account" in page.url


def test_account_that_is_there_is_linked_by_its_password(page: Page) -> None:
    page.goto("/sign-in/?next=/account/")
    page.get_by_role("link", name="Sign in with Google").click()
    agree(page, walk.EMAIL)
    expect(page.get_by_role("heading", level=1)).to_have_text("Link accounts")
    page.get_by_label("Password here").fill("not the password")
    page.get_by_role("button", name="Link accounts").click()
    expect(page.get_by_text("do not belong together")).to_be_visible()
    page.get_by_label("Password here").fill(walk.PASSWORD)
    page.get_by_role("button", name="Link accounts").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Account")
    expect(page.get_by_role("heading", name="Accounts elsewhere")).to_be_visible()

    page.get_by_role("link", name="Link an account at Google").click()
    agree(page, "ada@private.example.com")
    expect(page.get_by_text("will be able to sign in as you")).to_be_visible()
    page.get_by_role("button", name="Link accounts").click()
    expect(page.locator("#messages")).to_contain_text("is linked")
    for email in (walk.EMAIL, "ada@private.example.com"):
        page.get_by_role("button", name=f"Unlink {email}").click()
        expect(page.locator("#messages")).to_contain_text(f"{email} is unlinked")


def test_pages_on_the_way_are_accessible(browser: Browser, tuneboard: Product) -> None:
    with opened(browser, tuneboard.url, bypass_csp=True) as page:
        page.goto("/sign-in/")
        check_schemes(page)
        page.goto("/sign-in/openid/")
        page.get_by_role("button", name="No").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You did not agree")
        check_schemes(page)
        page.goto("/sign-in/openid/")
        agree(page, walk.EMAIL)
        expect(page.get_by_role("heading", level=1)).to_have_text("Link accounts")
        check_schemes(page)


def test_without_local_accounts_all_ways_lead_by_the_provider(
    browser: Browser, offering: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = {**offering, "LOCAL_ACCOUNTS": "false", "OPENID_CREATES": "false"}
    with running(tmp_path_factory.mktemp("only"), **settings) as product, opened(browser, product.url) as page:
        page.goto(product.link)
        expect(page.get_by_label("Password", exact=True)).to_have_count(0)
        page.get_by_role("link", name="Sign in with Google").click()
        agree(page, walk.EMAIL)
        expect(page.get_by_role("heading", level=1)).to_have_text("Datasets")
        invitation = walk.invite(page, email="grace@example.com")
        with opened(browser, product.url) as others_page:
            others_page.goto("/sign-in/")
            expect(others_page.get_by_label("Password")).to_have_count(0)
            others_page.get_by_role("link", name="Sign in with Google").click()
            agree(others_page, "grace@example.com")
            expect(others_page.get_by_role("heading", level=1)).to_contain_text("There is no account for grace@")
            others_page.goto(urlsplit(invitation).path)
            others_page.get_by_role("link", name="Sign in with Google").click()
            agree(others_page, "grace@example.com")
            expect(others_page.get_by_role("heading", level=1)).to_have_text("Datasets")
        command(product, page)


def command(product: Product, page: Page) -> None:
    """The way back in, where the provider is broken."""
    link = product.manage("sign_in_link", walk.EMAIL)
    page.goto("/account/")
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.goto(urlsplit(link).path)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Account")
    expect(page.get_by_text(re.compile("Administrator")).first).to_be_visible()
