"""The list, a dataset's page, its download, its name and its end."""

from html import unescape
from io import BytesIO

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from dashboard.accounts.models import User
from dashboard.datasets.models import Dataset
from tests.factories import DatasetFactory, JobFactory
from tuning.datasets import from_examples, parse
from tuning.resources import Example

pytestmark = pytest.mark.django_db

PAGES = ["", "rename/", "upload/", "delete/", "v1/", "v1/download/"]
HTMX = {"HX-Request": "true", "HX-Target": "preview"}


def body(browser: Client, path: str, **headers: str) -> str:
    answer = browser.get(path, headers=headers)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


@pytest.mark.parametrize("page", PAGES)
def test_signed_out_person_is_asked_to_sign_in(client: Client, page: str) -> None:
    dataset = DatasetFactory()
    assert "/sign-in/" in client.get(f"/datasets/{dataset.pk}/{page}")["Location"]


@pytest.mark.parametrize("page", PAGES)
def test_dataset_of_somebody_else_is_not_found(browser: Client, page: str) -> None:
    dataset = DatasetFactory()
    assert browser.get(f"/datasets/{dataset.pk}/{page}").status_code == 404
    assert browser.post(f"/datasets/{dataset.pk}/delete/").status_code == 404
    assert browser.post(f"/datasets/{dataset.pk}/rename/", {"name": "Mine"}).status_code == 404
    assert Dataset.objects.get().name == dataset.name


def test_administrator_sees_whose_dataset_it_is(browser: Client, alice: User) -> None:
    alice.is_administrator = True
    alice.save()
    dataset = DatasetFactory(owner__name="Bob")
    assert "Bob" in body(browser, "/datasets/")
    assert "Bob" in body(browser, f"/datasets/{dataset.pk}/")


def test_empty_list_offers_an_upload_and_the_samples(browser: Client) -> None:
    page = body(browser, "/datasets/")
    assert "No datasets yet" in page
    assert "/datasets/new/" in page
    assert "/datasets/samples/next-number/" in page


def test_list_tells_examples_version_and_jobs_of_my_own(browser: Client, alice: User) -> None:
    dataset = DatasetFactory(owner=alice, name="Mine", pairs=1234)
    JobFactory(owner=alice, dataset_version=dataset.latest)
    dataset.add_version(from_examples([Example(text_input="1", output="2")] * 1111))
    JobFactory(owner=alice, dataset_version=dataset.latest)
    DatasetFactory(name="Bob’s")
    page = body(browser, "/datasets/")
    assert "Mine" in page
    assert "Bob’s" not in page
    assert '<td class="number">1,111</td>' in page
    assert page.count('<td class="number wide">2</td>') == 1
    assert '<td class="number">2</td>' in page


def test_list_asks_the_database_no_more_for_many_datasets(
    browser: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    DatasetFactory.create_batch(20, owner=alice)
    with django_assert_max_num_queries(6):
        browser.get("/datasets/")


def test_long_list_comes_in_pages(browser: Client, alice: User) -> None:
    DatasetFactory.create_batch(51, owner=alice)
    assert "Page 1 of 2" in body(browser, "/datasets/")
    assert body(browser, "/datasets/?page=2").count('class="name"') == 1


def test_page_tells_the_facts_and_leads_to_a_job(browser: Client, alice: User) -> None:
    file = BytesIO(b"input,output\nab,abcd\nabcd,x\nab,abcd\n")
    dataset = Dataset.objects.start(alice, "Facts", parse(file, "facts.csv"))
    page = body(browser, f"/datasets/{dataset.pk}/")
    assert f'href="/jobs/new/?dataset={dataset.pk}"' in page
    for fact in ("<dd>3</dd>", "2.7 <span", "longest 4", "<dt>Repeated</dt>", "<dd>1</dd>"):
        assert fact in page


def test_examples_are_shown_fifty_a_page_and_numbered(browser: Client, alice: User) -> None:
    dataset = DatasetFactory(owner=alice, pairs=120)
    page = body(browser, f"/datasets/{dataset.pk}/?page=3")
    assert "101 to 120 of 120" in page
    assert '<td class="text" dir="auto">119</td>' in page
    assert '<td class="text" dir="auto">99</td>' not in page
    assert body(browser, f"/datasets/{dataset.pk}/?page=nonsense").count('<td class="number muted">') == 50


def test_next_page_by_htmx_is_the_table_alone(browser: Client, alice: User) -> None:
    dataset = DatasetFactory(owner=alice, pairs=60)
    part = body(browser, f"/datasets/{dataset.pk}/?page=2", **HTMX)
    assert part.lstrip().startswith('<section id="preview"')
    assert "<html" not in part


def test_old_version_says_which_is_newer(browser: Client, alice: User) -> None:
    dataset = DatasetFactory(owner=alice)
    dataset.add_version(from_examples([Example(text_input="neu", output="2")]))
    assert "neu" in body(browser, f"/datasets/{dataset.pk}/")
    old = body(browser, f"/datasets/{dataset.pk}/v1/")
    assert "This is version 1." in old
    assert "neu" not in old
    assert browser.get(f"/datasets/{dataset.pk}/v3/").status_code == 404


def test_download_is_the_exact_file_as_an_attachment(browser: Client, alice: User) -> None:
    dataset = DatasetFactory(owner=alice, name='Zahlen "1"')
    answer = browser.get(f"/datasets/{dataset.pk}/v1/download/")
    assert b"".join(answer.streaming_content) == dataset.latest.path.read_bytes()  # type: ignore[attr-defined]
    assert answer["Content-Disposition"] == 'attachment; filename="zahlen-1-v1.jsonl"'
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_name_can_be_changed_but_not_emptied(browser: Client, alice: User) -> None:
    dataset = DatasetFactory(owner=alice, name="Old")
    refused = browser.post(f"/datasets/{dataset.pk}/rename/", {"name": " "}).content.decode()
    assert 'aria-invalid="true"' in refused
    assert "Rename “Old”" in refused
    assert browser.post(f"/datasets/{dataset.pk}/rename/", {"name": "<b>New</b>"}).status_code == 302
    assert "<b>New" not in browser.get(f"/datasets/{dataset.pk}/").content.decode()
    assert Dataset.objects.get().name == "<b>New</b>"


def test_deleting_asks_first(browser: Client, alice: User) -> None:
    dataset = DatasetFactory(owner=alice)
    assert "Delete “Next number”?" in body(browser, f"/datasets/{dataset.pk}/delete/")
    assert Dataset.objects.exists()
    assert browser.post(f"/datasets/{dataset.pk}/delete/")["Location"] == "/datasets/"
    assert not Dataset.objects.exists()


def test_dataset_that_jobs_use_stays_and_the_page_says_why(browser: Client, alice: User) -> None:
    job = JobFactory(owner=alice)
    JobFactory(owner=alice, dataset_version=job.dataset_version)
    dataset = job.dataset_version.dataset
    page = browser.post(f"/datasets/{dataset.pk}/delete/", follow=True).content.decode()
    assert "2 jobs were tuned with this dataset" in page
    assert Dataset.objects.filter(pk=dataset.pk).exists()
