"""Starting the engine's child processes, and hearing from them: the supervisor's side. Loads no torch.

A child gets its task as one JSON line on standard input, a training child as two, and answers with events, one JSON
line each, on standard output. The input stays open as long as its supervisor lives; when it closes, the child ends
itself.
Children stand in a session of their own, so that Ctrl-C in a terminal reaches the supervisor alone, inherit no
file but their three standard streams, and of the environment only what :data:`ENVIRONMENT` lists: no secret.
"""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO

from tuning.engine import Event, InferenceSpec, InspectSpec, MergeSpec, PrepareSpec, TakeSpec, TuneSpec, WarmSpec
from tuning.engine.lines import decode_event, encode

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]

ENVIRONMENT = (
    "PATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "LC_",
    "TZ",
    "VIRTUAL_ENV",
    "LD_LIBRARY_PATH",
    "OMP_",
    "GOMP_",
    "MKL_",
    "CUDA_",
)
"""Beginnings of the names of the environment variables a child may see."""

OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
"""Model libraries must not reach for the network: weights come from the folder of models alone."""

QUIET = {"TQDM_DISABLE": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONWARNINGS": "ignore::FutureWarning"}
"""Progress is told by events; what libraries say about each other is nobody's concern here."""


class Child:
    """A running engine process.

    Not safe for use by several threads at once. ``exit_code`` stays ``None`` until every event the child wrote
    has been handed out by :meth:`events`, so that whoever sees it end has seen all it said.
    """

    def __init__(self, module: str, task: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=environment(),
            start_new_session=True,
        )
        self.pid = self._process.pid
        self._arrived: SimpleQueue[Event] = SimpleQueue()
        self._reader = threading.Thread(target=self._read, name=f"events of {self.pid}", daemon=True)
        self._reader.start()
        self.send(task)

    def __repr__(self) -> str:
        return f"<Child {self.pid}>"

    def events(self, timeout: float = 0.0) -> list[Event]:
        """The events that arrived since the last call; waits at most ``timeout`` seconds for the first."""
        return list(self._waiting(timeout))

    def send(self, task: object) -> None:
        """Write ``task`` to its standard input."""
        with suppress(BrokenPipeError):  # it has died; its exit code will tell
            self._stdin.write(encode(task))
            self._stdin.flush()

    @property
    def exit_code(self) -> int | None:
        """How it ended: 0, an exit status, or minus the number of a signal."""
        if self._reader.is_alive() or not self._arrived.empty():
            return None
        return self._process.wait()

    def hang_up(self) -> None:
        """Have it end itself soon: its pipe closes."""
        with suppress(OSError):
            self._stdin.close()

    def stop(self, grace: float = 2.0) -> None:
        """End it now and wait until it is gone: its pipe closes, after ``grace`` seconds SIGTERM, after more SIGKILL.

        Events written before are still to be had from :meth:`events`. Stopping what has ended changes nothing.
        """
        self.hang_up()
        for end in (self._process.terminate, self._process.kill):
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(grace)
                break
            end()
        self._process.wait()
        self._reader.join()

    @property
    def _stdin(self) -> IO[bytes]:
        assert self._process.stdin is not None  # it was opened as a pipe
        return self._process.stdin

    def _read(self) -> None:
        assert self._process.stdout is not None  # it was opened as a pipe
        with self._process.stdout as lines:
            for line in lines:
                try:
                    self._arrived.put(decode_event(line))
                except ValueError:  # half a line: it died while writing
                    logger.warning("child %s wrote a line that is no event", self.pid)

    def _waiting(self, timeout: float) -> Iterator[Event]:
        with suppress(Empty):
            yield self._arrived.get(timeout=timeout) if timeout > 0 else self._arrived.get_nowait()
            while True:
                yield self._arrived.get_nowait()


class TrainingChild(Child):
    """A training process that loads its libraries and then awaits its job, probably one on ``base``."""

    def __init__(self, base: str, models: Path) -> None:
        super().__init__("tuning.engine.training", WarmSpec(base=base, models=models.resolve()))

    def begin(self, spec: TuneSpec) -> None:
        """Give it its job, once: ``Step`` and other events, then ``Done`` (the adapter is in place) or ``Failed``."""
        names = ("models", "examples", "adapter", "work", "source", "held_out")
        places = {name: getattr(spec, name) for name in names}
        self.send(replace(spec, **{name: path and path.resolve() for name, path in places.items()}))


def start_training(spec: TuneSpec) -> TrainingChild:
    """Tune in a child that starts now."""
    child = TrainingChild(spec.base, spec.models)
    child.begin(spec)
    return child


def start_preparation(base: str, models: Path) -> Child:
    """Make the base model ``base`` ready in the folder ``models``: ``Progress`` events, then ``Done`` or ``Failed``.

    Nothing to do where it is ready already; two at once do no harm.
    """
    return Child("tuning.engine.prepare", PrepareSpec(base=base, models=models.resolve()))


def start_inspection(folder: Path, models: Path) -> Child:
    """See whether the base model in ``folder`` can be used here: ``Done``, or ``Failed`` with the reason."""
    return Child("tuning.engine.inspection", InspectSpec(folder=folder.resolve(), models=models.resolve()))


def start_merging(spec: MergeSpec) -> Child:
    """Write a base model with an adapter merged into it as GGUF: ``Progress`` events, then ``Done`` or ``Failed``."""
    return Child("tuning.engine.merging", spec)


def start_taking(spec: TakeSpec) -> Child:
    """Take in an adapter that was made elsewhere: ``Done``, or ``Failed`` with the reason (``adapter_unfit``)."""
    return Child("tuning.engine.taking", spec)


def start_inference(models: Path, adapters: Path, *, threads: int | None = None) -> Child:
    """Answer questions in a child: one ``Ready`` event, then it serves until it is stopped.

    Only adapters inside the folder ``adapters`` are loaded. ``threads`` defaults to the number of CPUs.
    Ask it with :func:`tuning.engine.answering.answers.ask`.
    """
    spec = InferenceSpec(models=models.resolve(), adapters=adapters.resolve(), threads=threads)
    return Child("tuning.engine.inference", spec)


def environment() -> dict[str, str]:
    """What a child may know of our environment."""
    allowed = {name: value for name, value in os.environ.items() if name.startswith(ENVIRONMENT)}
    return allowed | OFFLINE | QUIET
