"""A job's own folder: what its next attempt goes on from, should this one be killed at any instant.

The journal has every event as it was told, a line each. A checkpoint has all that decides the next step, and how long
the journal was: what stands there beyond it is void. A checkpoint appears as a whole or not at all, and the one before
is kept until then; one that cannot be read is passed over.
"""

import errno
import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from tuning.engine import Event, Log, Resumed, Sampled, Step, Stopped, Validated
from tuning.engine.lines import decode_event, encode_event

JOURNAL = "journal.jsonl"
FULL = (errno.ENOSPC, errno.EDQUOT)
KEPT = 2
"""Checkpoints: the newest, and one in case that it cannot be read."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """``tensors`` by name, and ``facts``, which are JSON."""

    step: int
    tensors: Mapping[str, Tensor]
    facts: dict[str, Any]


class Work:
    """The folder, in the hands of the one process that works on the job."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        # Unbuffered: what was told is in the file when this process is killed.
        self._journal = (folder / JOURNAL).open("ab", buffering=0)

    def resume(self) -> tuple[Checkpoint | None, int]:
        """The newest checkpoint that can be read, if any, and how many newer ones cannot. The journal ends there."""
        unreadable = 0
        for path in self._checkpoints():
            if found := _read(path, self._length()):
                self._journal.truncate(found.facts["journal"])
                return found, unreadable
            path.unlink()
            unreadable += 1
        self._journal.truncate(0)
        return None, unreadable

    def told(self, after: int) -> Iterator[Event]:
        """The journal's events later than step ``after``. What was found out at that very step may not have been heard
        any more, so it is among them.
        """
        with (self._folder / JOURNAL).open("rb") as lines:
            for line in lines:
                event = decode_event(line)
                if _step(event) > after or (_step(event) == after and not isinstance(event, Step)):
                    yield event

    def note(self, event: Event) -> None:
        """Write ``event`` into the journal, before it is told. Logs are no part of what must not be lost."""
        if isinstance(event, Step | Validated | Sampled | Stopped):
            self._journal.write(encode_event(event))

    def save(self, checkpoint: Checkpoint) -> None:
        """Put a checkpoint in place. Raises ``OSError``."""
        os.fsync(self._journal.fileno())
        path = self._folder / f"checkpoint-{checkpoint.step}.safetensors"
        aside = path.with_name(f".{path.name}.part")
        tensors = {name: values.contiguous().cpu() for name, values in checkpoint.tensors.items()}
        facts = checkpoint.facts | {"step": checkpoint.step, "journal": self._length()}
        facts["sha256"] = _digest(tensors)
        try:
            save_file(tensors, aside, {"facts": orjson.dumps(facts).decode()})
            _write_through(aside)
            aside.replace(path)
            _write_through(self._folder)
        finally:
            aside.unlink(missing_ok=True)
        for old in self._checkpoints()[KEPT:]:
            old.unlink()

    def _length(self) -> int:
        return os.fstat(self._journal.fileno()).st_size

    def _checkpoints(self) -> list[Path]:
        """The newest first."""
        return sorted(self._folder.glob("checkpoint-*.safetensors"), key=_number, reverse=True)


class Resumable(Protocol):
    """What a checkpoint is made of."""

    step: int
    steps: int

    def checkpoint(self) -> Checkpoint: ...
    def restore(self, checkpoint: Checkpoint) -> None: ...


class Keeper:
    """Saves a checkpoint whenever so many seconds have gone by."""

    def __init__(self, work: Work, training: Resumable, seconds: float) -> None:
        self._work, self._training, self._seconds = work, training, seconds
        self._begun = self._last = time.monotonic()
        self._first = 0

    def restore(self) -> Iterator[Log | Resumed]:
        """Go on from the newest checkpoint that can be read, or from the start."""
        checkpoint, unreadable = self._work.resume()
        if unreadable:
            yield Log("warning", f"checkpoints that could not be read: {unreadable}")
        if checkpoint:
            self._training.restore(checkpoint)
            yield Log("info", f"going on after step {checkpoint.step} of {self._training.steps}")
        self._first = self._training.step
        self._begun = self._last = time.monotonic()
        yield Resumed(self._training.step)

    def keep(self) -> Iterator[Log]:
        """To be called between two steps. A full disk costs the checkpoint, not the job."""
        if time.monotonic() - self._last < self._seconds:
            return
        try:
            self._work.save(self._training.checkpoint())
        except OSError as exc:
            if exc.errno not in FULL:
                raise
            yield Log("warning", "the disk is full: no checkpoint was written")
        except SafetensorError as exc:
            yield Log("warning", f"no checkpoint was written: {exc}")
        else:
            yield Log("info", f"checkpoint after step {self._training.step} of {self._training.steps}, {self._pace()}")
        self._last = time.monotonic()

    def _pace(self) -> str:
        return f"{(time.monotonic() - self._begun) / (self._training.step - self._first):.3g} s a step"


def _number(path: Path) -> int:
    return int(path.name.removesuffix(".safetensors").rpartition("-")[2])


def _step(event: Event) -> int:
    return event.snapshot.step if isinstance(event, Step) else getattr(event, "step", 0)


def _read(path: Path, journal: int) -> Checkpoint | None:
    """The checkpoint in ``path``, unless it is spoilt or knows of a longer journal than there is."""
    with suppress(SafetensorError, OSError, ValueError, KeyError, TypeError), safe_open(path, "pt") as file:
        facts = orjson.loads(file.metadata()["facts"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
        if facts["sha256"] == _digest(tensors) and facts["journal"] <= journal:
            return Checkpoint(facts["step"], tensors, facts)
    return None


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].numpy().data)
    return digest.hexdigest()


def _write_through(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
