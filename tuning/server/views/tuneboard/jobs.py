"""``/tuneboard/v1/jobs/{id}``: what a job's page shows, and what it takes away. ``{id}`` is the tuned model's."""

from collections.abc import Sequence
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from tuning.assertions import Identity
from tuning.errors import FailedPrecondition, NotFound
from tuning.jobs import JobState, Point
from tuning.server import archives, expectations, files
from tuning.server.access import Action
from tuning.server.answers import json_answer
from tuning.server.models import Job, LogLine, TunerState
from tuning.server.routing import number
from tuning.server.views import tuned_models
from tuning.server.views.tuneboard.fields import moment, present

LINES = 1000
"""Log lines an answer holds at most."""


def job(request: HttpRequest, caller: Identity, model_id: str) -> HttpResponse:
    """A job's status and the points after step ``?after=``; ``attempt`` tells when its curve began anew.

    While it waits, ``queuePlace`` counts from 1 and ``expectedStart`` says when its turn may come, where the pace of
    this machine is known. ``preparing`` is the percentage of its base model that has been made ready.
    """
    found = tuned_models.find(caller, model_id, Action.READ)
    return json_answer(_status(found) | {"points": _rows(found.points(after=number(request, "after", default=0)))})


def points(request: HttpRequest, caller: Identity, model_id: str) -> HttpResponse:
    """``{"attempt", "points": [[step, epochs completed, loss, seconds since 1970], …]}`` after step ``?after=``.

    ``?attempt=`` is the one that the caller knows: once the job has begun anew, ``after`` means nothing and the
    curve comes from its start.
    """
    found = tuned_models.find(caller, model_id, Action.READ)
    after = number(request, "after", default=0)
    known = number(request, "attempt", default=found.attempt) == found.attempt
    return json_answer({"attempt": found.attempt, "points": _rows(found.points(after=after if known else 0))})


def log(request: HttpRequest, caller: Identity, model_id: str) -> HttpResponse:
    """``{"lines": [{"time", "attempt", "level", "text"}], "cursor"}``: at most a thousand lines after ``?after=``,
    which is the ``cursor`` of an earlier answer; 0 is the start. A cursor that stays the same means no news.
    """
    found = tuned_models.find(caller, model_id, Action.READ)
    after = number(request, "after", default=0)
    lines = list(found.log_lines.filter(pk__gt=after)[:LINES])
    return json_answer({"lines": [_line(line) for line in lines], "cursor": lines[-1].pk if lines else after})


def adapter(request: HttpRequest, caller: Identity, model_id: str) -> HttpResponseBase:
    """The adapter's folder as a zip file: safetensors and configuration as PEFT writes them, and GGUF.

    For whoever may ask the model. Answers 400 until tuning has succeeded.
    """
    found = tuned_models.find(caller, model_id, Action.READ)
    if not found.is_final:
        raise FailedPrecondition("still_creating", name=found.name)
    if found.state != JobState.SUCCEEDED:
        raise FailedPrecondition("not_active", name=found.name)
    content = archives.zipped(files.adapter(found), folder=found.model_id)
    return StreamingHttpResponse(
        content,
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{found.model_id}.zip"'},
    )


def training_data(request: HttpRequest, caller: Identity, model_id: str) -> HttpResponseBase:
    """The examples the model was tuned on, as JSONL of ``text_input`` and ``output``. For its owner alone."""
    found = tuned_models.find(caller, model_id, Action.DELETE)
    try:
        content = files.training_data(found.training_data).open("rb")
    except FileNotFoundError as exc:
        raise NotFound("training_data_gone", name=found.name) from exc
    return FileResponse(
        content, as_attachment=True, filename=f"{found.model_id}.jsonl", content_type="application/jsonl; charset=utf-8"
    )


def _status(found: Job) -> dict[str, Any]:
    return {
        "state": found.state,
        "model": found.name,
        "operation": found.operation,
        "attempt": found.attempt,
        "totalSteps": found.total_steps,
        "completedSteps": found.completed_steps,
        **present(
            created=moment(found.created),
            started=moment(found.started),
            finished=moment(found.finished),
            queuePlace=found.queue_place(),
            expectedStart=moment(expectations.start(found)),
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


def _rows(series: Sequence[Point]) -> list[list[float]]:
    return [[point.step, point.epoch, point.value, point.time] for point in series]


def _line(line: LogLine) -> dict[str, object]:
    return {"time": moment(line.time), "attempt": line.attempt, "level": line.level, "text": line.text}
