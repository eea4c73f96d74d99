"""What happens to jobs that people are told of, exactly once."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from dashboard.accounts.models import User
from dashboard.jobs.models import Job
from dashboard.library.models import TunedModel
from dashboard.notices.models import Delivery, Event, Notice, Preferences, Way, Webhook
from dashboard.notices.sending import deliver
from tuning.jobs import JobState

TURNED_UP = frozenset({"diverged", "not_finite"})
"""The adviser's findings that are divergence."""


def occurred(job: Job) -> list[Event]:
    """What has happened to ``job`` in its present try. That it was cancelled is no news: somebody did it."""
    if job.state == JobState.FAILED:
        return [Event.FAILED]
    found = []
    if job.state in {JobState.RUNNING, JobState.SUCCEEDED} and any(one["code"] in TURNED_UP for one in job.findings):
        found.append(Event.DIVERGED)
    if job.state == JobState.SUCCEEDED:
        found.append(Event.ENDED)
    elif job.is_stalled:
        found.append(Event.STALLED)
    return found


def take_note(job: Job) -> None:
    """Tell the owner of ``job`` what has happened to it, unless they know. Safe to repeat, and to do at once twice."""
    for event in occurred(job):
        with transaction.atomic():
            _note(job, event)


def sweep() -> None:
    """Take note of all that is not known yet."""
    ended = Q(state=JobState.SUCCEEDED) | Q(state=JobState.FAILED)
    this_try = {"job": OuterRef("pk"), "attempt": OuterRef("attempt"), "reopened": OuterRef("reopened")}
    known = Notice.objects.filter(**this_try, event__in=[Event.ENDED, Event.FAILED])
    missed = Job.objects.filter(ended).exclude(Exists(known))
    for job in [*missed.select_related("owner"), *Job.objects.unfinished().select_related("owner")]:
        take_note(job)


def known(jobs: Iterable[Job]) -> None:
    """Say nothing of what has happened to ``jobs`` so far: they were brought in from elsewhere."""
    rows = [Notice(**_which(job, event), on_page=False) for job in jobs for event in occurred(job)]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)


def expires(model: TunedModel) -> None:
    """Tell the owner of ``model`` that it is kept not much longer, unless they know."""
    if model.job:
        with transaction.atomic():
            _note(model.job, Event.EXPIRES)


def unsay_expiry(job: Job) -> None:
    """Another date was set, or none: what was said is void, and the new date may be told of."""
    Notice.objects.filter(job=job, event=Event.EXPIRES).delete()


def _which(job: Job, event: Event) -> dict[str, Any]:
    """What tells the notice of ``event`` from all others."""
    return {"person": job.owner, "job": job, "event": event, "attempt": job.attempt, "reopened": job.reopened}


def _note(job: Job, event: Event) -> None:
    which = _which(job, event)
    if Notice.objects.filter(**which).exists():
        return
    wanted = Preferences.of(job.owner)[event]
    notice, is_new = Notice.objects.get_or_create(**which, defaults={"on_page": Way.PAGE in wanted})
    if is_new:
        for way in open_ways(job.owner):
            if way in wanted:
                Delivery.objects.create(person=job.owner, notice=notice, way=way)
                send()


def open_ways(person: User) -> list[Way]:
    """The ways out of the page that lead somewhere: to those who have no way in any more, none does."""
    if not person.is_active:
        return []
    mail = [Way.MAIL] if settings.EMAIL_URL else []
    webhook = [Way.WEBHOOK] if Webhook.objects.filter(person=person).exists() else []
    return mail + webhook


def send() -> None:
    """Have the worker send now what is due; if that gets lost, its sweep finds the rows."""
    deliver.enqueue()
