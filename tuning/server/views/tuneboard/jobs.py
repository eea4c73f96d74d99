"""``/tuneboard/v1/jobs/{id}``: what a job's page shows, and what it takes away. ``{id}`` is the tuned model's."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from tuning import wire
from tuning.assertions import Identity
from tuning.errors import FailedPrecondition, InvalidRequest, NotFound
from tuning.jobs import JobState, Point
from tuning.resources import JobRecipe, NewJob
from tuning.server import access, creation, expectations, files, findings, queue, rendering, retention, taking, uploads
from tuning.server.access import Action
from tuning.server.answers import answer, json_answer
from tuning.server.models import Job, LogLine, TunerState
from tuning.server.routing import number, read
from tuning.server.views import tuned_models
from tuning.server.views.tuneboard.fields import moment, present

LINES = 1000
"""Log lines an answer holds at most."""


def create(request: HttpRequest, caller: Identity) -> HttpResponse:
    """Starts a job with all that Tuneboard knows of (:class:`tuning.resources.NewJob`). The answer is the operation,
    as Google's create answers.
    """
    asked = read(NewJob, request)
    if asked.tuned_model is None:
        raise InvalidRequest("nothing_given", field="tuned_model")
    more = creation.More(
        upload=uploads.named(caller, asked.dataset) if asked.dataset else None,
        validation=uploads.named(caller, asked.validation.dataset) if asked.validation else None,
        recipe=asked.recipe,
    )
    source = tuned_models.source(caller, asked.tuned_model)
    made = creation.create(caller, asked.tuned_model, asked.tuned_model_id, "v1beta", source=source, more=more)
    return answer(rendering.operation(made), version=made.api_version)


def job(request: HttpRequest, caller: Identity, model_id: str) -> HttpResponse:
    """A job's status and the points after step ``?after=``; ``attempt`` tells when its curve began anew.

    While it waits, ``queuePlace`` counts from 1 and ``expectedStart`` says when its turn may come, where the pace of
    this machine is known. ``priority`` is what an administrator gave it, if not 0. ``preparing`` is the percentage of
    its base model that has been made ready.

    ``conditions`` are what the last bits of its losses depend on beside the recipe: the versions of the tuner and of
    its engine that took it up last, and how many threads compute it (empty and 0 before it is first begun).
    ``logCursor`` is where its log ends: who has read so far need not ask for lines.

    ``recipe`` has every hyperparameter as it is used. ``validation`` has the losses over the held-out examples as
    ``points`` has the training's, from step ``?after=`` on, that one included: its loss may come later than the
    step's own. ``best`` is the lowest of all, ``stopped`` the last step of a job that ended early.
    """
    found = tuned_models.find(caller, model_id, Action.READ)
    after = number(request, "after", default=0)
    series = {"points": _rows(found.points(after=after)), "validation": _validation(found, after)}
    return json_answer(_status(found) | series)


def take(request: HttpRequest, caller: Identity, model_id: str) -> HttpResponse:
    """Takes in a tuned model that was made elsewhere (:mod:`tuning.server.taking`): ``{"operation"}``."""
    access.require_administrator(caller)
    return json_answer({"operation": taking.take(model_id, request).operation})


def retry(request: HttpRequest, caller: Identity, model_id: str) -> HttpResponse:
    """Queues a job again that failed or was cancelled: ``{"state", "resumes"}``. It keeps its name, its operation is
    under way again, and where checkpoints were kept (``resumes``) it goes on after the last of them.
    """
    found = tuned_models.find(caller, model_id, Action.CHANGE)
    if found.state not in (JobState.FAILED, JobState.CANCELLED):
        raise FailedPrecondition("nothing_to_retry", name=found.name)
    with files.locked():
        resumes = files.make_ready_again(found)
        if not queue.retry(found):
            raise FailedPrecondition("nothing_to_retry", name=found.name)
    return json_answer({"state": JobState.QUEUED, "resumes": resumes})


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


def samples(request: HttpRequest, caller: Identity, model_id: str) -> HttpResponse:
    """``{"samples": [{"row", "prompt", "expected", "answers": [{"step", "epoch", "answer"}]}]}``: held-out examples
    and what the model said to them at the ends of its epochs. For the owner and writers: they are training examples.
    """
    found = tuned_models.find(caller, model_id, Action.CHANGE)
    return json_answer({"samples": findings.samples(found)})


def training_data(request: HttpRequest, caller: Identity, model_id: str) -> HttpResponseBase:
    """The examples the model was tuned on, as JSONL of ``text_input`` and ``output``. For the owner who sent them
    alone: a model that is given away does not take them along.
    """
    found = tuned_models.find(caller, model_id, Action.DELETE)
    access.permit_examples(caller, found)
    try:
        content = files.open_training_data(found)
    except FileNotFoundError as exc:
        raise NotFound("training_data_gone", name=found.name) from exc
    return FileResponse(
        content, as_attachment=True, filename=f"{found.model_id}.jsonl", content_type="application/jsonl; charset=utf-8"
    )


def _status(found: Job) -> dict[str, Any]:
    expected = expectations.of(found)
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
            priority=found.priority or None,
            queuePlace=expected.place if expected else None,
            expectedStart=moment(expected.start) if expected else None,
            preparing=_preparing(found),
            failure=_failure(found),
            best=_best(found),
            stopped=found.stopped_step,
        ),
        "recipe": wire.to_json(JobRecipe(**asdict(found.recipe))),
        "trainingData": _training_data(found),
        "conditions": {"server": found.computed_by, "engine": found.computed_with, "threads": found.threads},
        "logCursor": found.log_lines.order_by("-pk").values_list("pk", flat=True).first() or 0,
    }


def _validation(found: Job, after: int) -> list[list[float | None]]:
    points = found.validation().filter(step__gte=after)
    return [[point.step, point.epoch, point.loss, point.time.timestamp()] for point in points]


def _best(found: Job) -> dict[str, object] | None:
    best = found.best()
    return {"step": best.step, "epoch": best.epoch, "loss": best.loss} if best else None


def _training_data(found: Job) -> dict[str, object]:
    return {
        "sha256": found.training_data,
        "examples": found.example_count,
        "heldOut": found.validation_count,
        "keptSince": moment(found.created),
        **present(keptUntil=moment(retention.kept_until(found)), removed=moment(found.data_removed)),
    }


def _preparing(found: Job) -> int | None:
    if found.state != JobState.QUEUED:
        return None
    at_it = TunerState.objects.alive().filter(preparing_base=found.base)
    return at_it.values_list("preparing", flat=True).first()


def _failure(found: Job) -> dict[str, str] | None:
    if not found.failure_code:
        return None
    return {"code": found.failure_code, "detail": found.failure_detail}


def _rows(series: Sequence[Point]) -> list[list[float]]:
    return [[point.step, point.epoch, point.value, point.time] for point in series]


def _line(line: LogLine) -> dict[str, object]:
    return {"time": moment(line.time), "attempt": line.attempt, "level": line.level, "text": line.text}
