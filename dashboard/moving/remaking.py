"""The rows of a model that is brought in, made of its record; and what its service is told of it."""

import hashlib
from dataclasses import asdict
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db.models import Model

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.datasets.models import DatasetVersion
from dashboard.evaluations.models import Evaluation, State
from dashboard.jobs.models import Job
from dashboard.library.models import TunedModel
from dashboard.library.notes import LENGTH
from dashboard.moving.archive import LIBRARY, ArchiveError
from dashboard.moving.records import SCORES, EvaluationRecord, JobRecord, ModelRecord
from dashboard.notices import events
from tuning import curves
from tuning.jobs import Best, JobState, JobStatus, Point
from tuning.providers import Carried, JobRef, Presentation
from tuning.recipes import LIMITS, Recipe, Schedule

COPIED = (
    "display_name",
    "description",
    "base_model",
    "temperature",
    "top_p",
    "top_k",
    "notes",
    "created",
    "last_used",
    "last_loss",
    "archived",
    "expires",
    "removed_on_expiry",
)
"""Fields of a record that its model has as they are."""


def cleaned(row: Model) -> None:
    """Raise ``ArchiveError`` where ``row`` has values that its table does not take."""
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        try:
            field.run_validators(value)
        except ValidationError as exc:
            raise ArchiveError("archive_strange", name=f"{LIBRARY}: {row._meta.model_name}.{field.name}") from exc
        if isinstance(value, str) and ("\0" in value or (field.name == "notes" and len(value) > LENGTH)):
            raise ArchiveError("archive_strange", name=f"{LIBRARY}: {row._meta.model_name}.{field.name}")


def unsaved_job(model: ModelRecord, record: JobRecord, connection: Connection, owner: User, ref: JobRef) -> Job:
    """The job of ``record``, with the ``ref`` that its service knows it by."""
    key = hashlib.sha256(f"moved {connection.pk} {model.name} {owner.pk}".encode()).hexdigest()
    job = Job(owner=owner, connection=connection, key=key, ref=ref, tuned_from=record.tuned_from)
    for field in ("display_name", "base_model", "notes", "estimate", "created"):
        setattr(job, field, getattr(record, field))
    job.recipe = recipe_of(record)
    return job


def recipe_of(record: JobRecord) -> Recipe:
    """Raises ``ArchiveError``."""
    job = Job(epoch_count=record.epoch_count, batch_size=record.batch_size, learning_rate=record.learning_rate)
    job.more_recipe = record.more_recipe
    try:
        recipe = job.recipe
        Schedule(recipe.schedule)
        if not all(_within(getattr(recipe, name), *limits) for name, limits in LIMITS.items()):
            raise ValueError("a hyperparameter beyond its limits")
        return recipe
    except (TypeError, ValueError) as exc:
        raise ArchiveError("archive_strange", name=f"{LIBRARY}: more_recipe") from exc


def _within(value: object, lowest: float, highest: float) -> bool:
    return value is None or (isinstance(value, int | float) and lowest <= value <= highest)


def tell(job: Job, model: ModelRecord, record: JobRecord, curve: bytes) -> TunedModel:
    """Have ``job``, which is stored, be told its curve and its end as by its service. The model that it made."""
    validation = _validation(record)
    finite = [point for point in validation if point.value == point.value]
    best = min(finite, key=lambda point: point.value, default=None)
    points = _points(curve)
    status = JobStatus(
        state=JobState.SUCCEEDED,
        model=model.name,
        total_steps=record.total_steps,
        completed_steps=points[-1].step if points else 0,
        created=record.created,
        started=record.started,
        finished=record.finished,
        validation=validation,
        best=Best(step=best.step, epoch=best.epoch, loss=best.value) if best else None,
        stopped=record.stopped_step,
        conditions=record.conditions,
    )
    job.store(status, points)
    job.samples = [asdict(sample) for sample in record.samples]
    job.answered = sum(len(sample.answers) for sample in record.samples)
    job.save(update_fields=["samples", "answered"])
    events.known([job])
    return TunedModel.objects.get(job=job)


def scored(model: TunedModel, record: EvaluationRecord, version: DatasetVersion | None) -> None:
    """Keep how ``model`` did. Raises ``ArchiveError`` where the counts cannot be."""
    counts = (0, record.exact, record.normalised, record.answered, record.total - record.failed)
    if list(counts) != sorted(counts) or not 0 <= record.likeness <= record.answered:
        raise ArchiveError("archive_strange", name=f"{LIBRARY}: evaluations")
    said = {name: getattr(record, name) for name in SCORES}
    evaluation = Evaluation(model=model, dataset_version=version, state=State.DONE, **said)
    cleaned(evaluation)
    evaluation.save()


def carried(model: ModelRecord, record: JobRecord, *, counts: tuple[int, int], curve: bytes, adapter: Path) -> Carried:
    """What the service is told. ``counts`` are examples, and how many of them or besides are held out."""
    return Carried(
        model=model.name,
        owner=model.owner,
        presentation=Presentation(
            display_name=model.display_name,
            description=model.description,
            temperature=model.temperature,
            top_p=model.top_p,
            top_k=model.top_k,
        ),
        base_model=record.base_model,
        recipe=recipe_of(record),
        examples=counts[0],
        held_out=counts[1],
        total_steps=record.total_steps,
        points=curve,
        adapter=adapter,
        tuned_from=record.tuned_from,
        stopped=record.stopped_step,
        validation=_validation(record),
        created=record.created,
        started=record.started,
        finished=record.finished,
    )


def _validation(record: JobRecord) -> tuple[Point, ...]:
    try:
        rows = [(int(step), int(epoch), loss) for step, epoch, loss in record.validation]  # type: ignore[arg-type]
    except (TypeError, ValueError) as exc:
        raise ArchiveError("archive_strange", name=f"{LIBRARY}: validation") from exc
    return tuple(Point(step, epoch, float("nan") if loss is None else loss, 0.0) for step, epoch, loss in rows)


def _points(curve: bytes) -> list[Point]:
    try:
        return curves.unpack(curve)
    except ValueError as exc:
        raise ArchiveError("archive_damaged", name="curve.bin") from exc
