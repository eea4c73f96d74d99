"""``/tuneboard/v1/queue``: who is tuned for and who waits, for everybody; of others' jobs nothing but their place."""

from datetime import datetime
from typing import Any

from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse

from tuning.assertions import Identity
from tuning.jobs import JobState
from tuning.resources import Role
from tuning.server import access, expectations, turns
from tuning.server.answers import json_answer
from tuning.server.models import Job, Permission, TunerState
from tuning.server.views.tuneboard.fields import moment, present

SHOWN = 100
"""Jobs in an answer: of those that wait the first, and behind them only the caller's own."""

Described = dict[str, Any]


def queue(request: HttpRequest, caller: Identity) -> HttpResponse:
    """``{"waiting", "running": […], "next": […]}``: how many wait, who is tuned for, and whose turns come next.

    Each job has its steps; ``place`` counts from 1. Its ``model``, name and owner have those only that the caller may
    see.
    """
    pace, known = expectations.pace(), _owners(caller)
    line = [(place, waiting.pk, work) for place, (waiting, work) in enumerate(turns.order(_slots()), start=1)]
    shown = [turn for turn in line if turn[0] <= SHOWN or turn[1] in known]
    jobs = Job.objects.in_bulk([pk for _, pk, _ in shown])
    running = Job.objects.filter(state=JobState.RUNNING, lease_until__gte=Now()).order_by("started", "pk")[:SHOWN]
    return json_answer(
        {
            "waiting": len(line),
            "running": [_running(job, known.get(job.pk), pace) for job in running],
            "next": [
                _waiting(jobs[pk], known.get(pk), place, expectations.start_after(work, pace))
                for place, pk, work in shown
                if pk in jobs
            ],
        }
    )


def _slots() -> int:
    return max(TunerState.objects.slots(), 1)


def _owners(caller: Identity) -> dict[int, str]:
    """The unfinished jobs that ``caller`` may see, and whose they are."""
    jobs = Job.objects.unfinished().filter(access.listed_for(caller))
    return dict(Permission.objects.filter(role=Role.OWNER, job__in=jobs).values_list("job_id", "email"))


def _running(job: Job, owner: str | None, pace: float | None) -> Described:
    left = max(job.total_steps - job.completed_steps, 0) * job.batch_size
    expected = expectations.start_after(left, pace)
    return _described(job, owner) | present(started=moment(job.started), expectedEnd=moment(expected))


def _waiting(job: Job, owner: str | None, place: int, start: datetime | None) -> Described:
    urgency = present(priority=job.priority or None) if owner is not None else {}
    return {"place": place, **_described(job, owner), **urgency, **present(expectedStart=moment(start))}


def _described(job: Job, owner: str | None) -> Described:
    steps = {"totalSteps": job.total_steps, "completedSteps": job.completed_steps}
    if owner is None:
        return steps
    told = {"model": job.name, "displayName": job.display_name, "owner": owner, "baseModel": job.base_asked}
    return told | steps
