"""What Vertex AI tells of a job -> our words. Nothing of it is trusted to be of the type that it should be."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from tuning.client.google_cloud import Told
from tuning.errors import BadAnswer
from tuning.jobs import JobFailure, JobState, JobStatus
from tuning.providers.particulars import Checkpoint, DataStats, Spread
from tuning.providers.vertex.states import state_of
from tuning.recipes import RANK, Recipe, assumed

SIZES = {
    "ADAPTER_SIZE_ONE": 1,
    "ADAPTER_SIZE_TWO": 2,
    "ADAPTER_SIZE_FOUR": 4,
    "ADAPTER_SIZE_EIGHT": 8,
    "ADAPTER_SIZE_SIXTEEN": 16,
    "ADAPTER_SIZE_THIRTY_TWO": 32,
}
"""The ranks that adapters may have."""
EPOCHS = 3
"""Where a job does not say: the service chooses by the size of the dataset, and tells it later."""


@contextmanager
def answers() -> Iterator[None]:
    """What cannot be read is a bad answer."""
    try:
        yield
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError, IndexError) as exc:
        raise BadAnswer(detail=f"no tuning job: {exc!r:.200}") from exc


def status(job: Told, completed: int = 0) -> JobStatus:
    """Of a job whose last step that is known was ``completed``."""
    state, total = state_of(job.get("state")), steps(job)
    is_done = state is JobState.SUCCEEDED
    return JobStatus(
        state=state,
        model=text(record(job, "tunedModel").get("endpoint")) if is_done else "",
        total_steps=max(total, completed),
        completed_steps=total if is_done and total else completed,
        created=time(job.get("createTime")),
        started=time(job.get("startTime")),
        finished=time(job.get("endTime")) if state.is_final else None,
        failure=_failure(job) if state is JobState.FAILED else None,
    )


def recipe(job: Told) -> Recipe:
    """What the job says; where it leaves a choice to the service, what is usual."""
    said = record(spec(job), "hyperParameters")
    usual = assumed(stats(job).examples or 1)
    return Recipe(
        epoch_count=number(said.get("epochCount")) or EPOCHS,
        batch_size=usual.batch_size,
        learning_rate=usual.learning_rate * float(said.get("learningRateMultiplier", 1.0)),
        rank=SIZES.get(text(said.get("adapterSize")), RANK),
    )


def epochs(job: Told) -> int:
    return number(record(spec(job), "hyperParameters").get("epochCount")) or EPOCHS


def steps(job: Told) -> int:
    """How many the job has; 0 while the service has not counted."""
    return number(_supervised(job).get("tuningStepCount"))


def stats(job: Told) -> DataStats:
    told = _supervised(job)
    reasons = told.get("droppedExampleReasons", [])
    return DataStats(
        examples=number(told.get("tuningDatasetExampleCount")),
        billable_tokens=number(told.get("totalBillableTokenCount")),
        characters=number(told.get("totalTuningCharacterCount")),
        steps=number(told.get("tuningStepCount")),
        dropped=number(told.get("totalTruncatedExampleCount")),
        reasons=tuple(dict.fromkeys(text(reason)[:200] for reason in reasons))[:5],
        inputs=_spread(record(told, "userInputTokenDistribution")),
        outputs=_spread(record(told, "userOutputTokenDistribution")),
    )


def checkpoints(job: Told) -> list[Checkpoint]:
    return [
        Checkpoint(
            id=text(one.get("checkpointId")),
            epoch=number(one.get("epoch")),
            step=number(one.get("step")),
            model=text(one.get("endpoint")),
        )
        for one in record(job, "tunedModel").get("checkpoints", [])
    ]


def spec(job: Told) -> Told:
    return record(job, "supervisedTuningSpec")


def record(told: Mapping[str, Any], name: str) -> Told:
    """A field that is an object, or is not there. Raises ``TypeError`` for anything else."""
    value = told.get(name, {})
    if not isinstance(value, dict):
        raise TypeError(f"{name} is no object")
    return value


def text(value: object) -> str:
    """Raises ``TypeError`` for what is there and is none."""
    if value is not None and not isinstance(value, str):
        raise TypeError("no text")
    return value or ""


def number(value: object) -> int:
    """64-bit numbers come as text. Raises ``ValueError`` or ``TypeError``."""
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError("no whole number")
    return int(value)


def time(value: object) -> datetime | None:
    """Raises ``ValueError`` for one without a zone."""
    if not (said := text(value)):
        return None
    found = datetime.fromisoformat(said)
    if found.tzinfo is None:
        raise ValueError("a time without a zone")
    return found


def _supervised(job: Told) -> Told:
    return record(record(job, "tuningDataStats"), "supervisedTuningDataStats")


def _failure(job: Told) -> JobFailure:
    detail = text(record(job, "error").get("message"))
    return JobFailure(code="failed", detail=detail or text(job.get("state")))


def _spread(told: Told) -> Spread | None:
    if not told:
        return None
    return Spread(
        total=number(told.get("sum")),
        least=float(told.get("min", 0)),
        median=float(told.get("median", 0)),
        mean=float(told.get("mean", 0)),
        p95=float(told.get("p95", 0)),
        most=float(told.get("max", 0)),
    )
