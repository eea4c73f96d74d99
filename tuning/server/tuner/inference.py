"""The inference child: one is kept alive as long as there is a base model to serve."""

import logging
from pathlib import Path

from django.conf import settings

from tuning.engine import Event, Failed, Ready
from tuning.engine.bases import catalogue
from tuning.engine.children import Child, start_inference
from tuning.server.models import InferenceChild
from tuning.server.tuner.backoff import Backoff
from tuning.server.tuner.presence import Presence

logger = logging.getLogger(__name__)

GRACE = 0.5


class Inference:
    def __init__(self, presence: Presence) -> None:
        self.child: Child | None = None
        self.ready = False
        """Whether it listens."""
        self._presence = presence
        self._backoff = Backoff()

    def turn(self) -> None:
        if self.child is None:
            self._start_if_due()
            return
        self._hear(self.child.events())
        if (code := self.child.exit_code) is not None:
            logger.warning("inference child ended with exit code %s", code)
            self.child, self.ready = None, False
            self._backoff.failed()
            self._vanish()

    def stop(self) -> None:
        if self.child:
            self._vanish()
            self.child.stop(GRACE)

    def _start_if_due(self) -> None:
        models = Path(settings.MODELS_DIR)
        if self._backoff.due() and catalogue.is_prepared(settings.DEFAULT_BASE_MODEL, models):
            self.child = start_inference(models, Path(settings.ADAPTERS_DIR))
            self._backoff.started()

    def _hear(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Ready(address, key):
                    self._appear(address, key)
                    self.ready = True
                    logger.info("inference child ready at %s", address)
                case Failed(code, detail):
                    logger.warning("inference child failed: %s %s", code, detail)

    def _appear(self, address: str, key: str) -> None:
        listening = {"address": address, "key": key}
        InferenceChild.objects.update_or_create(tuner=self._presence.say(), defaults=listening)

    def _vanish(self) -> None:
        InferenceChild.objects.filter(tuner=self._presence.say()).delete()
