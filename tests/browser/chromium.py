"""Debian's Chromium, and pages in it that notice what goes wrong."""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

# Quiet (it asks nothing of anybody but our own server) and able to run in a container.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WIDTHS = {"phone": 360, "tablet": 768, "desk": 1440}
HEIGHT = 900
PATIENCE = 30_000
"""Milliseconds for a page to show what is expected: two cores may be busy with tuning."""


@contextmanager
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, url: str, *, width: int = 1280, **options: Any) -> Iterator[Page]:
    """A page at ``url``, in a session of its own. Notices what :func:`noticing` does."""
    with session(browser, url, width=width, **options) as context, noticing(context) as page:
        yield page


@contextmanager
def session(browser: Browser, url: str, *, width: int = 1280, **options: Any) -> Iterator[BrowserContext]:
    """Cookies, storage and kept files that no other session has; its first page costs more than a second."""
    options = {"base_url": url, "viewport": {"width": width, "height": HEIGHT}, "locale": "en-GB", **options}
    with browser.new_context(**options) as context:
        context.set_default_timeout(PATIENCE)
        yield context


@contextmanager
def noticing(context: BrowserContext) -> Iterator[Page]:
    """A new page of a session.

    Raises ``AssertionError`` at the end when the console held an error: a failed request, a script's
    exception, or something the Content-Security-Policy forbade.
    """
    with context.new_page() as page:
        errors: list[str] = []

        def note(message: ConsoleMessage) -> None:
            if message.type == "error" and not _expected(message, page):
                errors.append(f"{message.text} ({message.location.get('url')})")

        page.on("console", note)
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
    assert not errors, "\n".join(errors)


class Visit(Protocol):
    """Opens a page; the options are those of :func:`opened`."""

    def __call__(self, **options: Any) -> AbstractContextManager[Page]: ...


def _expected(message: ConsoleMessage, page: Page) -> bool:
    """What htmx says of a request that a newer one replaced; and a page that answers 404, as a test meant it to."""
    replaced = message.text.startswith(("htmx:sendAbort", "htmx:afterRequest"))
    missing = message.text.startswith("Failed to load resource") and message.location.get("url") == page.url
    return replaced or missing
