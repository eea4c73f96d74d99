"""What the tuner says of itself in its row, and of its machine."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from django.conf import settings
from django.db.models.functions import Now

from tuning.engine.bases.fit import this_machine
from tuning.engine.children import Child
from tuning.server.machines import HOST, tuner_name
from tuning.server.models import Job, TunerState


@dataclass(frozen=True, slots=True)
class Kin:
    """A child of the tuner's: what it is there for, and for which job or base model."""

    kind: str
    child: Child
    job: Job | None = None
    base: str = ""

    def described(self) -> dict[str, object]:
        """As :attr:`TunerState.children` has it; what has just ended has no memory and no beginning."""
        about = {"kind": self.kind, "pid": self.child.pid, "job": self.job.name if self.job else ""}
        about["base"] = self.job.base if self.job else self.base
        try:
            process = psutil.Process(self.child.pid)
            return about | {"memory": process.memory_info().rss, "since": process.create_time()}
        except psutil.Error:
            return about | {"memory": 0, "since": None}


class Presence:
    """One tuner's row, which it writes and nobody else."""

    def __init__(self) -> None:
        self._name = tuner_name()

    def begin(self) -> None:
        """Appear, and remove the rows of tuners that died on this machine: their children are gone, too."""
        for other in TunerState.objects.filter(host=HOST):
            if other.pid == os.getpid() or not psutil.pid_exists(other.pid):
                other.delete()
        self.say()

    def say(self, **changes: object) -> TunerState:
        """Note that the tuner lives, and ``changes``."""
        standing = {"host": HOST, "pid": os.getpid(), "slots": settings.TUNER_SLOTS, "threads": settings.TUNER_THREADS}
        defaults = standing | {"heartbeat": Now()} | changes
        return TunerState.objects.update_or_create(name=self._name, defaults=defaults)[0]

    def look_around(self, children: Sequence[Kin]) -> None:
        """Note how the machine and the ``children`` are, and forget who has long been gone."""
        place = Path(settings.VAR_DIR)
        machine, disk = this_machine(place), psutil.disk_usage(str(_existing(place)))
        self.say(
            memory=machine.memory,
            memory_free=min(psutil.virtual_memory().available, machine.memory),
            disk=disk.total,
            disk_free=machine.disk,
            children=[child.described() for child in children],
        )
        TunerState.objects.sweep()

    def end(self) -> None:
        TunerState.objects.filter(name=self._name).delete()


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())
