"""Making base models ready: the default one at the start, others when a job waits for them."""

import logging
from pathlib import Path

from django.conf import settings

from tuning.engine import Event, Failed, Progress, catalogue
from tuning.engine.children import Child, start_preparation
from tuning.server import queue
from tuning.server.models import TunerState
from tuning.server.tuner.backoff import Backoff

logger = logging.getLogger(__name__)

GRACE = 0.5
PATIENCE = 2
"""So many preparations may be killed before the jobs that wait for them are told."""


class Preparation:
    def __init__(self) -> None:
        self._child: Child | None = None
        self._base = ""
        self._failure: Failed | None = None
        self._backoff = Backoff()

    def turn(self) -> None:
        if self._child is None:
            self._start_if_wanted()
            return
        self._hear(self._child.events())
        if self._child.exit_code is not None:
            self._child = None
            self._conclude()

    def stop(self) -> None:
        if self._child:
            self._child.stop(GRACE)

    def _start_if_wanted(self) -> None:
        base = self._wanted()
        if base and self._backoff.due():
            TunerState.say(preparing=0, failure_code="")
            self._base, self._failure = base, None
            self._child = start_preparation(base, Path(settings.MODELS_DIR))
            self._backoff.started()

    def _wanted(self) -> str:
        """A base model that is not ready and should be."""
        waiting = queue.next_waiting()
        bases = (settings.DEFAULT_BASE_MODEL, waiting.base if waiting else settings.DEFAULT_BASE_MODEL)
        return next((base for base in reversed(bases) if not _ready(base)), "")

    def _hear(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Failed):
                self._failure = event
        if percents := [event.percent for event in events if isinstance(event, Progress)]:
            TunerState.say(preparing=percents[-1])

    def _conclude(self) -> None:
        if _ready(self._base):
            self._backoff.succeeded()
            TunerState.say(preparing=None)
            logger.info("base model %s is ready", self._base)
            return
        self._backoff.failed()
        failure = self._failure or Failed("base_model_missing" if self._backoff.failures < PATIENCE else "killed")
        logger.warning("base model %s is not ready: %s %s", self._base, failure.code, failure.detail)
        TunerState.say(preparing=None, failure_code=failure.code)
        if self._failure or self._backoff.failures >= PATIENCE:
            queue.fail_waiting(self._base, failure.code, failure.detail)


def _ready(base: str) -> bool:
    return catalogue.is_prepared(base, Path(settings.MODELS_DIR))
