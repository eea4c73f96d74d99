"""``/tuneboard/v1``: what Google's API has no words for, for the dashboard. JSON of our own, times RFC 3339."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from tuning import wire
from tuning.assertions import Identity
from tuning.jobs import JobState
from tuning.server.access import Action
from tuning.server.answers import json_answer
from tuning.server.models import InferenceChild, Job, TunerState
from tuning.server.routing import number
from tuning.server.views import tuned_models


def job(request: HttpRequest, caller: Identity, model_id: str) -> HttpResponse:
    """A job and the points after step ``?after=``; ``attempt`` tells when its curve began anew."""
    found = tuned_models.find(caller, model_id, Action.READ)
    points = found.points(after=number(request, "after", default=0))
    return json_answer(
        _status(found) | {"points": [[point.step, point.epoch, point.value, point.time] for point in points]}
    )


def status(request: HttpRequest, caller: Identity) -> HttpResponse:
    tuner = TunerState.current()
    return json_answer(
        {
            "version": settings.VERSION,
            "tuner": tuner is not None,
            "inference": tuner is not None and InferenceChild.objects.exists(),
            **_present(preparing=tuner and tuner.preparing, failure=tuner and tuner.failure_code),
        }
    )


def healthz(request: HttpRequest) -> HttpResponse:
    """For supervisors: the process answers and the database can be read. Needs no credentials and tells nothing."""
    TunerState.objects.exists()
    return json_answer({"status": "ok"})


def _status(found: Job) -> dict[str, Any]:
    return {
        "state": found.state,
        "model": found.name,
        "operation": found.operation,
        "attempt": found.attempt,
        "totalSteps": found.total_steps,
        "completedSteps": found.completed_steps,
        **_present(
            created=_time(found.created),
            started=_time(found.started),
            finished=_time(found.finished),
            queuePlace=found.queue_place(),
            preparing=_preparing(found),
            failure=_failure(found),
        ),
    }


def _preparing(found: Job) -> int | None:
    tuner = TunerState.current() if found.state == JobState.QUEUED else None
    return tuner.preparing if tuner else None


def _failure(found: Job) -> dict[str, str] | None:
    if not found.failure_code:
        return None
    return {"code": found.failure_code, "detail": found.failure_detail}


def _time(moment: datetime | None) -> str | None:
    return wire.rfc3339(moment) if moment else None


def _present(**values: object) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None and value != ""}
