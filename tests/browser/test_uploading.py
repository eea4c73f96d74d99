"""What the upload form does before and while a file is sent, and where the focus is afterwards."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboard.moving import archive, records
from dashboard.moving.records import Library

pytestmark = pytest.mark.browser

DROP = """(zone) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(["text_input,output\\n1,2\\n"], "dropped.csv"));
    zone.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: transfer }));
}"""


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.csv"
    path.write_text("text_input,output\n1,2\n3,\n")
    return path


def test_file_too_large_is_refused_before_it_is_sent(page: Page, broken: Path, tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(65 * 2**20)
    page.goto("/datasets/new/")
    page.get_by_label("File").set_input_files(large)
    expect(page.get_by_role("alert")).to_have_text("The file is larger than 64 MB. Split it, or leave rows out.")
    expect(page.get_by_role("button", name="Upload")).to_be_disabled()
    page.get_by_label("File").set_input_files(broken)
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.get_by_role("button", name="Upload")).to_be_enabled()


def test_file_can_be_dropped(page: Page) -> None:
    page.goto("/datasets/new/")
    page.locator(".drop").evaluate(DROP)
    page.get_by_label("Name").fill("Dropped pairs")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dropped pairs")


def test_problems_stand_below_and_the_focus_is_on_the_file(page: Page, broken: Path) -> None:
    page.goto("/datasets/new/")
    page.get_by_label("Name").fill("Kept")
    page.get_by_label("File").set_input_files(broken)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="1 problem in broken.csv")).to_be_visible()
    expect(page.get_by_label("File")).to_be_focused()
    expect(page.get_by_label("Name")).to_have_value("Kept")


def test_library_is_uploaded_with_its_progress_and_lies_among_the_files(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "from-elsewhere.zip"
    with archive.writing(path) as out:
        out.add("library.json", [records.written(Library(people=[], teams=[], datasets=[], models=[]))])
    page.goto("/library/moving/")
    page.get_by_role("link", name="Upload a library").click()
    page.get_by_label("File").set_input_files({"name": "a.zip", "mimeType": "application/zip", "buffer": b"nothing"})
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("This is no library that can be read")).to_be_visible()
    expect(page.get_by_label("File")).to_be_focused()
    page.get_by_label("File").set_input_files(path)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("“from-elsewhere.zip” is here.")).to_be_visible()
    expect(page.get_by_role("button", name="Bring in from-elsewhere.zip")).to_be_visible()


def test_columns_are_chosen_by_their_names(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "fragen.csv"
    path.write_text("Nr,Frage,Antwort\n1,eins?,eins\n")
    page.goto("/datasets/new/")
    page.get_by_label("File").set_input_files(path)
    page.get_by_role("button", name="Upload").click()
    page.get_by_label("Input").select_option("Frage")
    page.get_by_label("Output").select_option("Antwort")
    page.get_by_role("button", name="Use these columns").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("fragen")


def test_back_leads_through_the_pages_of_examples(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "hundred.csv"
    path.write_text("text_input,output\n" + "".join(f"{n},{n + 1}\n" for n in range(100)))
    page.goto("/datasets/new/")
    page.get_by_label("File").set_input_files(path)
    page.get_by_role("button", name="Upload").click()
    shown = page.get_by_role("navigation", name="Pages of examples")
    page.get_by_role("link", name="Next").click()
    expect(shown).to_contain_text("51 to 100 of 100")
    page.go_back()
    expect(shown).to_contain_text("1 to 50 of 100")
