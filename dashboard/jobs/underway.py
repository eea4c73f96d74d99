"""Jobs on their way to their services: who hands one over, for how long, and how far its examples have got."""

import time
from collections.abc import Callable
from datetime import timedelta
from math import inf
from typing import TYPE_CHECKING

from tuning.errors import ServiceError

if TYPE_CHECKING:
    from dashboard.jobs.queryset import JobQuerySet

SOMEBODY_WAITS = 25.0
"""Seconds after which whoever looks on is told that the job waits; the worker then hands it over."""
ITS_TURN = timedelta(seconds=60)
"""For so long whoever hands a job over has that for themselves; who was killed over it leaves it to the next."""
WORKERS_TURN = timedelta(minutes=5)
"""The worker takes its time, as a large dataset does."""
EVERY = 2.0
"""Seconds between two notes of how far the examples have got: others want to write as well."""


def turn(patience: float | None) -> timedelta:
    return WORKERS_TURN if patience is None else ITS_TURN


def listener(jobs: "JobQuerySet") -> Callable[[int], None]:
    """What notes with ``jobs``, whenever it is told how many percent have arrived and some time has passed."""
    noted = -inf

    def hear(percent: int) -> None:
        nonlocal noted
        if time.monotonic() - noted >= EVERY:
            noted = time.monotonic()
            jobs.update(sent=percent)

    return hear


def is_being_sent(error: ServiceError) -> bool:
    """Whether nothing is wrong: the examples are many."""
    return error.code == "being_sent"
