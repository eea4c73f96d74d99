"""Questions about many jobs: whose they are, which go on, and which their services are asked about now."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING, Any, Self

from django.db import IntegrityError, models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.expressions import RawSQL
from django.utils import timezone

from dashboard.accounts.models import User
from dashboard.library.models import Role, TunedModel
from dashboard.people import quotas
from tuning.jobs import JobState

if TYPE_CHECKING:
    from dashboard.jobs.models import Job

REFRESH_INTERVAL = timedelta(seconds=1)
"""A service is asked about a job at most once in this time, however many people watch."""

REFRESHED_AT_ONCE = 4
"""Jobs that one look at a page of many asks services about."""

UNFINISHED = [state for state in JobState if not state.is_final]

GLIMPSED = (
    "key",
    "owner",
    "ref",
    "state",
    "attempt",
    "completed_steps",
    "queue_place",
    "expected_start",
    "preparing",
    "failure_code",
    "trouble",
    "sent",
    "first_step_at",
    "last_step_at",
    "validation",
    "findings",
    "answered",
    "log_cursor",
    "synced_at",
)
"""Columns that tell whether a job has changed (its ``fingerprint``) or is to be asked about."""


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: User) -> Self:
        """The jobs that ``user`` may see: their own, and those of models they may see; administrators see all."""
        return self.with_role(user, Role.READER)

    def changeable_by(self, user: User) -> Self:
        """Those that ``user`` may change: their own, and those of models they may change."""
        return self.with_role(user, Role.WRITER)

    def present(self) -> Self:
        """All but those whose model is in the bin, whoever brought them in. These are few, and found first."""
        return self.exclude(pk__in=RawSQL(*_of_binned_models()))  # noqa: S611 - written by Django, below

    def with_role(self, user: User, role: Role) -> Self:
        """Those on which ``user`` has that role or more. The owner of a job has all, however its model is shared."""
        present = self.present()
        if user.is_administrator:
            return present
        models = TunedModel.objects.with_role(user, role)
        return present.filter(Q(owner=user) | Q(pk__in=models.order_by().values("job")))

    def glimpse(self, user: User, pk: int) -> "Job | None":
        """Job ``pk``, if ``user`` may see it, just enough of it to tell whether it has changed: what every open page
        asks each second.
        """
        sql, parameters = _of_a_glimpse(user.is_administrator)
        meant = {ANYBODY: user.pk, ANY_ADDRESS: user.email, ANY_JOB: pk}
        return next(iter(self.raw(sql, [meant.get(value, value) for value in parameters])), None)

    def enter(self, job: "Job") -> None:
        """Keep a new job, which its owner must have room for: every job that is made here is entered so.

        Raises ``Exhausted``, and ``IntegrityError`` where a job has its key already.
        """
        with transaction.atomic():
            job.save()  # first: a twin of one request is no job too many
            quotas.admit_jobs(job.owner, made=1)

    def enter_once(self, job: "Job", asked: str) -> "tuple[Job, bool]":
        """Enter ``job``, and tell that it is new; or, where a job that was ``asked`` for in the same words still goes
        on, that one.
        """
        for number in count():
            job.key = sha256(f"{asked} {number}".encode()).hexdigest()
            earlier = self.filter(key=job.key).first()
            if earlier is None:
                break
            if not earlier.is_final:
                return earlier, False
        try:
            self.enter(job)
        except IntegrityError:  # asked twice at the same time
            return self.get(key=job.key), False
        return job, True

    def unfinished(self) -> Self:
        return self.filter(state__in=UNFINISHED)  # the few that an index has; of "no final state" it knows nothing

    def unsent(self) -> Self:
        return self.unfinished().filter(ref="")

    def finished_well(self) -> Self:
        return self.filter(state=JobState.SUCCEEDED)

    def refresh_quietly(self, jobs: "Iterable[Job]") -> None:
        """Refresh ``jobs`` for those who only look. A service that does not answer once is asked no further."""
        silent = set()
        for job in jobs:
            if job.connection_id not in silent and not job.refresh_quietly():
                silent.add(job.connection_id)

    def refresh_a_few(self) -> int:
        """Refresh those that go on and were asked about longest ago, for those who only look. Says how many."""
        sent = self.unfinished().exclude(ref="").select_related("connection", "owner")
        stalest = sent.order_by(F("synced_at").asc(nulls_first=True), "pk")[:REFRESHED_AT_ONCE]
        self.refresh_quietly(stalest)
        return len(stalest)

    def claim_sending(self, pk: int, lasts: timedelta) -> datetime | None:
        """Until when the caller is the one who hands job ``pk`` to its service; ``None`` where that is another, or it
        is there already.
        """
        now = timezone.now()
        free, until = Q(sending=None) | Q(sending__lte=now), now + lasts
        return until if self.unsent().filter(free, pk=pk).update(sending=until) else None

    def claim_refresh(self, pk: int) -> bool:
        """Whether the caller is the one who asks the service about job ``pk`` in this interval."""
        now = timezone.now()
        due = Q(synced_at=None) | Q(synced_at__lte=now - REFRESH_INTERVAL)
        return self.unfinished().filter(due, pk=pk).exclude(ref="").update(synced_at=now) == 1


ANYBODY, ANY_JOB, ANY_ADDRESS = -1, -2, "anybody@example.invalid"
"""Stand where a person and a job will be, in a question that is written before it is asked."""


@cache
def _of_a_glimpse(by_administrator: bool) -> tuple[str, tuple[Any, ...]]:
    """The question for a glimpse, as SQL: Django takes five times as long to write it as a database to answer it."""
    from dashboard.jobs.models import Job  # noqa: PLC0415 - which has these questions

    anybody = User(pk=ANYBODY, email=ANY_ADDRESS, is_administrator=by_administrator)
    glimpsed = Job.objects.visible_to(anybody).filter(pk=ANY_JOB).only(*GLIMPSED).order_by()
    sql, parameters = glimpsed.query.sql_with_params()
    return sql, tuple(parameters)


@cache
def _of_binned_models() -> tuple[str, tuple[Any, ...]]:
    """The keys of jobs whose model is in the bin, as SQL. Each request asks for them at least once in the same words,
    which it takes as long to find as all else that an open page asks.
    """
    from dashboard.jobs.models import Job  # noqa: PLC0415 - which has these questions

    binned = TunedModel.objects.filter(removed__isnull=False)
    this = binned.filter(connection=OuterRef("connection"), name=OuterRef("model"))
    jobs = Job.objects.order_by().filter(Exists(this), model__in=binned.values("name"))
    sql, parameters = jobs.values("pk").query.sql_with_params()
    return sql, tuple(parameters)
