"""Entries of the audit log: what they keep, and that nothing changes or removes them."""

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, connection, transaction
from django.test import RequestFactory
from django.utils import timezone
from pytest_django import Settings

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.audit import triggers
from dashboard.audit.models import SWEPT_AT_ONCE, Entry
from dashboard.messages import AUDIT, explain_entry
from tests.factories import DatasetFactory, UserFactory

PROXY = ("HTTP_X_FORWARDED_PROTO", "https")

pytestmark = pytest.mark.django_db


@pytest.fixture
def guarded(db: None) -> Iterator[None]:
    """The database as people have it, with its triggers."""
    triggers.place(connection)
    yield
    triggers.remove(connection)


def test_an_entry_tells_who_did_what_to_which_object_and_from_where(alice: User, rf: RequestFactory) -> None:
    dataset = DatasetFactory(owner=alice, name="Numbers")
    request = rf.get("/", REMOTE_ADDR="192.0.2.7")
    request.user = alice

    audit.record(request, "dataset.renamed", dataset, before="Old")

    entry = Entry.objects.get()
    assert (entry.person, entry.who, entry.address) == (alice, "alice@example.com", "192.0.2.7")
    assert (entry.kind, entry.key, entry.name) == ("datasets.dataset", str(dataset.pk), "Numbers")
    assert explain_entry(entry.event, entry.name, entry.facts) == "Renamed the dataset “Old” to “Numbers”"
    assert timezone.now() - entry.time < timedelta(minutes=1)


def test_what_is_gone_keeps_its_name(alice: User) -> None:
    bob = UserFactory(email="bob@example.com")
    dataset = DatasetFactory(owner=alice, name="Numbers")
    audit.record(bob, "dataset.deleted", dataset)
    dataset.delete()
    bob.delete()

    entry = Entry.objects.select_related("person").get()
    assert (entry.person, entry.who, entry.name) == (None, "bob@example.com", "Numbers")


def test_nobody_and_nothing_can_be_told_of(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = AnonymousUser()
    audit.record(request, "person.sign_in_failed")
    audit.record(None, "key.used", audit.Thing("key", "k-1", "laptop"))

    used, failed = Entry.objects.order_by("-pk")
    assert (failed.person, failed.who, failed.address) == (None, "", "127.0.0.1")
    assert (used.person, used.address, used.kind, used.key, used.name) == (None, None, "key", "k-1", "laptop")


@pytest.mark.parametrize(
    ("proxy", "forwarded", "expected"),
    [
        (None, "203.0.113.5", "192.0.2.7"),
        (PROXY, "198.51.100.1, 203.0.113.5", "203.0.113.5"),
        (PROXY, "", "192.0.2.7"),
        (PROXY, "<script>", None),
    ],
)
def test_a_forwarded_address_is_believed_behind_our_proxy_alone(
    rf: RequestFactory, settings: Settings, proxy: object, forwarded: str, expected: str | None
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = proxy
    request = rf.get("/", REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_FOR=forwarded)
    audit.record(request, "person.sign_in_failed")
    assert Entry.objects.get().address == expected


def test_long_and_odd_names_are_kept_as_far_as_they_fit(alice: User) -> None:
    audit.record(alice, "base.added", audit.Thing("base", "b" * 500, "n\0" * 500), folder="f\0" * 500)
    entry = Entry.objects.get()
    assert entry.name == "n" * 200
    assert entry.facts == {"folder": "f" * 200}
    assert len(entry.key) == 100


def test_an_entry_is_undone_with_what_it_tells_about(alice: User) -> None:
    with transaction.atomic():
        audit.record(alice, "person.renamed", alice)
        transaction.set_rollback(True)
    assert not Entry.objects.exists()


def test_the_model_refuses_to_change_or_remove_entries(alice: User) -> None:
    audit.record(alice, "person.signed_in", alice)
    entry = Entry.objects.get()
    for attempt in (
        entry.save,
        entry.delete,
        Entry.objects.all().delete,
        lambda: Entry.objects.update(who="mallory@example.com"),
        lambda: Entry.objects.bulk_update([entry], ["who"]),
        lambda: Entry.objects.update_or_create(pk=entry.pk, defaults={"who": "mallory@example.com"}),
    ):
        with pytest.raises(TypeError), transaction.atomic():
            attempt()
    assert Entry.objects.get().who == "alice@example.com"


@pytest.mark.parametrize("statement", ["UPDATE audit_entry SET who = 'mallory'", "DELETE FROM audit_entry"])
def test_the_database_refuses_too(alice: User, guarded: None, statement: str) -> None:
    audit.record(alice, "person.signed_in", alice)
    with pytest.raises(DatabaseError, match="entries of the audit log"), transaction.atomic():
        connection.cursor().execute(statement)
    assert Entry.objects.get().who == "alice@example.com"


def test_what_is_old_is_swept_and_an_entry_says_so(alice: User, guarded: None) -> None:
    now = timezone.now()
    Entry.objects.create(event="person.signed_in", who="old@example.com", time=now - timedelta(days=400))
    audit.record(alice, "person.signed_in", alice)

    assert Entry.objects.sweep(now - timedelta(days=365)) == 1

    told, kept = Entry.objects.order_by("-pk")
    assert kept.who == "alice@example.com"
    assert (told.event, told.facts["count"], told.person) == ("audit.swept", 1, None)
    assert Entry.objects.sweep(now - timedelta(days=365)) == 0
    assert Entry.objects.count() == 2


def test_much_is_swept_in_portions(guarded: None) -> None:
    old = timezone.now() - timedelta(days=400)
    Entry.objects.bulk_create(Entry(event="person.signed_in", time=old) for _ in range(SWEPT_AT_ONCE + 5))
    assert Entry.objects.sweep(timezone.now() - timedelta(days=1)) == SWEPT_AT_ONCE + 5
    assert [entry.facts["count"] for entry in Entry.objects.order_by("pk")] == [SWEPT_AT_ONCE, 5]


def test_every_event_that_is_recorded_has_a_sentence() -> None:
    recorded = {
        argument.value
        for path in Path("dashboard").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "audit.record"
        for argument in ast.walk(call.args[1])
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }
    assert recorded <= set(AUDIT)
