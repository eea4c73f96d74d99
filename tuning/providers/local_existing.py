"""The jobs that a service with the tuned-models API has: by Google's paths, and what ``/tuneboard/v1`` adds to them."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import orjson

from tuning import wire
from tuning.client.tuneboard import Tuneboard
from tuning.errors import BadAnswer, InvalidRequest, NotFound, PermissionDenied
from tuning.jobs import JobFailure, JobState, JobStatus, Point
from tuning.providers import reading
from tuning.providers.base import JobRef, Takeaway
from tuning.providers.existing import Existing, Found
from tuning.recipes import Recipe, assumed
from tuning.resources import JobRecipe, ModelState, Operation, PackedSnapshots, TunedModel, TuningTask

STATES = {ModelState.ACTIVE: JobState.SUCCEEDED, ModelState.FAILED: JobState.FAILED}
"""All others are under way."""
CANCELLED = 1
"""The gRPC code of an operation that was cancelled."""


class LocalExisting:
    """:class:`tuning.providers.existing.Importer`. Of a service that knows no ``/tuneboard/v1``, as Google's own, a job
    is what its tuned model and its operation say.
    """

    _service: Tuneboard

    def existing(self) -> Iterator[Existing]:
        return map(_existing, self._service.list())

    def found(self, model: str) -> Found:
        with reading.answers():
            tuned = self._service.get(model)
            try:
                return _by_job(tuned, self._service.job(_id(model)))
            except NotFound:
                return _by_operation(tuned, self._operation(model))

    def _plainly(self, model: str, after: int) -> tuple[JobStatus, Sequence[Point]]:
        """News of a job, from a service that knows no ``/tuneboard/v1``. Raises ``NotFound``."""
        found = _by_operation(self._service.get(model), self._operation(model))
        return found.status, [point for point in found.points if point.step > after]

    def training_data(self, ref: JobRef) -> Takeaway | None:
        try:
            return reading.takeaway(self._service.take(_id(ref.partition("/operations/")[0]), "training-data"))
        except (NotFound, PermissionDenied):
            return None

    def _operation(self, model: str) -> Operation:
        """The job's operation; one that says nothing where the service tells of none."""
        try:
            told = self._service.tell("GET", f"v1beta/tunedModels/{_id(model)}/operations").get("operations") or []
            name = told[0]["name"] if told else ""
            return self._service.operation(name) if name else Operation(name=f"{model}/operations/unknown")
        except (NotFound, InvalidRequest):
            return Operation(name=f"{model}/operations/unknown")


def _id(model: str) -> str:
    name = model.removeprefix("tunedModels/")
    if not name or set(name) & set("/?#:% "):
        raise NotFound("tuned_model_missing")
    return name


def _existing(model: TunedModel) -> Existing:
    source = model.tuned_model_source
    return Existing(
        model=model.name,
        display_name=model.display_name or model.name.removeprefix("tunedModels/"),
        base_model=model.base_model or (source.base_model if source else ""),
        state=STATES.get(model.state, JobState.RUNNING),
        created=model.create_time,
    )


def _by_job(model: TunedModel, told: dict[str, Any]) -> Found:
    recipe = wire.loads(JobRecipe, orjson.dumps(told["recipe"]), ignore_unknown=True)
    said = {name: value for name, value in asdict(recipe).items() if value is not None}
    return Found(
        job=_existing(model),
        ref=JobRef(told["operation"]),
        recipe=Recipe(**said),
        examples=int(told["trainingData"]["examples"]),
        status=reading.status(told),
        points=reading.points(told),
        description=model.description,
        tuned_from=_source(model),
    )


def _by_operation(model: TunedModel, operation: Operation) -> Found:
    task = model.tuning_task or TuningTask()
    points, recipe = _points(task), _recipe(task)
    told = operation.metadata
    total = max(told.total_steps if told else 0, len(points))
    return Found(
        job=_existing(model),
        ref=JobRef(operation.name),
        recipe=recipe,
        examples=max(round(total * recipe.batch_size / recipe.epoch_count), 1),
        status=JobStatus(
            state=_state(model, operation),
            model=model.name,
            total_steps=total,
            completed_steps=points[-1].step if points else 0,
            created=model.create_time,
            started=task.start_time,
            finished=task.complete_time or (model.update_time if model.state in STATES else None),
            failure=JobFailure(code="failed", detail=operation.error.message) if operation.error else None,
        ),
        points=points,
        description=model.description,
        tuned_from=_source(model),
    )


def _state(model: TunedModel, operation: Operation) -> JobState:
    if operation.error and operation.error.code == CANCELLED:
        return JobState.CANCELLED
    return STATES.get(model.state, JobState.RUNNING)


def _source(model: TunedModel) -> str:
    return model.tuned_model_source.tuned_model if model.tuned_model_source else ""


def _points(task: TuningTask) -> list[Point]:
    if isinstance(task.snapshots, PackedSnapshots):
        raise BadAnswer(detail="packed snapshots")
    return [
        Point(shot.step, shot.epoch, shot.mean_loss, shot.compute_time.timestamp() if shot.compute_time else 0.0)
        for shot in task.snapshots
    ]


def _recipe(task: TuningTask) -> Recipe:
    """What the task says; what it leaves open is what the service takes for so small a dataset."""
    said, usual = task.hyperparameters, assumed(1)
    return Recipe(
        epoch_count=(said and said.epoch_count) or usual.epoch_count,
        batch_size=(said and said.batch_size) or usual.batch_size,
        learning_rate=(said and said.learning_rate) or usual.learning_rate,
    )
