"""Training children started ahead: an idle tuner has the libraries and the default base model loaded already."""

import logging
from pathlib import Path

from django.conf import settings

from tuning.engine import catalogue
from tuning.engine.children import TrainingChild
from tuning.server.tuner.backoff import Backoff

logger = logging.getLogger(__name__)

GRACE = 0.5

Stamp = tuple[int, int]
"""Inode and time of a base model's weights: another one, and what a child has loaded is stale."""


class Warm:
    """One child for each slot in which no job runs."""

    def __init__(self) -> None:
        self.children: list[TrainingChild] = []
        self._stamp: Stamp | None = None
        self._backoff = Backoff()

    def turn(self, free: int) -> None:
        """Have ``free`` children ready, starting at most one; end what is too many, dead or stale."""
        wanted = free if settings.TUNER_WARM and self._fresh() else 0
        self._bury()
        while len(self.children) > wanted:
            self.children.pop().stop(GRACE)
        if len(self.children) < wanted and self._backoff.due():
            self.children.append(TrainingChild(settings.DEFAULT_BASE_MODEL, Path(settings.MODELS_DIR)))
            self._backoff.started()

    def take(self, base: str) -> TrainingChild | None:
        """A child for a job on ``base``, if one is ready or about to be."""
        self._bury()
        if base != settings.DEFAULT_BASE_MODEL or not self._fresh() or not self.children:
            return None
        return self.children.pop(0)

    def stop(self) -> None:
        for child in self.children:
            child.stop(GRACE)
        self.children.clear()

    def _fresh(self) -> bool:
        """Whether the default base model is there; children that loaded an earlier one of its name are ended."""
        stamp = _stamp()
        if stamp != self._stamp:
            self.stop()
            self._stamp = stamp
        return stamp is not None

    def _bury(self) -> None:
        for child in self.children:
            child.events()
        dead = [child for child in self.children if child.exit_code is not None]
        for child in dead:
            logger.warning("warm %r ended with exit code %s", child, child.exit_code)
            self.children.remove(child)
            child.stop(GRACE)
            self._backoff.failed()


def _stamp() -> Stamp | None:
    base, models = settings.DEFAULT_BASE_MODEL, Path(settings.MODELS_DIR)
    if not catalogue.is_prepared(base, models):
        return None
    found = (models / base / catalogue.WEIGHTS_FILE).stat()
    return found.st_ino, found.st_mtime_ns
