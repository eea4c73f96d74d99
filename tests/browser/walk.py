"""What a person does, one function a step; each ends when the page shows that it is done."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

EMAIL = "ada@example.com"
PASSWORD = "correct horse battery"
PREPARING = 180_000
"""Milliseconds that a first job may wait for its base model to be prepared."""


def come_in(page: Page, link: str) -> None:
    """Open the welcome link and become the administrator."""
    page.goto(link)
    page.get_by_label("Name").fill("Ada Lovelace")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Datasets")


def sign_in(page: Page, password: str = PASSWORD) -> None:
    """Fill in the form that the page shows."""
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def upload(page: Page, file: Path, name: str) -> None:
    """Make a dataset of ``file`` and end on its page."""
    page.goto("/datasets/new/")
    page.get_by_label("File").set_input_files(file)
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name=re.compile("Upload")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def start_job(page: Page, name: str, *, epochs: int = 5, batch: int = 4) -> None:
    """From a dataset's page to the page of a job that tunes on it."""
    page.get_by_role("link", name="Start tuning").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Epochs").fill(str(epochs))
    page.get_by_label("Batch size").fill(str(batch))
    page.get_by_role("button", name="Start tuning").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def losses_until_done(page: Page) -> list[str]:
    """Every loss that the page of a job shows while it runs, in order. Ends when the job is done."""
    state, loss = page.locator("#job-header .state"), page.locator("#loss-now")
    expect(state).to_have_text(re.compile("Tuning|Done|Failed"), timeout=PREPARING)
    seen = [_number(loss.inner_text())]
    while state.inner_text() == "Tuning":
        # The page brings the next value by itself; nobody reloads it.
        page.wait_for_timeout(100)
        if (shown := _number(loss.inner_text())) != seen[-1]:
            seen.append(shown)
    expect(state).to_have_text("Done")
    return [value for value in seen if value]


def ask(page: Page, prompt: str) -> str:
    """Put a question in the playground; the answer."""
    turns = page.locator(".turn")
    earlier = turns.count()
    page.get_by_label("Prompt").fill(prompt)
    page.get_by_role("button", name="Ask").click()
    expect(turns).to_have_count(earlier + 1, timeout=60_000)
    return turns.last.locator(".answer").inner_text()


def _number(text: str) -> str:
    """The number that ``text`` begins with; empty while there is none."""
    found = re.match(r"-?\d[\d.]*", text)
    return found[0] if found else ""


SIGNED_OUT = {"sign-in": "/sign-in/", "welcome-over": "/welcome/used/"}
"""Pages that a stranger sees."""

ROOMS = {
    "jobs": "/jobs/",
    "new-job": "/jobs/new/",
    "datasets": "/datasets/",
    "new-dataset": "/datasets/new/",
    "playground": "/playground/",
    "account": "/account/",
    "change-password": "/account/password/",
    "not-found": "/nothing/here/",
}
"""Pages that are there from the start."""

MADE = ("dataset", "rename-dataset", "new-version", "delete-dataset", "job", "cancelled-job", "delete-job")
"""Pages that :func:`furnish` makes."""


def furnish(page: Page, file: Path, while_tuning: Callable[[], None] = lambda: None) -> dict[str, str]:
    """Make a dataset, a job that is done and one that was cancelled. The path of every signed-in page by name.

    ``while_tuning`` is called when the first job has made some steps.
    """
    upload(page, file, "Next number")
    dataset = _path(page)
    start_job(page, "Counting")
    expect(page.locator("#live")).to_contain_text(re.compile(r"[5-9] of 19"), timeout=PREPARING)
    while_tuning()
    losses_until_done(page)
    job = _path(page)
    page.goto(dataset)
    start_job(page, "Counting for long", epochs=500)
    page.get_by_role("button", name="Cancel job").click()
    expect(page.locator("#job-header .state")).to_have_text("Cancelled")
    made = [dataset, f"{dataset}rename/", f"{dataset}upload/", f"{dataset}delete/", job, _path(page), f"{job}delete/"]
    return {**ROOMS, **dict(zip(MADE, made, strict=True))}


def _path(page: Page) -> str:
    return urlsplit(page.url).path
