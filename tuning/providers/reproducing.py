"""What is known of how a service computes a job, so that it can be computed again."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from tuning.providers.base import JobRef


@dataclass(frozen=True, kw_only=True, slots=True)
class Conditions:
    """What the last bits of a job's losses depend on beside its recipe and its examples; empty or 0 where unknown."""

    server: str = ""
    engine: str = ""
    threads: int = 0


@runtime_checkable
class Reproducer(Protocol):
    """What a provider may be besides: a service that computes the same job again to the last bit."""

    def conditions(self, ref: JobRef) -> Conditions:
        """Of the job as it is computed now. Raises ``NotFound`` when it is gone."""
