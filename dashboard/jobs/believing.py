"""What is believed of what a service says of a job: numbers and moments that there can be, texts of a bounded length.

A service may be anybody's. What it makes up is a bad answer, and spoils no list in which its job stands.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from tuning.errors import BadAnswer
from tuning.jobs import JobStatus, Point

MOST = 2**31 - 1
"""That a column of numbers holds."""
LONGEST_MODEL = 200
MOST_VALIDATION = 100_000
LAST_SECOND = 253_000_000_000
"""Of a moment since 1970: some years before the calendar ends."""


def check(status: JobStatus, points: Sequence[Point]) -> None:
    """Raises ``BadAnswer``."""
    if len(status.model) > LONGEST_MODEL or not status.model.isprintable():
        raise BadAnswer(detail="a name that no model has")
    if len(status.validation) > MOST_VALIDATION:
        raise BadAnswer(detail="a list of losses that is too long")
    if any(not 0 <= number <= MOST for number in _numbers(status)):
        raise BadAnswer(detail="a number of a job's that is none of any job")
    if any(not 1970 <= moment.year <= 9000 for moment in _moments(status)):
        raise BadAnswer(detail="a moment of a job's that is before or after all times")
    for point in (*points, *status.validation):
        if not (0 <= point.step <= MOST and 0 <= point.epoch <= MOST and 0 <= point.time < LAST_SECOND):
            raise BadAnswer(detail="a loss of no step or of no time")


def _numbers(status: JobStatus) -> Iterator[int]:
    yield from (status.attempt, status.total_steps, status.completed_steps)
    best = (status.best.step, status.best.epoch) if status.best else ()
    for number in (status.queue_place, status.preparing, status.stopped, *best):
        if number is not None:
            yield number


def _moments(status: JobStatus) -> Iterator[datetime]:
    kept = (status.kept.since, status.kept.until) if status.kept else ()
    for moment in (status.created, status.started, status.finished, status.expected_start, *kept):
        if moment is not None:
            yield moment
