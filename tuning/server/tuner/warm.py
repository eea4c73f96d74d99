"""Training children started ahead: an idle tuner has torch loaded already. The weights it has at hand, not loaded."""

import logging
from pathlib import Path

from django.conf import settings

from tuning.engine.children import TrainingChild
from tuning.server.tuner.backoff import Backoff

logger = logging.getLogger(__name__)

GRACE = 0.5


class Warm:
    """One child for each slot in which no job runs."""

    def __init__(self) -> None:
        self.children: list[TrainingChild] = []
        self._backoff = Backoff()

    def turn(self, free: int) -> None:
        """Have ``free`` children ready, starting at most one; end what is too many."""
        wanted = free if settings.TUNER_WARM else 0
        self._bury()
        while len(self.children) > wanted:
            self.children.pop().stop(GRACE)
        if len(self.children) < wanted and self._backoff.due():
            self.children.append(TrainingChild(settings.DEFAULT_BASE_MODEL, Path(settings.MODELS_DIR)))
            self._backoff.started()

    def take(self) -> TrainingChild | None:
        """A child for a job, if one is ready or about to be."""
        self._bury()
        return self.children.pop(0) if self.children else None

    def stop(self) -> None:
        for child in self.children:
            child.stop(GRACE)
        self.children.clear()

    def _bury(self) -> None:
        for child in self.children:
            child.events()
        dead = [child for child in self.children if child.exit_code is not None]
        for child in dead:
            logger.warning("warm %r ended with exit code %s", child, child.exit_code)
            self.children.remove(child)
            child.stop(GRACE)
            self._backoff.failed()
