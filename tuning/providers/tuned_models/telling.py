"""What a tuned model and its operation tell of a job, in the words that all services share."""

from tuning.errors import BadAnswer
from tuning.jobs import JobFailure, JobState, JobStatus, Point
from tuning.providers.base import JobRef
from tuning.providers.existing import Existing, Found
from tuning.recipes import Recipe, assumed
from tuning.resources import (
    ModelState,
    Operation,
    PackedSnapshots,
    TunedModel,
    TuningSnapshot,
    TuningTask,
)
from tuning.resources.tuning import Snapshots

STATES = {ModelState.ACTIVE: JobState.SUCCEEDED, ModelState.FAILED: JobState.FAILED}
"""All others are under way."""
CANCELLED = 1
"""The gRPC code of an operation that was cancelled."""


def existing(model: TunedModel) -> Existing:
    source = model.tuned_model_source
    return Existing(
        model=model.name,
        display_name=model.display_name or model.name.removeprefix("tunedModels/"),
        base_model=model.base_model or (source.base_model if source else ""),
        state=_state(model, None),
        created=model.create_time,
    )


def found(model: TunedModel, operation: Operation) -> Found:
    """A job as its model and its operation tell it. A service tells no examples: how many there were follows from the
    steps.
    """
    task = model.tuning_task or TuningTask()
    points, recipe = _points(task, operation), _recipe(task)
    status = _status(model, task, operation, points)
    return Found(
        job=existing(model),
        ref=JobRef(operation.name),
        recipe=recipe,
        examples=max(round(status.total_steps * recipe.batch_size / recipe.epoch_count), 1),
        status=status,
        points=points,
        description=model.description,
        tuned_from=source(model),
    )


def source(model: TunedModel) -> str:
    """The tuned model that this one was tuned further from; empty where there is none."""
    return model.tuned_model_source.tuned_model if model.tuned_model_source else ""


def _status(model: TunedModel, task: TuningTask, operation: Operation, points: list[Point]) -> JobStatus:
    last, state = points[-1].step if points else 0, _state(model, operation)
    return JobStatus(
        state=state,
        model=model.name,
        total_steps=max(operation.metadata.total_steps if operation.metadata else 0, last),
        completed_steps=last,
        created=model.create_time,
        started=task.start_time,
        finished=task.complete_time or (model.update_time if model.state in STATES else None),
        failure=_failure(operation) if state is JobState.FAILED else None,
    )


def _failure(operation: Operation) -> JobFailure:
    return JobFailure(code="failed", detail=operation.error.message if operation.error else "")


def _state(model: TunedModel, operation: Operation | None) -> JobState:
    """CREATING is a job that waits until its task has begun. The operation is read after the model, so that its
    snapshots may be the first word of that.
    """
    if operation and operation.error and operation.error.code == CANCELLED:
        return JobState.CANCELLED
    task = model.tuning_task or TuningTask()
    begun = task.start_time or task.snapshots or (operation and operation.metadata and operation.metadata.snapshots)
    return STATES.get(model.state, JobState.RUNNING if begun else JobState.QUEUED)


def _points(task: TuningTask, operation: Operation) -> list[Point]:
    """The model's snapshots, or the operation's where that is ahead."""
    told = (_shots(task.snapshots), _shots(operation.metadata.snapshots if operation.metadata else ()))
    points = [
        Point(shot.step, shot.epoch, shot.mean_loss, shot.compute_time.timestamp() if shot.compute_time else 0.0)
        for shot in max(told, key=len)
    ]
    return sorted(points, key=lambda point: point.step)


def _shots(snapshots: Snapshots) -> tuple[TuningSnapshot, ...]:
    if isinstance(snapshots, PackedSnapshots):
        raise BadAnswer(detail="packed snapshots")
    return snapshots


def _recipe(task: TuningTask) -> Recipe:
    """What the task says; what it leaves open is what the service takes for so small a dataset."""
    said, usual = task.hyperparameters, assumed(1)
    return Recipe(
        epoch_count=(said and said.epoch_count) or usual.epoch_count,
        batch_size=(said and said.batch_size) or usual.batch_size,
        learning_rate=(said and said.learning_rate) or usual.learning_rate,
    )
