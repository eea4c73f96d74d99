"""The inference child: one is kept alive as long as there is a base model to serve."""

import logging
from pathlib import Path

from django.conf import settings

from tuning.engine import Event, Failed, Ready, catalogue
from tuning.engine.children import Child, start_inference
from tuning.server.models import InferenceChild
from tuning.server.tuner.backoff import Backoff

logger = logging.getLogger(__name__)

GRACE = 0.5


class Inference:
    def __init__(self) -> None:
        self._child: Child | None = None
        self.ready = False
        """Whether it listens."""
        self._backoff = Backoff()

    def turn(self) -> None:
        if self._child is None:
            self._start_if_due()
            return
        self._hear(self._child.events())
        if (code := self._child.exit_code) is not None:
            logger.warning("inference child ended with exit code %s", code)
            self._child, self.ready = None, False
            self._backoff.failed()
            InferenceChild.vanish()

    def stop(self) -> None:
        if self._child:
            InferenceChild.vanish()
            self._child.stop(GRACE)

    def _start_if_due(self) -> None:
        models = Path(settings.MODELS_DIR)
        if self._backoff.due() and catalogue.is_prepared(settings.DEFAULT_BASE_MODEL, models):
            self._child = start_inference(models, Path(settings.ADAPTERS_DIR))
            self._backoff.started()

    def _hear(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Ready(address, key):
                    InferenceChild.appear(address, key)
                    self.ready = True
                    logger.info("inference child ready at %s", address)
                case Failed(code, detail):
                    logger.warning("inference child failed: %s %s", code, detail)
