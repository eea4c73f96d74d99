"""Making base models ready: the default one at the start, others when a job waits for them."""

import logging
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from tuning.engine import Event, Failed, Progress
from tuning.engine.bases import catalogue
from tuning.engine.children import Child, start_preparation
from tuning.server import base_models, queue
from tuning.server.models import BasePreparation
from tuning.server.tuner.backoff import Backoff
from tuning.server.tuner.presence import Presence

logger = logging.getLogger(__name__)

GRACE = 0.5
PATIENCE = 2
"""So many preparations may be killed before the jobs that wait for them are told."""


class Preparation:
    def __init__(self, presence: Presence) -> None:
        self.child: Child | None = None
        self.base = ""
        self._presence = presence
        self._failure: Failed | None = None
        self._backoff = Backoff()

    def turn(self) -> None:
        if self.child is None:
            self._start_if_wanted()
            return
        self._hear(self.child.events())
        if self.child.exit_code is not None:
            self.child = None
            self._conclude()
        elif self.base not in _wanted():
            self._give_up(self.child)

    def stop(self) -> None:
        if self.child:
            self.child.stop(GRACE)

    def _start_if_wanted(self) -> None:
        base = next((base for base in _wanted() if not ready(base)), "")
        if base and self._backoff.due():
            _give_a_folder(base)
            self._presence.say(preparing=0, preparing_base=base, failure_code="")
            self.base, self._failure = base, None
            self.child = start_preparation(base, Path(settings.MODELS_DIR))
            self._backoff.started()

    def _give_up(self, child: Child) -> None:
        """Nobody waits for it any more: its memory and its room on the disk are for others."""
        child.stop(GRACE)
        catalogue.abandon(self.base, Path(settings.MODELS_DIR))
        self.child = None
        self._backoff.succeeded()
        self._presence.say(preparing=None, preparing_base="")
        logger.info("base model %s is no longer wanted", self.base)

    def _hear(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Failed):
                self._failure = event
        if percents := [event.percent for event in events if isinstance(event, Progress)]:
            self._presence.say(preparing=percents[-1])

    def _conclude(self) -> None:
        if ready(self.base):
            self._backoff.succeeded()
            self._presence.say(preparing=None, preparing_base="")
            BasePreparation.objects.filter(base=self.base).delete()
            logger.info("base model %s is ready", self.base)
            return
        self._backoff.failed()
        failure = self._failure or Failed("base_model_missing" if self._backoff.failures < PATIENCE else "killed")
        logger.warning("base model %s is not ready: %s %s", self.base, failure.code, failure.detail)
        self._presence.say(preparing=None, preparing_base="", failure_code=failure.code)
        if self._failure or self._backoff.failures >= PATIENCE:
            told = {"failure_code": failure.code, "failure_detail": failure.detail}
            BasePreparation.objects.update_or_create(base=self.base, defaults=told)
            queue.fail_waiting(self.base, failure.code, failure.detail)


def _wanted() -> list[str]:
    """The base models that should be ready, the most urgent first."""
    asked = BasePreparation.objects.filter(failure_code="").order_by("pk").values_list("base", flat=True)
    return [*queue.waiting_bases(), settings.DEFAULT_BASE_MODEL, *asked]


def _give_a_folder(base: str) -> None:
    """A base model that is listed, and was not wanted before, becomes one that can be prepared by name."""
    entry = base_models.known(base)
    if entry.weights is not None and base not in catalogue.BUILT_IN:
        with suppress(FileExistsError):
            catalogue.place(entry, Path(settings.MODELS_DIR))


def ready(base: str) -> bool:
    """Whether jobs of ``base`` can run."""
    return catalogue.is_prepared(base, Path(settings.MODELS_DIR))
