"""States, steps and series of a tuning job, in words every service and the dashboard share."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class JobState(StrEnum):
    """Where a job is. On the tuned-models wire QUEUED and RUNNING are CREATING, SUCCEEDED is ACTIVE,
    CANCELLED is FAILED with operation error code 1.
    """

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_final(self) -> bool:
        return self in FINAL_STATES


FINAL_STATES = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a series: ``epoch`` completed epochs, ``time`` in seconds since 1970 (UTC)."""

    step: int
    epoch: int
    value: float
    time: float


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFailure:
    """Why a job failed: a code that ``dashboard/messages/`` knows, and the technical text behind it."""

    code: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Best:
    """The lowest loss over the held-out examples: the model after this step is the one that is kept."""

    step: int
    epoch: int
    loss: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """Since when a service keeps the examples of a job; ``until`` is ``None`` where that is as long as the model."""

    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Conditions:
    """What the last bits of a job's losses depend on beside its recipe and its examples; empty or 0 where unknown."""

    server: str = ""
    engine: str = ""
    threads: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class JobStatus:
    """What a service knows of a job now."""

    state: JobState
    model: str = ""
    total_steps: int = 0
    completed_steps: int = 0
    attempt: int = 1
    """Raised when a job starts again; points of an earlier attempt that are not repeated are void."""
    created: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None
    queue_place: int | None = None
    """1 is next; ``None`` when the job does not wait or the service does not say."""
    expected_start: datetime | None = None
    """When its turn may come; ``None`` as above, or where nothing tells how long jobs take."""
    preparing: int | None = None
    """Percent of the base model made ready, while the job waits for that."""
    failure: JobFailure | None = None
    validation: tuple[Point, ...] = ()
    """Losses over the held-out examples, from the step on that was asked for, that one included."""
    best: Best | None = None
    stopped: int | None = None
    """The last step of a job that ended early, because the validation loss fell no more."""
    kept: Kept | None = None
    conditions: Conditions | None = None
    """``None`` where the service does not tell."""
    log_cursor: int | None = None
    """Where the job's log ends; ``None`` as above."""


def total_steps(examples: int, epochs: int, batch: int) -> int:
    """``ceil(examples · epochs / batch)``, as on every recorded job: batches run on across epoch ends."""
    return -(-examples * epochs // batch)


def epoch_at(step: int, batch: int, examples: int) -> int:
    """``floor(step · batch / examples)``: the epochs completed after ``step``, as recorded."""
    return step * batch // examples
