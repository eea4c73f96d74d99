"""What tests do with a house: start jobs in it, watch them, find their processes."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.processes import TuningServer, child_running, wait_until
from tests.tuning.server.bodies import body

Curve = list[tuple[int, int, float]]
"""Step, epochs completed, loss."""


DEATH = re.compile(r"(?:killed by signal 9|heard of any more) after step (\d+)")


class Watched:
    """A job of ``epochs`` · 3.75 steps on the tiny model, just created."""

    def __init__(self, house: TuningServer, key: str, model_id: str, epochs: int, **changes: Any) -> None:
        self.house, self.key, self.model_id = house, key, model_id
        answer = house.post(f"/v1beta/tunedModels?tunedModelId={model_id}", key, json=body(epochs=epochs, **changes))
        assert answer.status_code == 200, answer.text

    def now(self) -> dict[str, Any]:
        """The job without its points: they are many."""
        return self.house.job(self.model_id, self.key, after=10**6)

    def whole(self) -> dict[str, Any]:
        return self.house.job(self.model_id, self.key)

    def after(self, step: int) -> dict[str, Any]:
        """The job once it has made ``step`` steps, or has ended."""

        def reached() -> dict[str, Any] | None:
            job = self.now()
            return job if job["completedSteps"] >= step or has_ended(job) else None

        return wait_until(reached)

    def ended(self) -> dict[str, Any]:
        wait_until(lambda: has_ended(self.now()), seconds=200)
        return self.whole()

    def cancel(self) -> None:
        assert self.house.post(f"/v1beta/tunedModels/{self.model_id}:cancel", self.key).status_code == 200

    def log(self) -> list[str]:
        lines = self.house.get(f"/tuneboard/v1/jobs/{self.model_id}/log", self.key).json()["lines"]
        return [line["text"] for line in lines]

    def last_death(self) -> int:
        """The most steps that were made when a process died."""
        return max((int(found[1]) for line in self.log() if (found := DEATH.search(line))), default=0)

    def adapter(self) -> bytes:
        """The weights that were made."""
        (found,) = (self.house.var_dir / "adapters" / self.model_id).glob("*/adapter_model.safetensors")
        return found.read_bytes()


def has_ended(job: dict[str, Any]) -> bool:
    return job["state"] not in {"QUEUED", "RUNNING"}


def curve(job: dict[str, Any]) -> Curve:
    return [(step, epoch, loss) for step, epoch, loss, _ in job["points"]]


def training_child(tuner: subprocess.Popen[bytes]) -> int:
    """The process that trains, once it is there."""
    return wait_until(lambda: child_running(tuner.pid, "training"))


def work_left(house: TuningServer) -> list[Path]:
    """What jobs keep for their next attempt."""
    return list((house.var_dir / "work").glob("*"))


@contextmanager
def tuner_in(house: TuningServer) -> Iterator[subprocess.Popen[bytes]]:
    """A tuner that is stopped in the end."""
    tuner = house.start_tuner()
    try:
        yield tuner
    finally:
        end(house)


def end(house: TuningServer) -> None:
    """Stop all tuners of ``house``."""
    for tuner in house.tuners:
        if tuner.poll() is None:
            tuner.send_signal(signal.SIGCONT)
            tuner.terminate()
            tuner.wait(20)
    house.tuners.clear()


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
