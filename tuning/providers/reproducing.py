"""What is known of how a service computes a job, so that it can be computed again."""

from typing import Protocol, runtime_checkable

from tuning.jobs import Conditions
from tuning.providers.base import JobRef


@runtime_checkable
class Reproducer(Protocol):
    """What a provider may be besides: a service that computes the same job again to the last bit."""

    def conditions(self, ref: JobRef) -> Conditions:
        """Of the job as it was computed last. Raises ``NotFound`` when it is gone."""
