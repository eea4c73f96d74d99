"""What a service tells of a job beyond states and losses, in words that all services share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from tuning.jobs import Point
from tuning.providers.base import JobRef


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """How the tokens of the examples' inputs, or of their outputs, are spread; ``total`` is of all examples."""

    total: int
    least: float
    median: float
    mean: float
    p95: float
    most: float


@dataclass(frozen=True, kw_only=True, slots=True)
class DataStats:
    """What a service counted in the examples; 0 and ``None`` where it does not say.

    ``billable_tokens`` are those of one epoch; ``dropped`` examples were left out, for the ``reasons``.
    """

    examples: int = 0
    billable_tokens: int = 0
    characters: int = 0
    steps: int = 0
    dropped: int = 0
    reasons: tuple[str, ...] = ()
    inputs: Spread | None = None
    outputs: Spread | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """A model as it was after an epoch, kept by the service; ``model`` is the name by which it is asked."""

    id: str
    epoch: int
    step: int
    model: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Particulars:
    """``state`` is the service's own word for it. ``accuracy`` is the share of tokens foretold rightly, and
    ``held_out_accuracy`` the same over the held-out examples; ``files`` names where the service keeps its measurements.
    """

    state: str
    data: DataStats | None = None
    checkpoints: Sequence[Checkpoint] = ()
    accuracy: Sequence[Point] = ()
    held_out_accuracy: Sequence[Point] = ()
    files: str = ""


@runtime_checkable
class Teller(Protocol):
    """What a provider may be besides: a service that tells more of a job than all services do."""

    def particulars(self, ref: JobRef) -> Particulars:
        """As the service knows them now. Raises ``NotFound``."""


@runtime_checkable
class Console(Protocol):
    """What a provider may be besides: a service with pages of its own."""

    def link(self, ref: JobRef) -> str:
        """The job's page there. Asks nobody."""

    def deployment(self, model: str) -> str:
        """The page there of what a tuned model answers at. Asks nobody. Raises ``NotFound`` for another name."""
