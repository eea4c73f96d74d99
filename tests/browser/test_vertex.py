"""A job of Vertex AI as people see it, from a connection and a dataset to its curve and its answers."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.datasets.samples import SAMPLES
from tests.browser import walk
from tests.browser.chromium import opened
from tests.browser.product import Product, running
from tests.browser.test_accessibility import check_schemes
from tests.google import refusals
from tests.google.cloud import Cloud, google_cloud

NOBODY = "http://127.0.0.1:9"
"""Where no tuning server is: only the dashboard is started."""
LOSSES = [2.0 / step**0.5 for step in range(1, 16)]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with google_cloud() as running:
        yield running


@pytest.fixture(scope="module")
def tuneboard(browser: Browser, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("vertex")
    with running(folder, TUNING_SERVER_URL=NOBODY, PRICES="vertex=5") as product:
        yield product


@pytest.fixture(scope="module")
def page(browser: Browser, tuneboard: Product) -> Iterator[Page]:
    with opened(browser, tuneboard.url) as page:
        walk.come_in(page, tuneboard.link)
        yield page


def set_up(page: Page, cloud: Cloud, key: Path) -> None:
    """A connection to the stand-in, by a service account."""
    key.write_text(json.dumps(cloud.tokens.service_account(cloud.url)))
    page.goto("/connections/")
    page.get_by_role("link", name="New connection").click()
    page.get_by_role("link", name="Vertex AI").click()
    page.get_by_label("Name").fill("Our project")
    page.get_by_label("Project").fill(cloud.project)
    page.get_by_label("Location").fill(cloud.location)
    page.get_by_label("Bucket").fill(cloud.bucket)
    page.get_by_label("Who asks there").select_option("A service account that all share")
    page.get_by_label("JSON key of the service account").set_input_files(key)
    page.get_by_label("Address").fill(cloud.url)
    page.get_by_role("button", name="Set up connection").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Our project")


def test_job_goes_from_a_dataset_to_its_curve_and_an_answer(page: Page, cloud: Cloud, tmp_path: Path) -> None:
    set_up(page, cloud, tmp_path / "key.json")
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#checks li")).not_to_have_count(0)
    expect(page.locator("#checks li", has_text="Missing")).to_have_count(0)

    walk.upload(page, SAMPLES[0].path, "Next number")
    page.get_by_role("link", name="Start tuning").click()
    page.get_by_label("Name").fill("Counting at Google")
    walk.choose_base(page, "Gemini 2.5 Pro")
    page.get_by_text("More settings").click()
    page.get_by_label("Share held out").select_option("20 %")
    expect(page.get_by_text("This service chooses for itself")).to_be_visible()
    check_schemes(page)
    page.get_by_role("button", name="Start tuning").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Counting at Google")
    expect(page.locator("#job-header .state")).to_have_text("Queued")
    expect(page.locator("#service")).to_contain_text("JOB_STATE_QUEUED")

    (ref,) = cloud.vertex.jobs
    cloud.vertex.run(ref)
    cloud.vertex.learn(ref, LOSSES, {5: 1.2, 10: 0.9, 15: 0.8})
    expect(page.locator("#job-header .state")).to_have_text("Tuning", timeout=60_000)
    page.wait_for_function("document.getElementById('loss').data?.[0].y.length === 15", timeout=60_000)
    assert page.evaluate("document.getElementById('loss').data[2].y") == [1.2, 0.9, 0.8]

    cloud.vertex.move(ref)
    expect(page.locator("#job-header .state")).to_have_text("Done", timeout=60_000)
    expect(page.locator("#service")).to_contain_text("After epoch 5")
    expect(page.locator("#service [data-drawn]")).to_be_visible()
    expect(page.get_by_role("link", name="This job in Google’s console")).to_be_visible()
    check_schemes(page)
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "vertex-job.png", full_page=True)

    page.get_by_role("link", name="Ask the model").click()
    assert walk.ask(page, "41") == "42"


def test_many_examples_are_seen_on_their_way(page: Page, cloud: Cloud, tmp_path: Path) -> None:
    rows = "".join(f'{{"text_input": "{number} {"x" * 400}", "output": "{number + 1}"}}\n' for number in range(20_000))
    (tmp_path / "many.jsonl").write_text(rows)
    walk.upload(page, tmp_path / "many.jsonl", "Many")
    page.get_by_role("link", name="Start tuning").click()
    page.get_by_label("Name").fill("Much to send")
    walk.choose_base(page, "Gemini 2.5 Pro")
    page.get_by_role("button", name="Start tuning").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Much to send")
    expect(page.locator("#live")).to_contain_text("sending the examples")
    expect(page.get_by_role("progressbar", name="Examples sent")).to_be_visible()
    check_schemes(page)
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "vertex-sending.png", full_page=True)
    assert len(cloud.vertex.jobs) == 1  # which the worker changes


def test_what_the_project_lacks_is_told_with_where_it_is_put_right(page: Page, cloud: Cloud) -> None:
    cloud.disabled.add("aiplatform.googleapis.com")
    page.goto("/jobs/")
    page.get_by_role("link", name="Counting at Google").first.click()
    expect(page.locator("#job-header .state")).to_have_text("Done")
    expect(page.locator("#service")).to_contain_text("The API is not enabled in the project")
    check_schemes(page)
    page.goto("/connections/")
    page.get_by_role("link", name="Our project", exact=True).click()
    page.get_by_role("button", name="Test connection").click()
    missing = page.locator("#checks li", has_text="Missing")
    expect(missing).to_have_count(1)
    expect(missing.get_by_role("link")).to_have_attribute(
        "href", f"https://console.cloud.google.com/apis/library/aiplatform.googleapis.com?project={cloud.project}"
    )
    cloud.disabled.clear()


def test_a_job_that_google_refuses_says_so_in_the_form(page: Page, cloud: Cloud) -> None:
    cloud.fault(refusals.invalid("Your project may not tune that model.", "base_model"), on="tuningJobs.create")
    page.goto("/jobs/new/")
    page.get_by_label("Name").fill("One too many")
    walk.choose_base(page, "Gemini 2.5 Pro")
    page.get_by_role("button", name="Start tuning").click()
    expect(page.get_by_role("alert")).to_contain_text("The service refused the request")
    expect(page.locator("main")).to_contain_text("may not tune that model")
    assert len(cloud.vertex.jobs) == 1
