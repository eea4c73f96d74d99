"""Tuned models as whole GGUF files: put together by a child when somebody first wants one, and kept for a day."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from django.conf import settings

from tuning.engine import Failed, MergeSpec, Progress
from tuning.engine.bases import catalogue
from tuning.engine.children import Child, start_merging
from tuning.errors import FailedPrecondition, Unavailable
from tuning.server import files
from tuning.server.models import Job

WAIT_SECONDS = 3.0
"""A small model is there before the caller need ask again."""
LOOK_SECONDS = 0.1


@dataclass
class Making:
    """One file that is being put together."""

    child: Child
    percent: int = 0
    failure: Failed | None = None

    def hear(self) -> bool:
        """Whether it goes on."""
        for event in self.child.events():
            if isinstance(event, Progress):
                self.percent = event.percent
            if isinstance(event, Failed):
                self.failure = event
        return self.child.exit_code is None


_under_way: dict[Path, Making] = {}
_lock = Lock()


def file(job: Job) -> Path | int:
    """The GGUF file of the tuned model, or how many percent of it are there: then the caller may ask again.

    One is made at a time; the children end with this process. Raises ``FailedPrecondition("base_model_gone")`` and
    ``Unavailable`` (``merging_failed``).
    """
    place, until = files.merged(job), time.monotonic() + WAIT_SECONDS
    while not place.is_file():
        percent = _percent(job, place)
        if time.monotonic() > until:
            return percent
        time.sleep(LOOK_SECONDS)
    os.utime(place)  # kept a day from now
    return place


def _percent(job: Job, place: Path) -> int:
    with _lock:
        ended = {path: making for path, making in _under_way.items() if not making.hear()}
        for path in ended:
            del _under_way[path]
        if place in ended and not place.is_file():
            failure = ended[place].failure
            raise Unavailable("merging_failed", detail=failure.code if failure else "killed")
        if not _under_way and not place.is_file():
            _under_way[place] = Making(start_merging(_spec(job, place)))
        return _under_way[place].percent if place in _under_way else 0


def _spec(job: Job, place: Path) -> MergeSpec:
    models = Path(settings.MODELS_DIR)
    if not catalogue.is_prepared(job.base, models):
        raise FailedPrecondition("base_model_gone", name=job.base)
    return MergeSpec(base=models / job.base, adapter=files.adapter(job), target=place)
