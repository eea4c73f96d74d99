"""What a service says of a job, written into the job's row; saving it is for the caller."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING

from dashboard.jobs import believing, chronicle, findings, series
from dashboard.jobs.chronicle import News
from tuning import curves
from tuning.jobs import JobStatus, Point

if TYPE_CHECKING:
    from dashboard.jobs.models import Job

SMALL_CURVE_POINTS = 48
LONGEST_DETAIL = 4_000
"""Characters of a service's own words about a failure."""
ASKED = frozenset(
    {
        "id",
        "connection",
        "dataset_version",
        "key",
        "ref",
        "sending",
        "sent",
        "display_name",
        "notes",
        "base_model",
        "epoch_count",
        "batch_size",
        "learning_rate",
        "more_recipe",
        "made_from",
        "tuned_from",
        "estimate",
        "validation_version",
        "created",
    }
)
"""Columns that no service changes: they are neither read again nor written when it tells something."""


def keep(job: "Job", status: JobStatus, points: Sequence[Point], news: News | None) -> None:
    """Write all of it, and look at the curve again where that is due. To be called in a transaction. Raises
    ``BadAnswer`` for what cannot be.
    """
    believing.check(status, points)
    looked_at = findings.mark(job)
    _keep_points(job, status.attempt, points)
    _keep_status(job, status)
    if news:
        chronicle.keep(job, news)
    if findings.mark(job) != looked_at:
        findings.renew(job)


def columns(job: "Job") -> list[str]:
    """What may change when a service tells something, and who owns the job by then."""
    return [field.name for field in job._meta.concrete_fields if field.name not in ASKED]


def _keep_points(job: "Job", attempt: int, points: Sequence[Point]) -> None:
    """Append losses; a new ``attempt`` makes void what the one before told.

    What was kept before is not read again: the last points of a long curve cost no more than its first.
    """
    if attempt != job.attempt:
        _forget(job, attempt)
    fresh = sorted((point for point in points if point.step > job.completed_steps), key=lambda point: point.step)
    if not fresh:
        return
    series.append(job, fresh)
    if not job.completed_steps:
        job.first_loss, job.first_step_at = _finite(fresh[0].value), _moment(fresh[0].time)
    job.last_loss, job.last_step_at = _finite(fresh[-1].value), _moment(fresh[-1].time)
    job.completed_steps = fresh[-1].step
    seen = ([point.step, point.value] for point in fresh if isfinite(point.value))
    job.small_curve = _thinned([*job.small_curve, *seen])


def _keep_status(job: "Job", status: JobStatus) -> None:
    """Where the job is, and what it found out on held-out examples."""
    job.state, job.model, job.total_steps = status.state, status.model, status.total_steps
    job.queue_place, job.expected_start = status.queue_place, status.expected_start
    job.preparing = status.preparing
    job.started, job.finished = status.started, status.finished
    if status.failure:
        job.failure_code, job.failure_detail = status.failure.code[:50], status.failure.detail[:LONGEST_DETAIL]
    _keep_validation(job, status)
    if status.conditions:
        job.conditions = asdict(status.conditions)
    if status.kept:
        job.kept_since, job.kept_until = status.kept.since, status.kept.until


def _keep_validation(job: "Job", status: JobStatus) -> None:
    known = {row[0] for row in job.validation}
    fresh = [point for point in status.validation if point.step not in known]
    job.validation += [[point.step, point.epoch, _finite(point.value)] for point in fresh]
    best = status.best
    job.best_step, job.best_epoch = (best.step, best.epoch) if best else (None, None)
    job.best_loss = _finite(best.loss) if best else None
    job.stopped_step = status.stopped


def _thinned(rows: list[list[float]]) -> list[list[float]]:
    """As many of ``rows`` of (step, loss) as the small curve shows; its extremes stay, however often it is thinned."""
    if not rows:
        return []
    steps, losses = zip(*rows, strict=True)
    chosen = curves.downsample(steps, losses, SMALL_CURVE_POINTS // 2)
    return [[steps[i], round(losses[i], 4)] for i in chosen]


def _forget(job: "Job", attempt: int) -> None:
    job.chunks.all().delete()
    job.attempt, job.completed_steps, job.small_curve = attempt, 0, []
    job.first_loss = job.last_loss = job.first_step_at = job.last_step_at = None
    job.validation, job.samples, job.answered = [], [], 0


def _finite(loss: float) -> float | None:
    return loss if isfinite(loss) else None


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
