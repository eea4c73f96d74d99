"""Two people in two browsers: one invites, the other comes by the link, and is seen off in the end."""

import re

from playwright.sync_api import Page, expect

from tests.browser import walk


def test_somebody_comes_by_a_link_and_is_seen_off(page: Page, strangers_page: Page) -> None:
    page.goto("/teams/new/")
    page.get_by_label("Name").fill("Night shift")
    page.get_by_role("button", name="Create team").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Night shift")
    walk.accept(strangers_page, walk.invite(page, team="Night shift"), "Alan Turing", "alan@example.com")
    expect(strangers_page.get_by_role("heading", level=1)).to_have_text("Night shift")
    expect(strangers_page.get_by_text("ada@example.com")).to_be_visible()
    strangers_page.goto("/datasets/")
    strangers_page.get_by_role("button", name="Use").first.click()
    expect(strangers_page.get_by_role("link", name="Start tuning")).to_be_visible()
    dataset = strangers_page.url

    page.goto("/people/")
    page.get_by_label("Search people").fill("turing")
    expect(page.get_by_role("status")).to_contain_text("1 person")
    page.get_by_role("link", name="Alan Turing").click()
    page.get_by_role("link", name="See off").click()
    page.get_by_role("button", name="Show what would happen").click()
    expect(page.get_by_text("1 dataset goes to Ada Lovelace.")).to_be_visible()
    page.get_by_role("button", name=re.compile("^See Alan Turing off")).click()
    expect(page.get_by_text("Seen off: everything is handed over to Ada Lovelace")).to_be_visible(timeout=90_000)

    strangers_page.goto(dataset)
    expect(strangers_page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.goto(dataset)
    expect(page.get_by_role("link", name="Start tuning")).to_be_visible()
