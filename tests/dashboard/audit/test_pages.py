"""The page of the audit log, its files, and the history on an object's own page."""

import csv
import io
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import cast

import orjson
import pytest
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.audit.asking import ENTRIES_A_PAGE
from dashboard.audit.models import Entry
from dashboard.library.models import Grant, Role
from tests.factories import DatasetFactory, TunedModelFactory, UserFactory

pytestmark = pytest.mark.django_db

LOG = "/audit/"
PAGES = [LOG, "/audit/audit.csv", "/audit/audit.json"]


@pytest.fixture
def root(client: Client) -> Client:
    """An administrator, signed in."""
    client.force_login(UserFactory(email="root@example.com", administrator=True))
    return client


def body(response: object) -> bytes:
    return b"".join(cast(Iterable[bytes], cast(StreamingHttpResponse, response).streaming_content))


@pytest.mark.parametrize("page", PAGES)
def test_only_administrators_read_it(client: Client, alice: User, page: str) -> None:
    assert client.get(page).status_code == 302
    client.force_login(alice)
    assert client.get(page).status_code == 404
    alice.is_administrator = True
    alice.save()
    assert client.get(page).status_code == 200
    assert client.post(page).status_code == 405


def test_an_empty_log_says_what_will_come(root: Client) -> None:
    assert "Nothing yet" in root.get(LOG).text
    assert "Nothing of the kind" in root.get(LOG, {"person": "nobody"}).text


def test_what_is_there_has_a_link_and_what_is_gone_its_name(root: Client, alice: User) -> None:
    here, gone = DatasetFactory(owner=alice, name="<Here>"), DatasetFactory(owner=alice, name="Gone")
    audit.record(alice, "dataset.created", here, examples=3)
    audit.record(alice, "dataset.deleted", gone)
    audit.record(alice, "person.renamed", alice)
    audit.record(None, "base.added", audit.Thing("base", "b", "<b>"))
    audit.record(None, "thing.from_an_earlier_release", audit.Thing("old.thing", "1", "<i>"))
    gone.delete()
    page = root.get(LOG).text
    assert f'Created the dataset “<a href="/datasets/{here.pk}/">&lt;Here&gt;</a>”, 3 examples' in page
    assert "Deleted the dataset “Gone”" in page
    assert f'<a href="/people/{alice.pk}/">alice@example.com</a>' in page
    assert "“&lt;b&gt;”" in page
    assert "thing.from_an_earlier_release &lt;i&gt;" in page


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["c", "b", "a"]),
        ({"person": "ALICE"}, ["c", "a"]),
        ({"event": "dataset.created"}, ["a"]),
        ({"event": "dataset."}, ["b", "a"]),
        ({"about": "A"}, ["a"]),
        ({"address": "192.0.2."}, ["b"]),
        ({"kind": "datasets.dataset", "key": "2"}, ["b"]),
        ({"since": "2026-01-02"}, ["c", "b"]),
        ({"until": "2026-01-02"}, ["b", "a"]),
        ({"since": "2026-01-02", "until": "2026-01-02", "person": "bob"}, ["b"]),
        ({"since": "yesterday", "event": "no.such", "person": "\0", "before": "x"}, ["c", "b", "a"]),
        ({"until": "9999-12-31", "before": "9" * 15}, ["c", "b", "a"]),
        ({"before": "²"}, ["c", "b", "a"]),
    ],
)
def test_it_is_narrowed(root: Client, asked: dict[str, str], found: list[str]) -> None:
    kind = "datasets.dataset"
    for day, name, who, event in [
        (1, "a", "alice@example.com", "dataset.created"),
        (2, "b", "bob@example.com", "dataset.deleted"),
        (3, "c", "alice@example.com", "job.created"),
    ]:
        address = "192.0.2.9" if name == "b" else "2001:db8::1"
        time = f"2026-01-0{day}T23:59:59Z"
        Entry.objects.create(
            event=event, who=who, name=name, address=address, time=time, kind=kind if day < 3 else "", key=str(day)
        )
    page = root.get(LOG, asked).text
    assert re.findall(r"“(\w)”", page) == found
    rows = orjson.loads(body(root.get("/audit/audit.json", asked)))
    assert [row["name"] for row in rows if row["name"]] == found


def test_each_entry_stands_on_one_page_however_many_share_a_moment(
    root: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    moment = timezone.now() - timedelta(days=1)
    times = [moment - timedelta(seconds=number // 70) for number in range(2 * ENTRIES_A_PAGE + 20)]
    Entry.objects.bulk_create(
        Entry(event="preset.deleted", name=f"n{number}", time=time) for number, time in enumerate(times)
    )
    seen, query = [], ""
    for _page in range(3):
        with django_assert_max_num_queries(12):
            page = root.get(f"{LOG}?{query}").text
        seen += re.findall(r"“(n\d+)”", page)
        query = "".join(re.findall(r'href="\?([^"]*before=\d+)"', page)).replace("&amp;", "&")
    assert query == ""
    assert len(seen) == len(set(seen)) == len(times)


def test_csv_is_read_as_it_was_written_and_computes_nothing(root: Client, alice: User) -> None:
    audit.record(alice, "preset.created", audit.Thing("preset", "1", '=HYPERLINK("x")'))
    audit.record(alice, "dataset.renamed", DatasetFactory(owner=alice, name='a "b", c\nd'), before="old")
    answer = root.get("/audit/audit.csv", {"person": "alice"})
    assert answer["Content-Disposition"] == 'attachment; filename="audit.csv"'
    renamed, created = csv.DictReader(io.StringIO(body(answer).decode(), newline=""))
    assert created["name"] == '\'=HYPERLINK("x")'
    assert (renamed["name"], renamed["facts"]) == ('a "b", c\nd', '{"before":"old"}')
    assert renamed["who"] == "alice@example.com"


def test_taking_the_log_away_stands_in_the_log(root: Client) -> None:
    assert root.head("/audit/audit.json").status_code == 200
    assert not Entry.objects.exists()
    body(root.get("/audit/audit.json", {"person": "x"}))
    entry = Entry.objects.get()
    assert (entry.event, entry.who, entry.facts) == (
        "audit.exported",
        "root@example.com",
        {"form": "JSON", "filters": "person=x"},
    )
    assert orjson.loads(body(root.get("/audit/audit.json", {"event": "team."}))) == []


def test_who_may_change_an_object_sees_its_history_without_addresses(client: Client, alice: User) -> None:
    model = TunedModelFactory(owner=alice)
    Entry.objects.create(
        event="job.noted", kind="jobs.job", key=model.job.pk, name="x", who="w@example.com", address="192.0.2.4"
    )
    reader, writer = UserFactory(), UserFactory()
    Grant.objects.create(model=model, person=reader, role=Role.READER)
    Grant.objects.create(model=model, person=writer, role=Role.WRITER)
    pages = {}
    for person in (alice, reader, writer):
        client.force_login(person)
        pages[person] = client.get(f"/jobs/{model.job.pk}/").text
    assert "Changed the notes of the job" in pages[alice]
    assert "Changed the notes of the job" in pages[writer]
    assert "Changed the notes of the job" not in pages[reader]
    assert not any("192.0.2.4" in page or LOG in page for page in pages.values())


def test_a_dataset_shows_its_history(browser: Client, alice: User) -> None:
    dataset, other = DatasetFactory(owner=alice, name="Mine"), DatasetFactory(owner=alice, name="Other")
    audit.record(alice, "dataset.renamed", dataset, before="Old")
    assert "Renamed the dataset “Old” to" in browser.get(f"/datasets/{dataset.pk}/").text
    assert "Who did what here" not in browser.get(f"/datasets/{other.pk}/").text
