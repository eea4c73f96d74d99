"""The supervisor: claims as many queued jobs as it has slots, runs each in a training child, keeps the inference
child alive.

One loop, no threads of its own and no torch. Each turn looks at every child, writes down what it said and waits
for none, so that a cancelled job stops at once and a lease is never missed. Whatever goes wrong within a
job ends that job, never the loop.
"""

import errno
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import requests
from django.conf import settings
from django.db import close_old_connections

from tuning.server import files, queue, retention
from tuning.server.queue import Claim, ClaimLost
from tuning.server.tuner.inference import Inference
from tuning.server.tuner.preparation import Preparation, ready
from tuning.server.tuner.presence import Kin, Presence
from tuning.server.tuner.training import Training
from tuning.server.tuner.warm import Warm

logger = logging.getLogger(__name__)

FULL = (errno.ENOSPC, errno.EDQUOT)
TURN_SECONDS = 0.2
"""Points are stored, and cancelling is noticed, five times a second."""
HEARTBEAT_SECONDS = 2.0
SWEEP_SECONDS = 3600.0
TROUBLE_SECONDS = 2.0
"""A turn that failed, say because the database was away, is followed by a longer pause."""
AFTER_SECONDS = 30.0
"""The longest wait for somebody else to be ready first."""


class Tuner:
    def __init__(self) -> None:
        self.trainings: list[Training] = []
        self.presence = Presence()
        self.preparation = Preparation(self.presence)
        self.inference = Inference(self.presence)
        self.warm = Warm()
        self._stopping = False
        self._next_heartbeat = 0.0
        self._next_sweep = 0.0

    def stop(self, *_: object) -> None:
        """Let :meth:`run` return soon; fit to be a signal's handler, for it only raises a flag."""
        self._stopping = True

    def run(self, after: str = "") -> None:
        """Work until told to stop; first wait until the URL ``after`` answers, if one is given."""
        self._wait_for(after)
        logger.info("tuner started, base model %s", settings.DEFAULT_BASE_MODEL)
        try:
            self._guarded(self.presence.begin)
            while not self._stopping:
                time.sleep(TURN_SECONDS if self._guarded(self._turn) else TROUBLE_SECONDS)
        finally:
            self._end()

    def _turn(self) -> None:
        close_old_connections()
        if time.monotonic() >= self._next_heartbeat:
            self.presence.look_around(self._children())
            self._next_heartbeat = time.monotonic() + HEARTBEAT_SECONDS
        if time.monotonic() >= self._next_sweep:
            self._next_sweep = time.monotonic() + SWEEP_SECONDS
            retention.sweep()
            files.sweep()
        self.preparation.turn()
        self.inference.turn()
        for training in list(self.trainings):
            self._guarded(partial(self._go_on, training))
        while self._free_slots and self._start_next():
            pass
        if self.inference.ready:  # what people ask for comes first
            self.warm.turn(self._free_slots)

    @property
    def _free_slots(self) -> int:
        return settings.TUNER_SLOTS - len(self.trainings)

    def _go_on(self, training: Training) -> None:
        if not training.turn():
            self.trainings.remove(training)

    def _start_next(self) -> bool:
        """Begin the job whose turn it is; false when there is none."""
        if not (claim := queue.claim(ready)):
            return False
        if training := self._start(claim):
            self.trainings.append(training)
        return True

    def _start(self, claim: Claim) -> Training | None:
        """The claimed job in its child; a job that cannot even be started has failed."""
        try:
            return Training(claim, self.warm)
        except OSError as exc:
            logger.exception("%r cannot be started", claim)
            with suppress(ClaimLost):
                claim.fail("disk_full" if exc.errno in FULL else "failed", f"{type(exc).__name__}: {exc.strerror}")
            return None

    def _children(self) -> list[Kin]:
        """Every process of the tuner's."""
        found = [Kin("training", training.child, training.claim.job) for training in self.trainings]
        found += [Kin("warm", child, base=settings.DEFAULT_BASE_MODEL) for child in self.warm.children]
        if self.inference.child:
            found.append(Kin("inference", self.inference.child))
        if self.preparation.child:
            found.append(Kin("preparation", self.preparation.child, base=self.preparation.base))
        return found

    def _end(self) -> None:
        """Stop the children, the job's first: its lease should not have to run out."""
        for training in self.trainings:
            training.child.hang_up()
        for training in self.trainings:
            self._guarded(training.stop)
        self._guarded(self.warm.stop)
        self._guarded(self.inference.stop)
        self._guarded(self.preparation.stop)
        self._guarded(self.presence.end)
        logger.info("tuner stopped")

    def _guarded(self, work: Callable[[], None]) -> bool:
        try:
            work()
        except Exception:
            logger.exception("the tuner goes on after an error")
            return False
        return True

    def _wait_for(self, url: str) -> None:
        until = time.monotonic() + AFTER_SECONDS
        while url and not self._stopping and time.monotonic() < until:
            with suppress(requests.RequestException):
                requests.get(url, timeout=2, allow_redirects=False)
                return
            time.sleep(TURN_SECONDS)
