"""Jobs that a service has already, whoever made them: by a script, by another dashboard, long ago."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from tuning.jobs import JobState, JobStatus, Point
from tuning.providers.base import JobRef, Takeaway
from tuning.recipes import Recipe


@dataclass(frozen=True, kw_only=True, slots=True)
class Existing:
    """A job as a list of them tells it; ``model`` is the tuned model's name, or, where a model has one only when it is
    made, the job's: that by which :meth:`Importer.found` finds it.
    """

    model: str
    display_name: str
    base_model: str
    state: JobState
    created: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """All that is needed to keep a job as if it had been made here. ``examples`` counts those of its dataset."""

    job: Existing
    ref: JobRef
    recipe: Recipe
    examples: int
    status: JobStatus
    points: Sequence[Point]
    description: str = ""
    tuned_from: str = ""


@runtime_checkable
class Importer(Protocol):
    """What a provider may be besides: a service that lists the jobs it has."""

    def existing(self) -> Iterator[Existing]:
        """The jobs that this person may see there, page by page."""

    def found(self, model: str) -> Found:
        """The job of ``model``. Raises ``NotFound`` when it is gone, or not this person's."""

    def training_data(self, ref: JobRef) -> Takeaway | None:
        """The examples as JSONL of ``text_input`` and ``output``; ``None`` where the service does not hand them out."""
