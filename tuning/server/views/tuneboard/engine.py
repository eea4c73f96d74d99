"""``/tuneboard/v1/engine``: the machines that tune and what waits for them. For administrators."""

from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from tuning import resources
from tuning.assertions import Identity
from tuning.errors import FailedPrecondition, InvalidRequest
from tuning.server import access, expectations, queue, turns
from tuning.server.access import Action
from tuning.server.answers import json_answer
from tuning.server.creation import check_range
from tuning.server.models import Job, TunerState
from tuning.server.routing import read
from tuning.server.views import tuned_models
from tuning.server.views.tuneboard.fields import moment, present

SHOWN = 20
"""Waiting jobs in an answer: those whose turns come first."""
PRIORITIES = (-100, 100)

Described = dict[str, Any]


def engine(request: HttpRequest, caller: Identity) -> HttpResponse:
    """``{"version", "tuners": […], "queue": {"waiting", "running", "next": […]}}``.

    A tuner that was not stopped but has not been heard of for ten seconds is not ``alive``; after an hour it is
    forgotten. ``next`` are the twenty waiting jobs whose turns come first.
    """
    access.require_administrator(caller)
    tuners = list(TunerState.objects.order_by("name"))
    alive = set(TunerState.objects.alive().values_list("pk", flat=True))
    return json_answer(
        {
            "version": settings.VERSION,
            "tuners": [_tuner(tuner, tuner.pk in alive) for tuner in tuners],
            "queue": _queue(sum(tuner.slots for tuner in tuners if tuner.pk in alive)),
        }
    )


def change(request: HttpRequest, caller: Identity, model_id: str) -> HttpResponse:
    """``{"priority": n}``, from -100 to 100: a job of a higher one goes first. Answers the same object.

    For administrators, and while the job has not ended.
    """
    access.require_administrator(caller)
    job = tuned_models.find(caller, model_id, Action.CHANGE)
    priority = read(resources.JobChange, request).priority
    if priority is None:
        raise InvalidRequest("nothing_given", field="priority")
    check_range("priority", priority, *PRIORITIES)
    if job.is_final:
        raise FailedPrecondition("job_ended", name=job.name)
    queue.prioritise(job, priority)
    return json_answer({"priority": priority})


def _tuner(tuner: TunerState, alive: bool) -> Described:
    return {
        "name": tuner.name,
        "host": tuner.host,
        "alive": alive,
        "slots": tuner.slots,
        "threads": tuner.threads,
        "started": moment(tuner.started),
        "heartbeat": moment(tuner.heartbeat),
        "memoryBytes": tuner.memory,
        "freeMemoryBytes": tuner.memory_free,
        "diskBytes": tuner.disk,
        "freeDiskBytes": tuner.disk_free,
        "children": [_child(child) for child in tuner.children],
        **present(preparing=tuner.preparing, preparingBase=tuner.preparing_base, failure=tuner.failure_code),
    }


def _child(child: Described) -> Described:
    since = datetime.fromtimestamp(child["since"], tz=UTC) if child["since"] else None
    about = present(model=child["job"], base=child["base"], since=moment(since))
    return {"kind": child["kind"], "pid": child["pid"], "memoryBytes": child["memory"], **about}


def _queue(slots: int) -> Described:
    first = list(islice(turns.order(max(slots, 1)), SHOWN))
    jobs = Job.objects.in_bulk([waiting.pk for waiting, _ in first])
    pace = expectations.pace()
    return {
        "waiting": Job.objects.claimable().count(),
        "running": len(turns.running()),
        "next": [
            {
                "model": jobs[waiting.pk].name,
                "displayName": jobs[waiting.pk].display_name,
                "owner": waiting.owner,
                "baseModel": jobs[waiting.pk].base_asked,
                "priority": jobs[waiting.pk].priority,
                **present(expectedStart=moment(expectations.start_after(work, pace))),
            }
            for waiting, work in first
            if waiting.pk in jobs
        ],
    }
