"""Polls of operations, which SDKs repeat without a pause until the job is done.

One that comes right after another and finds nothing new is held for a moment, so that answers without news to one
caller about one job are :data:`HELD_SECONDS` apart. Who waits between polls is never held, nor is a poll with news.
What was told is remembered by each process for itself: with several, a caller is held a little less.
"""

import time
from collections import OrderedDict
from threading import BoundedSemaphore, Lock

from tuning.assertions import Identity
from tuning.server.models import Job

HELD_SECONDS = 0.25
LOOK_SECONDS = 0.05
"""How soon news reaches a poll that is held."""
SEATS = BoundedSemaphore(2)
"""Polls of this process that may be held at once: the other threads stay free. Further ones are answered at once."""
REMEMBERED = 1000
"""Callers and jobs, those that polled last."""

Progress = tuple[str, int, int]
"""State, attempt and completed steps: what changes while a job is under way."""


class Told:
    """What was last told to whom about which job, and when."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._last: OrderedDict[tuple[int, str], tuple[Progress, float]] = OrderedDict()

    def note(self, who: tuple[int, str], progress: Progress) -> None:
        with self._lock:
            self._last[who] = progress, time.monotonic()
            self._last.move_to_end(who)
            while len(self._last) > REMEMBERED:
                self._last.popitem(last=False)

    def again_at(self, who: tuple[int, str], progress: Progress) -> float:
        """When ``progress`` may be told again (by the monotonic clock); 0 when it is news."""
        with self._lock:
            told, moment = self._last.get(who, (None, 0.0))
        return moment + HELD_SECONDS if told == progress else 0.0


TOLD = Told()


def hold(job: Job, caller: Identity) -> bool:
    """Wait for news of ``job``, if ``caller`` has just been told how it stands. True when that took time, so that
    the row is to be read anew.
    """
    who, progress = (job.pk, caller.email.lower()), (job.state, job.attempt, job.completed_steps)
    until = 0.0 if job.is_final else TOLD.again_at(who, progress)
    held = until > time.monotonic() and SEATS.acquire(blocking=False)
    if held:
        try:
            progress = _news(job, progress, until)
        finally:
            SEATS.release()
    TOLD.note(who, progress)
    return held


def _news(job: Job, told: Progress, until: float) -> Progress:
    """How the job stands once that is no longer as ``told``, at the latest at ``until``."""
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, LOOK_SECONDS))
        stands = Job.objects.filter(pk=job.pk).values_list("state", "attempt", "completed_steps").first()
        if stands != told:
            return stands or told
    return told
