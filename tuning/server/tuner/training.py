"""One claimed job in its training child."""

import logging
import time
from pathlib import Path

from django.conf import settings

from tuning.engine import Done, Event, Failed, Log, Step, TuneSpec
from tuning.engine.children import start_training
from tuning.jobs import Point
from tuning.resources import TuningSnapshot
from tuning.server import files
from tuning.server.models import Job
from tuning.server.queue import Claim, ClaimLost

logger = logging.getLogger(__name__)

HEARTBEATS = 6
"""So many fit into a lease: a slow disk or a busy machine does not cost the job."""
GRACE = 0.5
"""Seconds a child gets to end by itself. It keeps nothing that a kill could spoil."""


class Training:
    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self._points: list[Point] = []
        self._lines: list[tuple[str, str]] = []
        self._ending: Done | Failed | None = None
        self._next_heartbeat = 0.0
        self.child = start_training(_spec(claim.job))
        logger.info("%r started as %r", claim, self.child)

    def turn(self) -> bool:
        """Write down what the child said; false when the job is over, or no longer ours."""
        try:
            return self._turn()
        except ClaimLost:
            logger.info("%r lost", self.claim)
            self.child.stop(GRACE)
            files.discard(self.claim.job)
            return False

    def stop(self) -> None:
        """Give the job back to the queue, unless it has just ended."""
        self.child.stop(GRACE)
        try:
            self._hear(self.child.events())
            if self._ending:
                self._conclude(self.child.exit_code or 0)
            else:
                self.claim.release()
        except ClaimLost:
            files.discard(self.claim.job)

    def _turn(self) -> bool:
        self._hear(self.child.events())
        if (code := self.child.exit_code) is not None:
            self._conclude(code)
            return False
        if self.claim.cancel_requested():
            self.child.stop(GRACE)
            self.claim.cancel()
            files.discard(self.claim.job)
            logger.info("%r cancelled", self.claim)
            return False
        return True

    def _hear(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Step(snapshot):
                    self._points.append(_point(snapshot))
                case Log(level, text):
                    self._lines.append((level, text))
                case Done() | Failed():
                    self._ending = event
        self._write_down()

    def _write_down(self) -> None:
        """What was heard stays here until it is stored: the database may be away for a turn."""
        if self._points:
            self.claim.record(self._points)
            self._points = []
        elif time.monotonic() >= self._next_heartbeat:
            self.claim.heartbeat()
            self._next_heartbeat = time.monotonic() + settings.LEASE_SECONDS / HEARTBEATS
        if self._lines:
            self.claim.log(self._lines)
            self._lines = []

    def _conclude(self, exit_code: int) -> None:
        """The child is gone: a reason it gave ends the job, a signal sends it back into the queue."""
        logger.info("%r ended with %s, exit code %s", self.claim, type(self._ending).__name__, exit_code)
        match self._ending:
            case Done():
                self.claim.succeed()
                files.settle(self.claim.job)
                return
            case Failed(code, detail):
                self.claim.fail(code, detail)
            case None if exit_code < 0:
                self.claim.die()
            case None:
                self.claim.fail("failed", f"exit status {exit_code}")
        files.discard(self.claim.job)


def _spec(job: Job) -> TuneSpec:
    return TuneSpec(
        base=job.base,
        models=Path(settings.MODELS_DIR),
        examples=files.training_data(job.training_data),
        adapter=files.adapter(job),
        recipe=job.recipe,
        validation=files.training_data(job.validation_data) if job.validation_data else None,
        work=files.work(job),
        source=files.source(job) if job.source else None,
    )


def _point(snapshot: TuningSnapshot) -> Point:
    moment = snapshot.compute_time.timestamp() if snapshot.compute_time else time.time()
    return Point(snapshot.step, snapshot.epoch, snapshot.mean_loss, moment)
