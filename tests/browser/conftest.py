"""One Chromium and one Tuneboard for all browser tests, and a person who is in."""

import os
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from dashboard.datasets.samples import SAMPLES
from tests.browser import walk
from tests.browser.chromium import Visit, chromium, opened
from tests.browser.product import Product, running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if shutil.which("chromium") is None:
        pytest.skip("there is no Chromium here: install the package chromium")
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def product(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Tuneboard; asked for after Chromium, so that it is not started in vain."""
    with running(tmp_path_factory.mktemp("var")) as product:
        yield product


@pytest.fixture(scope="package")
def person(browser: Browser, product: Product) -> Any:
    """The session of the first person, who came in by the welcome link."""
    with opened(browser, product.url) as page:
        walk.come_in(page, product.link)
        return page.context.storage_state()


@pytest.fixture(scope="package")
def visit(browser: Browser, product: Product, person: Any) -> Visit:
    """Somebody signed in opens a page; with ``storage_state=None``, a stranger does."""
    return partial(opened, browser, product.url, storage_state=person)


@pytest.fixture(scope="package")
def furnished(visit: Visit) -> dict[str, str]:
    """Every kind of page by name, with something on it: see :func:`tests.browser.walk.furnish`."""
    with visit() as page:
        return walk.furnish(page, SAMPLES[0].path)


@pytest.fixture
def page(visit: Visit) -> Iterator[Page]:
    """A page of somebody signed in; errors in its console fail the test."""
    with visit() as page:
        yield page


@pytest.fixture
def strangers_page(visit: Visit) -> Iterator[Page]:
    """A page of somebody who is not signed in, where others have accounts."""
    with visit(storage_state=None) as page:
        yield page


@pytest.fixture(scope="session")
def pictures() -> Path | None:
    """Where to keep pictures of what was seen, when SCREENSHOTS names a folder."""
    folder = os.environ.get("SCREENSHOTS")
    return Path(folder) if folder else None
