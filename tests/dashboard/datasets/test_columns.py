"""Choosing columns: asked where names do not tell, or on wish; the file waits for nobody but its owner."""

from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from dashboard.accounts.models import User
from dashboard.datasets.models import Dataset, Upload
from tests.factories import DatasetFactory, UserFactory
from tuning.resources import Example

pytestmark = pytest.mark.django_db

GERMAN = b'Nr,Frage,Antwort\n1,"Was ist\n eins?", eins\n2,zwei?,zwei\n'
"""Names that tell nothing."""


def upload(browser: Client, content: bytes = GERMAN, name: str = "fragen.csv", **fields: Any) -> str:
    """Where an upload leads."""
    answer = browser.post("/datasets/new/", {"file": SimpleUploadedFile(name, content), **fields})
    return str(answer["Location"])


def test_unknown_names_lead_to_the_choice_with_the_first_rows(browser: Client) -> None:
    page = browser.get(upload(browser)).content.decode()
    assert "Which column is which?" in page
    assert all(name in page for name in ("Frage", "Antwort", "Was ist\n eins?", "zwei"))
    assert not Dataset.objects.exists()


def test_chosen_columns_make_the_dataset_and_the_file_goes(browser: Client, var_dir: Path) -> None:
    place = upload(browser, name="fragen.csv")
    answer = browser.post(place, {"text_input": 1, "output": 2})
    dataset = Dataset.objects.get()
    assert answer["Location"] == dataset.get_absolute_url()
    assert dataset.name == "fragen"
    assert dataset.latest.preview()[0] == Example(text_input="Was ist\n eins?", output=" eins")
    assert not list((var_dir / "uploads").iterdir())
    assert browser.get(place).status_code == 404


def test_guess_is_chosen_beforehand_where_the_person_asked_to_choose(browser: Client) -> None:
    place = upload(browser, b"note,output,text_input\nx,2,1\n", choose="on")
    page = browser.get(place).content.decode()
    assert '<option value="2" selected>text_input</option>' in page
    assert '<option value="1" selected>output</option>' in page


def test_json_rows_have_columns_too(browser: Client) -> None:
    place = upload(browser, b'{"frage": "1", "antwort": "2"}\n', "a.jsonl")
    browser.post(place, {"text_input": 0, "output": 1})
    assert Dataset.objects.get().latest.preview() == [Example(text_input="1", output="2")]


def test_same_column_twice_is_refused(browser: Client) -> None:
    page = browser.post(upload(browser), {"text_input": 1, "output": 1}).content.decode()
    assert "Choose another column than for the input." in page


@pytest.mark.parametrize("choice", [{}, {"text_input": 1}, {"text_input": 1, "output": 9}, {"text_input": "x"}])
def test_no_choice_or_an_impossible_one_is_refused(browser: Client, choice: dict[str, Any]) -> None:
    page = browser.post(upload(browser), choice).content.decode()
    assert 'aria-invalid="true"' in page
    assert not Dataset.objects.exists()


def test_columns_with_holes_are_refused_and_others_can_be_chosen(browser: Client) -> None:
    place = upload(browser, b"a,b,c\n1,,3\n4,,6\n")
    page = browser.post(place, {"text_input": 0, "output": 1}).content.decode()
    assert "2 problems in fragen.csv" in page
    browser.post(place, {"text_input": 0, "output": 2})
    assert Dataset.objects.get().latest.examples == 2


def test_one_column_is_no_choice(browser: Client) -> None:
    file = SimpleUploadedFile("one.csv", b"text_input\n1\n")
    page = browser.post("/datasets/new/", {"file": file, "choose": "on"}).content.decode()
    assert "An example needs two columns" in page


def test_chosen_columns_can_make_a_new_version(browser: Client, alice: User) -> None:
    dataset = DatasetFactory(owner=alice)
    file = SimpleUploadedFile("fragen.csv", GERMAN)
    place = browser.post(f"/datasets/{dataset.pk}/upload/", {"file": file})["Location"]
    assert browser.post(place, {"text_input": 1, "output": 2})["Location"] == dataset.get_absolute_url()
    assert dataset.latest.number == 2


def test_hostile_names_and_cells_are_shown_as_text(browser: Client) -> None:
    page = browser.get(upload(browser, b"<b>,<i>,<script>\n<u>,<s>,<script>alert(1)</script>\n")).content.decode()
    assert "<script>alert" not in page
    assert "<script>alert" in unescape(page)


def test_file_waits_for_its_owner_alone(browser: Client) -> None:
    place = upload(browser)
    other = Client()
    assert "/sign-in/" in other.get(place)["Location"]
    other.force_login(UserFactory(administrator=True))
    assert other.get(place).status_code == 404
    assert other.post(place, {"text_input": 1, "output": 2}).status_code == 404


def test_file_nobody_came_back_to_is_swept_after_a_day(browser: Client, var_dir: Path) -> None:
    upload(browser)
    Upload.objects.update(created=timezone.now() - timedelta(hours=25))
    upload(browser)
    assert Upload.objects.count() == len(list((var_dir / "uploads").iterdir())) == 1
