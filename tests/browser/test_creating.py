"""A job by every way there is to one, in the browser; and what the form says while it is filled in."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import walk
from tests.browser.chromium import Visit
from tests.browser.walk import FirstJob


@pytest.fixture
def job(first_job: FirstJob) -> str:
    """The path of a job that is done."""
    return first_job.places["job"]


def from_menu(page: Page, job: str, action: str) -> None:
    page.goto(job)
    page.get_by_label("More", exact=True).click()
    page.get_by_role("link", name=action, exact=True).click()


def start(page: Page, name: str, base: str = walk.QUICK) -> None:
    page.get_by_label("Name").fill(name)
    if base:
        walk.choose_base(page, base)
    page.get_by_role("button", name="Start tuning").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_older_version_of_a_dataset_is_tuned_on(page: Page, first_job: FirstJob, tmp_path: Path) -> None:
    assert first_job  # whose dataset is the other one to choose
    file = tmp_path / "grows.csv"
    file.write_text("text_input,output\n1,2\n2,3\n3,4\n4,5\n")
    walk.upload(page, file, "Growing pairs")
    page.get_by_label("More", exact=True).click()
    page.get_by_role("link", name="Upload a new version").click()
    file.write_text(file.read_text() + "5,6\n6,7\n")
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("Version 2 holds 6 examples.")).to_be_visible()
    page.goto("/jobs/new/")
    page.get_by_label("Dataset", exact=True).select_option(label="Next number, 15 examples")
    expect(page.get_by_label("Version")).to_contain_text("newest (1)")
    page.get_by_label("Dataset", exact=True).focus()
    page.get_by_label("Dataset", exact=True).select_option(label="Growing pairs, 6 examples")
    expect(page.get_by_label("Version")).to_contain_text("newest (2)")
    expect(page.get_by_label("Dataset", exact=True)).to_be_focused()
    page.get_by_label("Version").select_option(label="1, 4 examples")
    page.get_by_label("Epochs").fill("1")
    start(page, "On the first version")
    expect(page.locator("#live")).to_contain_text("v1, 4 examples")


@pytest.mark.parametrize("drawn_away", [False, True], ids=["still", "drawn away"])
def test_press_counts_though_advice_moves_the_button(page: Page, first_job: FirstJob, drawn_away: bool) -> None:
    page.goto(first_job.places["dataset"])
    page.get_by_role("link", name="Start tuning").click()
    page.get_by_label("Name").fill("Pressed")
    walk.choose_base(page, walk.QUICK)
    place = page.get_by_role("button", name="Start tuning").bounding_box()
    assert place
    x, y = place["x"] + 20, place["y"] + place["height"] / 2
    page.mouse.move(x, y)
    page.get_by_label("Epochs").fill("500")
    page.mouse.down()
    expect(page.get_by_text("5 epochs are usual")).to_be_visible()
    if drawn_away:
        page.mouse.move(x, y + 200)
    page.mouse.up()
    if drawn_away:
        page.get_by_label("Name").fill("Not sent")  # still here to be filled in
    else:
        expect(page.get_by_role("heading", level=1)).to_have_text("Pressed")
        page.get_by_role("button", name="Cancel job").click()


def test_clone_starts_with_the_settings_of_the_job(page: Page, job: str) -> None:
    from_menu(page, job, "Clone")
    expect(page.get_by_label("Name")).to_have_value("Counting")
    expect(page.get_by_label("Epochs")).to_have_value("5")
    page.get_by_label("Epochs").fill("1")
    start(page, "Counting once more")
    expect(page.locator("#live").get_by_role("link", name="Counting", exact=True)).to_have_attribute("href", job)


def test_model_is_tuned_further_and_answers(page: Page, job: str) -> None:
    from_menu(page, job, "Tune further")
    expect(page.get_by_role("heading", level=1)).to_have_text("Tune further")
    expect(page.get_by_label("Name")).to_have_value("Counting, further")
    walk.unfold(page)
    expect(page.get_by_label("Rank")).to_have_count(0)
    page.get_by_label("Epochs").fill("2")
    start(page, "Counting further", base="")
    losses = walk.losses_while_tuning(page)
    assert losses[0] < 1  # it begins where the other one ended, not anew: at about 3
    expect(page.locator("#live")).to_contain_text("Tuned further from")
    expect(page.locator("#live")).to_contain_text(re.compile(r"estimated \d+"))
    page.get_by_role("link", name="Ask the model").click()
    assert walk.ask(page, "LXIII").strip()


def test_job_begins_with_a_preset_that_was_kept_from_another(page: Page, job: str) -> None:
    from_menu(page, job, "Save as preset")
    page.get_by_label("Name").fill("As it counted")
    page.get_by_label("Learning rate").fill("0.0007")
    page.get_by_role("button", name="Save preset").click()
    expect(page.get_by_role("row", name="As it counted")).to_contain_text("only mine")
    page.goto("/jobs/new/")
    page.get_by_text("Begin with").click()
    page.get_by_role("link", name="As it counted").click()
    expect(page.get_by_label("Learning rate")).to_have_value("0.0007")
    page.get_by_label("Epochs").fill("1")
    start(page, "By a preset")


def test_form_is_kept_as_a_preset_by_keyboard(page: Page) -> None:
    page.goto("/jobs/new/")
    page.get_by_label("Batch size").fill("3")
    page.get_by_role("button", name="Save as preset").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("New preset")
    expect(page.get_by_label("Batch size")).to_have_value("3")


def test_what_a_job_shows_as_code_is_pasted_and_started(page: Page, job: str) -> None:
    page.goto(job)
    command = page.locator("#curl").text_content() or ""
    page.goto("/jobs/new/")
    page.get_by_text("Begin with").click()
    page.get_by_role("link", name="A pasted request").click()
    page.get_by_label("Request").fill(command)
    page.get_by_role("button", name="Fill in the form").click()
    expect(page.get_by_text("are here already")).to_be_visible()
    expect(page.get_by_label("Epochs")).to_have_value("5")
    page.get_by_label("Epochs").fill("1")
    start(page, "Pasted")


def test_what_cannot_be_read_keeps_its_text_and_has_the_focus(page: Page) -> None:
    page.goto("/jobs/new/paste/")
    page.get_by_label("Request").fill("curl -d '{")
    page.get_by_role("button", name="Fill in the form").click()
    expect(page.get_by_label("Request")).to_be_focused()
    expect(page.get_by_label("Request")).to_have_value("curl -d '{")
    expect(page.locator(".field .error")).to_contain_text("never closed")


def test_advice_comes_and_goes_with_what_is_typed(page: Page, first_job: FirstJob) -> None:
    page.goto(first_job.places["dataset"])
    page.get_by_role("link", name="Start tuning").click()
    hint = page.locator("#id_epoch_count_hint")
    expect(hint).to_be_hidden()
    page.get_by_label("Epochs").fill("50")
    expect(hint).to_have_text("15 examples: 5 epochs are usual; 50 would show each example 50 times.")
    expect(page.locator("#estimate")).to_contain_text("188")
    expect(page.get_by_label("Epochs")).to_be_focused()
    page.get_by_label("Epochs").fill("5")
    expect(hint).to_be_hidden()


def test_two_clicks_make_one_job(page: Page) -> None:
    page.goto("/jobs/new/")
    page.get_by_label("Name").fill("Clicked twice")
    walk.choose_base(page, walk.QUICK)
    page.get_by_label("Epochs").fill("1")
    page.get_by_role("button", name="Start tuning").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("Clicked twice")
    page.goto("/jobs/")
    expect(page.get_by_role("link", name="Clicked twice")).to_have_count(1)


def test_form_works_without_javascript(visit: Visit, first_job: FirstJob) -> None:
    with visit(java_script_enabled=False) as page:
        page.goto("/jobs/new/?again=" + first_job.places["job"].split("/")[2])
        expect(page.locator("#estimate")).to_contain_text("19")
        page.get_by_label("Epochs").fill("0")
        page.get_by_label("Name").fill("Without a script")
        page.locator("#new-job").evaluate("(form) => { form.noValidate = true; }")
        page.get_by_role("button", name="Start tuning").click()
        expect(page.get_by_label("Name")).to_have_value("Without a script")
        page.get_by_label("Epochs").fill("1")
        walk.choose_base(page, walk.QUICK)
        page.get_by_role("button", name="Start tuning").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Without a script")
