"""When a queued job may start: an estimate from what goes before it, at the pace at which jobs run here."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.db.models import F
from django.utils import timezone

from tuning import curves
from tuning.jobs import JobState
from tuning.server import turns
from tuning.server.models import Job, LossChunk, TunerState

STEPS_THAT_TELL = 3
"""A pace is read off so many steps or more."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """``place`` 1 is next. ``start`` is unknown where no job has run yet."""

    place: int
    start: datetime | None


def of(job: Job) -> Expectation | None:
    """What may be expected of ``job``; ``None`` when it does not wait."""
    if job.state != JobState.QUEUED:
        return None
    for place, (waiting, work) in enumerate(turns.order(TunerState.objects.slots()), start=1):
        if waiting.pk == job.pk:
            return Expectation(place, start_after(work, pace()))
    return None


def start_after(work: int, seconds: float | None) -> datetime | None:
    """The moment at which ``work`` examples will have been looked at, ``seconds`` each."""
    return None if seconds is None else timezone.now() + timedelta(seconds=work * seconds)


def pace() -> float | None:
    """Seconds that an example takes, by the newest stretch of a curve; loading a base model is not in it."""
    chunk = (
        LossChunk.objects.filter(last_step__gte=F("first_step") + STEPS_THAT_TELL - 1)
        .order_by("-pk")
        .values_list("points", "job__batch_size")
        .first()
    )
    if chunk is None:
        return None
    points, batch_size = chunk
    pauses = np.diff(curves.arrays(bytes(points)).times)  # the median: a job may have lain still between two attempts
    return float(np.median(pauses)) / batch_size
