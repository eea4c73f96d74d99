"""One claimed job in its training child."""

import logging
import time
from pathlib import Path

from django.conf import settings
from django.db import transaction

from tuning.engine import Done, Event, Failed, Log, Resumed, Sampled, Step, Stopped, TuneSpec, Validated
from tuning.engine.children import TrainingChild
from tuning.jobs import Point
from tuning.resources import TuningSnapshot
from tuning.server import files
from tuning.server.models import RESUMABLE
from tuning.server.queue import Claim, ClaimLost
from tuning.server.tuner.silence import Silence
from tuning.server.tuner.warm import Warm

logger = logging.getLogger(__name__)

HEARTBEATS = 6
"""So many fit into a lease: a slow disk or a busy machine does not cost the job."""
GRACE = 0.5
"""Seconds a child gets to end by itself. It keeps nothing that a kill could spoil."""


class Training:
    """Raises ``OSError`` when no process can be started for it."""

    def __init__(self, claim: Claim, warm: Warm) -> None:
        self.claim = claim
        self._heard = Heard()
        self._ending: Done | Failed | None = None
        self._silence = Silence(settings.TUNER_STALL_SECONDS)
        self._next_heartbeat = 0.0
        spec = _spec(claim)
        ahead = warm.take()
        self.child = ahead or TrainingChild(spec.base, spec.models)
        self.child.begin(spec)
        self._say("info", f"Attempt {claim.attempt} begins" + (" in a process that was ready." if ahead else "."))
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
                self.claim.log([("info", "The tuner stops; the job goes on when one is there again.")])
                self.claim.release()
                files.discard(self.claim.job)
        except ClaimLost:
            files.discard(self.claim.job)

    def _turn(self) -> bool:
        self._hear(self.child.events())
        if (code := self.child.exit_code) is not None:
            self._conclude(code)
            return False
        if self.claim.cancel_requested():
            self.child.stop(GRACE)
            self.claim.log([("info", "Cancelled.")])
            self.claim.cancel()
            files.discard(self.claim.job)
            logger.info("%r cancelled", self.claim)
            return False
        if self._silence.too_long():
            self._end_stalled()
            return False
        return True

    def _hear(self, events: list[Event]) -> None:
        for event in events:
            self._silence.broken()
            match event:
                case Done() | Failed():
                    self._ending = event
                case _:
                    self._heard.add(event)
        self._write_down()

    def _write_down(self) -> None:
        """What was heard stays here until it is stored: the database may be away for a turn."""
        if self._heard:
            self._heard.write(self.claim)
            self._heard = Heard()
        elif time.monotonic() >= self._next_heartbeat:
            self.claim.heartbeat()
            self._next_heartbeat = time.monotonic() + settings.LEASE_SECONDS / HEARTBEATS

    def _conclude(self, exit_code: int) -> None:
        """The child is gone: a reason it gave ends the job, a signal sends it back into the queue."""
        logger.info("%r ended with %s, exit code %s", self.claim, type(self._ending).__name__, exit_code)
        match self._ending:
            case Done():
                self._finish()
                return
            case Failed(code, detail):
                self._fail(code, detail)
            case None if exit_code < 0:
                self.claim.die(f"The process was killed by signal {-exit_code}")
            case None:
                self._fail("failed", f"exit status {exit_code}")
        files.discard(self.claim.job)

    def _finish(self) -> None:
        self.claim.log([("info", "Done.")])
        self.claim.succeed()
        files.settle(self.claim.job)

    def _fail(self, code: str, detail: str) -> None:
        if code not in RESUMABLE:  # its room on the disk may be what the database lacks
            files.remove_work(self.claim.job)
        self.claim.log([("error", f"Failed: {code}. {detail}")])
        self.claim.fail(code, detail)

    def _end_stalled(self) -> None:
        logger.warning("%r stalled", self.claim)
        self.child.stop(GRACE)
        self.claim.die(f"The process said nothing for {settings.TUNER_STALL_SECONDS:.0f} s, and was ended", "stalled")
        files.discard(self.claim.job)

    def _say(self, level: str, text: str) -> None:
        self._heard.add(Log(level, text))


class Heard:
    """What a child said since it was last written down."""

    def __init__(self) -> None:
        self._resumed: int | None = None
        self._stopped: int | None = None
        self._points: list[Point] = []
        self._validated: list[Validated] = []
        self._sampled: list[Sampled] = []
        self._lines: list[tuple[str, str]] = []

    def __bool__(self) -> bool:
        steps = (step is not None for step in (self._resumed, self._stopped))
        return any(steps) or any((self._points, self._validated, self._sampled, self._lines))

    def add(self, event: Event) -> None:
        match event:
            case Resumed(step):
                self._resumed = step
                self._lines.append(("info", f"Goes on after step {step}." if step else "Begins with the first step."))
            case Step(snapshot):
                self._points.append(_point(snapshot))
            case Validated():
                self._validated.append(event)
            case Sampled():
                self._sampled.append(event)
            case Stopped(step):
                self._stopped = step
            case Log(level, text):
                self._lines.append((level, text))

    def write(self, claim: Claim) -> None:
        """All of it or nothing. Raises ``ClaimLost``."""
        with transaction.atomic():
            if self._resumed is not None:
                claim.resume(self._resumed)
            if self._points:
                claim.record(self._points)
            if self._validated:
                claim.validated(self._validated)
            if self._sampled:
                claim.sampled(self._sampled)
            if self._stopped is not None:
                claim.stopped(self._stopped)
            if self._lines:
                claim.log(self._lines)


def _spec(claim: Claim) -> TuneSpec:
    job = claim.job
    return TuneSpec(
        base=job.base,
        models=Path(settings.MODELS_DIR),
        examples=files.training_data(job.training_data),
        adapter=files.adapter(job),
        recipe=job.recipe,
        held_out=files.training_data(job.validation_data) if job.validation_data else None,
        work=files.take_over(job),
        recorded=claim.recorded(),
        threads=job.threads,
        source=files.source(job) if job.source else None,
        checkpoint_seconds=settings.TUNER_CHECKPOINT_SECONDS,
    )


def _point(snapshot: TuningSnapshot) -> Point:
    moment = snapshot.compute_time.timestamp() if snapshot.compute_time else time.time()
    return Point(snapshot.step, snapshot.epoch, snapshot.mean_loss, moment)
