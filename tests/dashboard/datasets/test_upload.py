"""Uploading: what loads, what is refused and in which words, and that no file whatsoever breaks the page."""

import codecs
from html import unescape
from io import RawIOBase
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from dashboard.accounts.models import User
from dashboard.datasets.models import Dataset, Upload
from tests.factories import DatasetFactory, UserFactory
from tuning.resources import Example

pytestmark = pytest.mark.django_db

MEBIBYTE = 2**20
HTMX = {"HX-Request": "true", "HX-Target": "upload"}


def upload(browser: Client, content: bytes, name: str = "pairs.csv", **fields: Any) -> HttpResponse:
    return browser.post("/datasets/new/", {"file": SimpleUploadedFile(name, content), **fields})


def examples(dataset: Dataset) -> list[tuple[str, str]]:
    return [(example.text_input, example.output) for example in dataset.latest.preview()]


def test_signed_out_person_is_asked_to_sign_in(client: Client) -> None:
    assert "/sign-in/" in client.get("/datasets/new/")["Location"]
    assert "/sign-in/" in upload(client, b"text_input,output\n1,2\n")["Location"]
    assert not Dataset.objects.exists()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", b"text_input,output\n1,2\n", [("1", "2")]),
        ("bom.csv", codecs.BOM_UTF8 + b"text_input,output\n1,2\n", [("1", "2")]),
        ("crlf.csv", b"text_input,output\r\n1,2\r\n", [("1", "2")]),
        ("quoted.csv", b'text_input,output\n"a,\n""b""",2\n', [('a,\n"b"', "2")]),
        ("semicolon.csv", b"input;output\n1;2\n", [("1", "2")]),
        ("wide.csv", "text_input,output\nä,ö\n".encode("utf-16"), [("ä", "ö")]),
        ("exact.csv", b"text_input,output\n -3,\t-2 \n", [(" -3", "\t-2 ")]),
        ("a.jsonl", b'{"textInput": "1", "output": "2"}\n', [("1", "2")]),
        ("a.json", b'[{"text_input": "1", "output": "2"},]', [("1", "2")]),
        (
            "chat.jsonl",
            b'{"messages": [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}]}\n',
            [("1", "2")],
        ),
    ],
)
def test_file_becomes_a_dataset_with_its_texts_as_they_were(
    browser: Client, alice: User, name: str, content: bytes, expected: list[tuple[str, str]]
) -> None:
    answer = upload(browser, content, name)
    dataset = Dataset.objects.get()
    assert answer["Location"] == dataset.get_absolute_url()
    assert (dataset.owner, dataset.name) == (alice, Path(name).stem)
    assert examples(dataset) == expected


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.csv", b"", "The file is empty"),
        ("blank.csv", b"\n \n", "The file is empty"),
        ("header.csv", b"text_input,output\n", "has no examples"),
        ("binary.csv", b"\x7fELF\x00\x01\x02" * 100, "no text file"),
        ("nul.csv", b"text_input,output\n1,2\x00\n", "no text file"),
        ("latin.csv", "text_input,output\nMüller,Straße\n".encode("latin-1"), "another encoding than UTF-8"),
        ("book.xlsx", b"PK\x03\x04xl/workbook", "Save it as CSV"),
        ("one.csv", b"text_input\n1\n", "found: “text_input”"),
        ("twice.csv", b"text_input,output,output\n1,2,3\n", "“output” stands in the header twice"),
        ("hole.jsonl", b'{"text_input": "1", "output": ""}\n', "The output is empty"),
        ("lacks.jsonl", b'{"text_input": "1", "output": "2"}\n{"text_input": "3"}\n', "The row lacks “output”"),
        ("type.jsonl", b'{"text_input": 1, "output": "2"}\n', "of the type number, not text"),
        ("list.jsonl", b"[1]\n", "JSON"),
        ("broken.jsonl", b'{"text_input": "1", "output": "2"\n', "not JSON"),
        ("broken.json", b'[{"text_input": "1",', "not JSON"),
        ("other.json", b'{"a": 1}', "no list of examples"),
        ("quote.csv", b'text_input,output\n"1,2\n', "never closed"),
        ("cells.csv", b"text_input,output\n1,2,3\n", "3 cells where the header has 2"),
        ("long.csv", b"text_input,output\n" + b"a" * 40_001 + b",2\n", "40,001 characters; at most 40,000"),
        ("system.jsonl", b'{"messages": [{"role": "system", "content": "x"}]}\n', "system turn"),
        ("columns.csv", b"a," * 10_000_000, "more than 1,000 columns"),
        ("rows.csv", b"text_input,output\n" + b"1,2\n" * 200_001, "more than 200,000 rows"),
        ("cell.csv", b"text_input,output\n" + b"a" * (2 * MEBIBYTE) + b",2\n", "longer than"),
    ],
)
def test_malformed_file_is_refused_with_a_sentence(
    browser: Client, var_dir: Path, name: str, content: bytes, sentence: str
) -> None:
    answer = upload(browser, content, name)
    assert answer.status_code == 200
    assert sentence in unescape(answer.content.decode())
    assert not Dataset.objects.exists()
    assert not list(var_dir.glob("*/*"))


@given(content=st.binary(max_size=200), name=st.sampled_from(["a.csv", "a.jsonl", "a.json", "a.txt", "a"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_break_the_page(browser: Client, content: bytes, name: str) -> None:
    assert upload(browser, content, name).status_code in {200, 302}


def test_hostile_names_in_a_file_are_shown_as_text(browser: Client) -> None:
    page = upload(browser, b"text_input,output\n<script>,<b>,3\n", "<script>alert(1)</script>.csv").content.decode()
    assert "<script>alert" not in page
    answer = upload(browser, b"text_input,output\n<script>alert(2)</script>,<b>\n", "<i>x.csv")
    assert "<script>alert" not in browser.get(answer["Location"]).content.decode()


def test_problems_are_listed_by_row_the_first_hundred_and_all_are_counted(browser: Client) -> None:
    page = upload(browser, b"text_input,output\n" + b"1,2\n" + b"1,\n" * 150).content.decode()
    assert "150 problems in pairs.csv" in page
    assert page.count("The output is empty") == 100
    assert '<td class="number">2</td>' in page
    assert '<td class="number">1</td>' not in page
    assert "The first 100 are shown" in page


def test_refused_form_keeps_what_was_typed_and_marks_the_field(browser: Client) -> None:
    page = upload(browser, b"text_input,output\n1,\n", name="x.csv").content.decode()
    assert 'aria-invalid="true"' in page
    page = browser.post("/datasets/new/", {"name": "My pairs"}).content.decode()
    assert 'value="My pairs"' in page
    assert "Choose a file." in page


def test_file_beyond_the_limit_is_refused_with_both_sizes(browser: Client, settings: Settings) -> None:
    settings.UPLOAD_LIMIT_MB = 2
    page = upload(browser, b"text_input,output\n" + b"1,2\n" * MEBIBYTE).content.decode()
    assert "The file has 4\xa0MB; at most 2\xa0MB can be uploaded" in page


def test_file_just_within_the_limit_is_read(browser: Client, settings: Settings) -> None:
    settings.UPLOAD_LIMIT_MB = 1
    rows = (MEBIBYTE - len(b"input,output\n")) // len(b"123,456\n")
    upload(browser, b"input,output\n" + b"123,456\n" * rows)
    assert Dataset.objects.get().latest.examples == rows


def test_file_cut_off_because_of_another_beside_it_is_refused(browser: Client, settings: Settings) -> None:
    settings.UPLOAD_LIMIT_MB = 1
    filler = SimpleUploadedFile("b.bin", b"x" * (MEBIBYTE - 100))
    pairs = SimpleUploadedFile("a.csv", b"text_input,output\n" + b"1,2\n" * 1000)
    page = browser.post("/datasets/new/", {"aside": filler, "file": pairs}).content.decode()
    assert "at most 1\xa0MB can be uploaded" in page
    assert not Dataset.objects.exists()


@pytest.mark.parametrize(("sent", "most"), [(3 * MEBIBYTE, 0), (MEBIBYTE + 500_000, MEBIBYTE), (1000, 1000)])
def test_no_more_of_a_file_is_stored_than_may_be(rf: RequestFactory, settings: Settings, sent: int, most: int) -> None:
    settings.UPLOAD_LIMIT_MB = 1
    request = rf.post("/", {"file": SimpleUploadedFile("a.csv", b"x" * sent)})
    file = request.FILES["file"]
    assert 0.99 * most <= len(file.read()) <= most
    assert file.size >= sent


class Gigabyte(RawIOBase):
    """A form's body with a file of 2³⁰ bytes, made as it is read."""

    HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    TAIL = b"\r\n--x--\r\n"
    SIZE = len(HEAD) + 2**30 + len(TAIL)

    def __init__(self) -> None:
        self.pieces = [self.HEAD, *[b"a" * 2**16] * 2**14, self.TAIL][::-1]

    def read(self, size: int = -1) -> bytes:
        piece = self.pieces.pop() if self.pieces else b""
        if len(piece) > size:
            self.pieces.append(piece[size:])
        return piece[:size]


def test_gigabyte_is_read_past_and_never_kept(browser: Client, tmp_path: Path, settings: Settings) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    answer = browser.request(
        REQUEST_METHOD="POST",
        PATH_INFO="/datasets/new/",
        CONTENT_TYPE="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(Gigabyte.SIZE),
        **{"wsgi.input": Gigabyte()},
    )
    assert "The file has 1\xa0GB; at most 64\xa0MB can be uploaded" in answer.content.decode()
    assert not Dataset.objects.exists()
    assert not list(tmp_path.iterdir())


def test_upload_by_htmx_answers_with_the_form_alone_or_leads_on(browser: Client) -> None:
    refused = browser.post("/datasets/new/", {"file": SimpleUploadedFile("a.csv", b"")}, headers=HTMX)
    assert refused.content.decode().lstrip().startswith('<form class="form" id="upload"')
    good = SimpleUploadedFile("a.csv", b"text_input,output\n1,2\n")
    taken = browser.post("/datasets/new/", {"file": good}, headers=HTMX)
    assert taken["HX-Redirect"] == Dataset.objects.get().get_absolute_url()


def test_changed_data_makes_the_next_version(browser: Client, alice: User) -> None:
    dataset = DatasetFactory(owner=alice)
    file = SimpleUploadedFile("a.csv", b"text_input,output\n7,8\n")
    page = browser.post(f"/datasets/{dataset.pk}/upload/", {"file": file}, follow=True).content.decode()
    assert "Version 2 holds 1 example." in page
    assert [version.number for version in dataset.versions.all()] == [2, 1]
    assert list(dataset.latest.preview()) == [Example(text_input="7", output="8")]


def test_same_data_makes_no_version_and_says_so(browser: Client, alice: User) -> None:
    dataset = DatasetFactory(owner=alice)
    file = SimpleUploadedFile("a.jsonl", dataset.latest.path.read_bytes())
    page = browser.post(f"/datasets/{dataset.pk}/upload/", {"file": file}, follow=True).content.decode()
    assert "no new version was made" in page
    assert dataset.versions.count() == 1


def test_nobody_adds_to_the_dataset_of_somebody_else(browser: Client) -> None:
    dataset = DatasetFactory(owner=UserFactory())
    file = SimpleUploadedFile("a.csv", b"text_input,output\n7,8\n")
    assert browser.get(f"/datasets/{dataset.pk}/upload/").status_code == 404
    assert browser.post(f"/datasets/{dataset.pk}/upload/", {"file": file}).status_code == 404
    assert dataset.versions.count() == 1
    assert not Upload.objects.exists()


def test_sample_becomes_a_dataset_once(browser: Client, alice: User) -> None:
    first = browser.post("/datasets/samples/next-number/")["Location"]
    assert browser.post("/datasets/samples/next-number/")["Location"] == first
    dataset = Dataset.objects.get(owner=alice)
    assert dataset.latest.examples == 15
    assert ("-3", "-2") in examples(dataset)


def test_sample_needs_a_post_and_a_known_name(browser: Client) -> None:
    assert browser.get("/datasets/samples/next-number/").status_code == 405
    assert browser.post("/datasets/samples/nothing/").status_code == 404
