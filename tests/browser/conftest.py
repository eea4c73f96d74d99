"""One Chromium and one Tuneboard for all browser tests, and a person who is in."""

import os
import shutil
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from dashboard.datasets.samples import SAMPLES
from tests import tiny_llama
from tests.browser import walk
from tests.browser.chromium import Visit, chromium, noticing, opened, session
from tests.browser.product import Product, running

MOST = 600
"""Seconds a test may take: the first that asks for ``first_job`` waits for the base model to be prepared."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder need Chromium and the engine."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.engine)
            item.add_marker(pytest.mark.timeout(MOST))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What Tuneboard's processes said last stands beside a failure."""
    report = yield
    product = getattr(item, "funcargs", {}).get("product")
    if report.failed and product:
        report.sections.append(("Tuneboard said", "".join(product.said[-40:])))
    return report


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if shutil.which("chromium") is None:
        pytest.skip("there is no Chromium here: install the package chromium")
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def product(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Tuneboard; asked for after Chromium, so that it is not started in vain.

    Beside the real base model it has the tiny one, for jobs of which nothing is wanted but that they are made.
    """
    tiny_llama.build(Path(os.environ["MODELS_DIR"]))
    with running(tmp_path_factory.mktemp("var"), WEBHOOK_INTERNAL_HOSTS="127.0.0.1") as product:
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
def first_job(visit: Visit) -> walk.FirstJob:
    """The way from a file to an answer, walked once. SCREENSHOTS names a folder for what was seen on it."""
    folder = os.environ.get("SCREENSHOTS")
    with visit() as page:

        def look(name: str) -> None:
            if folder:
                page.screenshot(path=Path(folder) / {"job": "journey.png"}.get(name, f"journey-{name}.png"))

        return walk.first_job(page, SAMPLES[0].path, look)


@pytest.fixture(scope="package")
def places(visit: Visit, first_job: walk.FirstJob) -> dict[str, str]:
    """The path of every page by name: ``walk.ROOMS`` and ``walk.MADE``."""
    with visit() as page:
        dataset = first_job.places["dataset"]
        made = {"cancelled-job": walk.cancelled_job(page, dataset)}
        made["held-out-job"] = walk.held_out_job(page, dataset, base=walk.QUICK)
        made |= walk.sweep_of_four(page, dataset, base=walk.QUICK)
        made |= walk.ways_on(page, first_job.places["job"])
        made |= walk.evaluation(page, made["model"])
        with visit(storage_state=None) as others_page:
            made |= walk.team_of_two(page, others_page)
        return {**first_job.places, **made, "columns": walk.column_choice(page)}


@pytest.fixture(scope="package")
def signed_in(browser: Browser, product: Product, person: Any) -> Iterator[BrowserContext]:
    """One session for the pages of many tests: what is the same for all is loaded once."""
    with session(browser, product.url, storage_state=person) as context:
        yield context


@pytest.fixture
def page(signed_in: BrowserContext) -> Iterator[Page]:
    """A page of somebody signed in; errors in its console fail the test. What it keeps in the browser goes with it."""
    with noticing(signed_in) as page:
        yield page
        if page.url.startswith("http"):
            page.evaluate("localStorage.clear()")


@pytest.fixture
def strangers_page(visit: Visit) -> Iterator[Page]:
    """A page of somebody who is not signed in, where others have accounts."""
    with visit(storage_state=None) as page:
        yield page
