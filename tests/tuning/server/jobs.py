"""What tests do with a house: start jobs in it, watch them, find their processes."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.processes import TuningServer, child_running, wait_until
from tests.tuning.server.bodies import body

Curve = list[tuple[int, int, float]]
"""Step, epochs completed, loss."""


DEATH = re.compile(r"(?:killed by signal 9|heard of any more) after step (\d+)")


@dataclass(frozen=True)
class Result:
    """All that an interruption might change, but when it was."""

    losses: Curve
    validation: Curve
    samples: dict[str, Any]
    weights: bytes


class Watched:
    """A job that was just created: of ``epochs`` · 3.75 steps on the tiny model, or as :func:`full_job` says.

    ``changes`` are of what is sent.
    """

    def __init__(self, house: TuningServer, key: str, model_id: str, epochs: int | None = None, **changes: Any) -> None:
        self.house, self.key, self.model_id = house, key, model_id
        if epochs is None:
            answer = house.post("/tuneboard/v1/jobs", key, json=full_job(model_id) | changes)
        else:
            sent = body(epochs=epochs, **changes)
            answer = house.post(f"/v1beta/tunedModels?tunedModelId={model_id}", key, json=sent)
        assert answer.status_code == 200, answer.text
        self.operation_id = answer.json()["name"].rpartition("/")[2]

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

    def kept(self) -> list[Path]:
        """Its folders for the next attempt."""
        return list((self.house.var_dir / "work").glob(f"{self.operation_id}-*"))

    def checkpoints(self) -> list[Path]:
        return [checkpoint for folder in self.kept() for checkpoint in folder.glob("checkpoint-*")]

    def last_death(self) -> int:
        """The most steps that were made when a process died."""
        return max((int(found[1]) for line in self.log() if (found := DEATH.search(line))), default=0)

    def result(self) -> Result:
        """What the job came to, once it has succeeded."""
        job = self.whole()
        (weights,) = (self.house.var_dir / "adapters" / self.model_id).glob("*/adapter_model.safetensors")
        samples = self.house.get(f"/tuneboard/v1/jobs/{self.model_id}/samples", self.key).json()
        return Result(untimed(job["points"]), untimed(job["validation"]), samples, weights.read_bytes())


def full_job(model_id: str) -> dict[str, Any]:
    """A job with all that a later step may depend on: dropout, a schedule, held-out examples and their answers."""
    pairs = [{"textInput": str(number), "output": str(number + 1)} for number in range(120)]
    recipe = {"epochCount": 10, "batchSize": 1, "dropout": 0.1, "schedule": "cosine", "validation": 0.2, "samples": 1}
    model = {"baseModel": "models/tiny-llama", "tuningTask": {"trainingData": {"examples": {"examples": pairs}}}}
    return {"tunedModelId": model_id, "tunedModel": model, "recipe": recipe}


def has_ended(job: dict[str, Any]) -> bool:
    return job["state"] not in {"QUEUED", "RUNNING"}


def untimed(points: list[list[float]]) -> Curve:
    return [(int(step), int(epoch), loss) for step, epoch, loss, _ in points]


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
