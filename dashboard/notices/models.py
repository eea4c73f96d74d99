"""What people are told of their jobs, by which ways, and how that went.

A :class:`Notice` is made once for each person, job, try of it and event, whether or not anybody wants to hear of it,
so that nothing is told twice. A :class:`Delivery` is what is still to be sent, or was; its row says when it is tried
next.
"""

import secrets
from base64 import b64encode
from datetime import timedelta
from typing import ClassVar, Self

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from encrypted_fields.fields import EncryptedTextField

from dashboard.accounts.models import User
from dashboard.jobs.models import Job

PAUSES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=6))
"""Between one try and the next."""
TRIES = len(PAUSES) + 1
HELD_UP = timedelta(seconds=45)
"""After a try that failed, others to the same person by the same way wait so long: what is dead delays only itself."""


class Event(models.TextChoices):
    ENDED = "ended", _("A job is done")
    FAILED = "failed", _("A job failed")
    STALLED = "stalled", _("A job stands still")
    DIVERGED = "diverged", _("A loss turns up for good")
    EXPIRES = "expires", _("A model expires soon")


class Way(models.TextChoices):
    PAGE = "page", _("In the page")
    MAIL = "mail", _("By e-mail")
    WEBHOOK = "webhook", _("By webhook")


class NoticeQuerySet(models.QuerySet["Notice"]):
    def shown_to(self, person: User) -> Self:
        """Those on the page of ``person``, of jobs that are theirs still; what is in the bin is not told of."""
        told = self.filter(person=person, job__owner=person, on_page=True)
        return told.exclude(job__library_model__removed__isnull=False)

    def unread(self) -> Self:
        return self.filter(read=None)

    def mark_read(self) -> int:
        return self.unread().update(read=timezone.now())


class Notice(models.Model):
    """That something happened to a job, for one person."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="notices")
    event = models.CharField(max_length=10, choices=Event.choices)
    attempt = models.PositiveIntegerField()
    reopened = models.PositiveIntegerField(default=0)
    """Both of the job: what happens to another attempt, or after it was tried again, is told again."""
    time = models.DateTimeField(default=timezone.now)
    on_page = models.BooleanField(default=True)
    read = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ("-time", "-pk")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "job", "attempt", "reopened", "event"], name="notices_told_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["person", "-time"], name="notices_of_person"),
            models.Index(fields=["person"], condition=Q(read=None, on_page=True), name="notices_unread"),
        ]

    def __str__(self) -> str:
        return f"{self.event}: {self.job}"


class Preferences(models.Model):
    """Which events a person wants to hear of, by which ways. Who has said nothing has the :data:`USUAL` ones."""

    person = models.OneToOneField(User, on_delete=models.CASCADE, related_name="+")
    ways = models.JSONField(default=dict)
    """Event -> ways."""

    def __str__(self) -> str:
        return f"of {self.person}"

    @classmethod
    def of(cls, person: User) -> dict[str, list[str]]:
        """Event -> ways, for each event."""
        said = cls.objects.filter(person=person).first()
        return {event: said.ways.get(event, USUAL) if said else USUAL for event in Event.values}


USUAL = [Way.PAGE.value, Way.WEBHOOK.value]
"""Mail is for those who ask for it; a webhook was asked for when it was made."""


class Webhook(models.Model):
    """Where a person's notices are posted to, and what they are signed with."""

    person = models.OneToOneField(User, on_delete=models.CASCADE, related_name="webhook")
    url = models.URLField(max_length=500)
    secret = EncryptedTextField()
    created = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"of {self.person}"

    @staticmethod
    def new_secret() -> str:
        """As Standard Webhooks writes it: a prefix, and 32 random bytes in Base64."""
        return "whsec_" + b64encode(secrets.token_bytes(32)).decode()


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def of_own_jobs(self) -> Self:
        """Those about jobs that are the person's still, and tests: what was handed over is told to nobody else."""
        return self.filter(Q(notice=None) | Q(notice__job__owner=F("person")))

    def due(self) -> Self:
        return self.of_own_jobs().filter(next_try__lte=timezone.now(), tries__lt=TRIES)

    def end_lost(self) -> int:
        """Give up those whose last try never came back: its worker was killed."""
        return self.filter(next_try__lte=timezone.now(), tries__gte=TRIES).update(next_try=None)

    @transaction.atomic
    def test(self, person: User, way: Way) -> None:
        """Have ``way`` tested: by the test that ``person`` still waits for, or by a new one where there is none."""
        User.objects.select_for_update().get(pk=person.pk)  # two presses of a button at once
        if waiting := self.filter(person=person, way=way, notice=None).exclude(next_try=None).first():
            waiting.again()
        else:
            self.create(person=person, way=way)

    def claim(self, delivery: "Delivery") -> bool:
        """Whether the caller is the one who sends ``delivery`` now. Who dies over it has it tried again later."""
        later = timezone.now() + PAUSES[min(delivery.tries, len(PAUSES) - 1)]
        mine = self.due().filter(pk=delivery.pk, tries=delivery.tries)
        return mine.update(tries=F("tries") + 1, next_try=later) == 1


class Delivery(models.Model):
    """A notice on its way to a person, by mail or webhook; without ``notice``, a test of that way."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="deliveries")
    notice = models.ForeignKey(Notice, null=True, on_delete=models.CASCADE, related_name="deliveries")
    way = models.CharField(max_length=10, choices=Way.choices)
    key = models.CharField(max_length=64, unique=True, default=secrets.token_hex)
    """The same in each try, so that a receiver notices what comes twice."""
    created = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try = models.DateTimeField(null=True, default=timezone.now, db_index=True)
    """``None``: there is nothing more to do."""
    done = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ("-created", "-pk")
        constraints: ClassVar = [models.UniqueConstraint(fields=["notice", "way"], name="notices_delivered_once")]

    def __str__(self) -> str:
        return f"{self.notice or 'test'} by {self.way}"

    @property
    def is_held_up(self) -> bool:
        """Whether the last try to this person by this way failed just now."""
        siblings = Try.objects.filter(delivery__person=self.person, delivery__way=self.way)
        last = siblings.order_by("-time").first()
        return bool(last and last.problem and last.time > timezone.now() - HELD_UP)

    def again(self) -> None:
        """Send it once more, from the first try on."""
        self.tries, self.next_try, self.done = 0, timezone.now(), None
        self.save(update_fields=["tries", "next_try", "done"])

    def note(self, took: float, status: int | None, problem: str) -> None:
        """Write down how a try went; one that failed is made again while there are tries left."""
        Try.objects.create(delivery=self, number=self.tries, took=took, status=status, problem=problem)
        if not problem:
            self.done, self.next_try = timezone.now(), None
        elif self.tries >= TRIES:
            self.next_try = None
        self.save(update_fields=["done", "next_try"])

    def drop(self) -> None:
        """There is nowhere to send it any more."""
        self.next_try = None
        self.save(update_fields=["next_try"])


class Try(models.Model):
    """One try to deliver: when, how long it took, and what came of it."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="log")
    number = models.PositiveSmallIntegerField()
    time = models.DateTimeField(default=timezone.now, db_index=True)
    took = models.FloatField()
    """Seconds."""
    status = models.PositiveSmallIntegerField(null=True)
    """Of the receiver's answer, where one came."""
    problem = models.CharField(max_length=40, blank=True)
    """A code of ``dashboard/messages/``; empty when it went well."""

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"try {self.number} of {self.delivery}: {self.problem or 'delivered'}"
