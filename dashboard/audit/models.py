"""Entries of the audit log. They are only ever added, here and, by triggers, in the database itself."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NoReturn, Self

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models, transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from dashboard.accounts.models import User
from dashboard.audit import Fact, Thing
from dashboard.audit.middleware import asked
from dashboard.http import network_address
from dashboard.messages import explain_entry

NAME_LENGTH = 200
SWEPT_AT_ONCE = 10_000
"""Entries that are removed in one transaction: other writers wait no longer than that takes."""


class EntryQuerySet(models.QuerySet["Entry"]):
    def record(
        self,
        by: HttpRequest | AbstractBaseUser | None,
        event: str,
        about: models.Model | Thing | None,
        facts: Mapping[str, Fact],
    ) -> "Entry":
        """Add an entry (see :func:`dashboard.audit.record`)."""
        entry = self.model(event=event, facts={name: _bounded(value) for name, value in facts.items()})
        request = by if isinstance(by, HttpRequest) else asked.get() if by else None
        address = network_address(request) if request else None
        entry.address = str(address) if address else None
        person = getattr(by, "user", None) if isinstance(by, HttpRequest) else by
        if isinstance(person, User):
            entry.person, entry.who = person, person.email
        if about is not None:
            entry.kind, entry.key, name = _described(about)
            entry.name = _plain(name)[:NAME_LENGTH]
        entry.save(force_insert=True)
        return entry

    def about(self, thing: models.Model | Thing) -> Self:
        """What was done to ``thing``, the last first."""
        kind, key, _name = _described(thing)
        return self.filter(kind=kind, key=key)

    def before(self, entry: "Entry") -> Self:
        """Those that stand after ``entry`` where the last come first."""
        same_moment = Q(time=entry.time, pk__lt=entry.pk)
        return self.filter(Q(time__lt=entry.time) | same_moment, time__lte=entry.time)

    def sweep(self, before: datetime) -> int:
        """Remove what is older than ``before``, and say so in an entry for each portion. Returns how many went."""
        count = 0
        while portion := self._portion(before):
            count += portion
        return count

    @transaction.atomic
    def _portion(self, before: datetime) -> int:
        old = list(self.filter(time__lt=before).order_by("pk").values_list("pk", flat=True)[:SWEPT_AT_ONCE])
        if not old:
            return 0
        # First the entry: the database lets nothing go that no entry tells of.
        facts = {"count": len(old), "before": before.date().isoformat()}
        self.create(event="audit.swept", facts=facts, swept_to=old[-1])
        gone = self.filter(pk__lte=old[-1], time__lt=before)
        return gone._raw_delete(gone.db)

    def update(self, **_changes: Any) -> NoReturn:
        """Raises ``TypeError``: entries never change."""
        raise TypeError("Entries of the audit log never change.")

    def delete(self) -> NoReturn:
        """Raises ``TypeError``: entries stay until they are swept."""
        raise TypeError("Entries of the audit log stay until they are too old.")


class Entry(models.Model):
    """One thing that somebody did."""

    time = models.DateTimeField(default=timezone.now, editable=False)
    event = models.CharField(max_length=50)
    """``noun.verb``."""
    person = models.ForeignKey(User, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    """Who did it; may be a row that is gone. ``None``: Tuneboard itself, or nobody who was signed in."""
    who = models.CharField(max_length=254, blank=True)
    """Their e-mail at that time."""
    address = models.GenericIPAddressField(null=True)
    """Where the request came from."""
    kind = models.CharField(max_length=60, blank=True)
    """``app.model`` of the object, or the kind of a :class:`Thing`."""
    key = models.CharField(max_length=100, blank=True)
    name = models.CharField(max_length=NAME_LENGTH, blank=True)
    """What the object was called at that time."""
    facts = models.JSONField(default=dict)
    """What the sentence tells beside the name."""
    swept_to = models.BigIntegerField(null=True)
    """Of an entry about removed entries: up to which key they may be removed."""

    objects = EntryQuerySet.as_manager()

    class Meta:
        ordering = ("-time", "-pk")
        indexes = [
            # All that entries are searched by, in their order, so that none is read before it is known to be shown.
            models.Index(
                fields=["time", "id", "who", "address", "name", "event", "kind", "key"],
                name="audit_listed",
            ),
            models.Index(fields=["who", "time"], name="audit_who"),
            models.Index(fields=["event", "time"], name="audit_event"),
            models.Index(fields=["kind", "key", "time"], name="audit_object"),
            models.Index(fields=["swept_to"], condition=Q(swept_to__isnull=False), name="audit_swept"),
        ]

    def __str__(self) -> str:
        return explain_entry(self.event, self.name, self.facts)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the entry. Raises ``TypeError`` for one that is there already: entries never change."""
        if not self._state.adding:
            raise TypeError("Entries of the audit log never change.")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Raises ``TypeError``: entries stay until they are swept."""
        raise TypeError("Entries of the audit log stay until they are too old.")


def _described(about: models.Model | Thing) -> tuple[str, str, str]:
    """Kind, key and name."""
    if isinstance(about, Thing):
        return about.kind, about.key[:100], about.name
    return about._meta.label_lower, str(about.pk), about.email if isinstance(about, User) else str(about)


def _bounded(value: Fact) -> Fact:
    return _plain(value)[:NAME_LENGTH] if isinstance(value, str) else value


def _plain(text: str) -> str:
    """Without the one character that PostgreSQL does not store."""
    return text.replace("\0", "")
