"""Being a child of the supervisor: the task in, events out, and an end when nobody listens any more."""

import errno
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import BinaryIO, NoReturn, TypeVar

from tuning.engine import Done, Event, Failed
from tuning.engine.lines import decode, encode_event
from tuning.errors import TuningError

Task = TypeVar("Task")

ORPHANED = 3
"""Exit status of a child whose supervisor is gone."""


def run(kind: type[Task], work: Callable[[Task], Iterator[Event]]) -> NoReturn:
    """Read a task from standard input, write what ``work`` yields to standard output, then ``Done`` or ``Failed``.

    Exits with 0 after ``Done``, 1 after ``Failed``. The process leaves without unloading its libraries: theirs is
    the slowest and least reliable part of an ending.
    """
    out = _claim_output()
    try:
        task = decode(sys.stdin.buffer.readline(), kind)
        threading.Thread(target=_end_with_supervisor, name="supervisor", daemon=True).start()
        for event in work(task):
            _emit(out, event)
        _emit(out, Done())
    except Exception as exc:  # whatever it is, the supervisor is told, and the log has the rest
        traceback.print_exc()
        _emit(out, reason(exc))
        os._exit(1)
    os._exit(0)


def reason(exc: BaseException) -> Failed:
    """Why the work ended, as a code of :class:`tuning.errors.EngineError`."""
    if isinstance(exc, TuningError):
        named = ", ".join(f"{name} {value}" for name, value in exc.params.items())
        return Failed(exc.code, exc.detail or named)
    detail = f"{type(exc).__name__}: {exc}"[:500]
    return Failed(_code(exc, detail), detail)


def _code(exc: BaseException, detail: str) -> str:
    # safetensors is Rust and tells the error number in its text alone.
    if getattr(exc, "errno", None) == errno.ENOSPC or f"os error {errno.ENOSPC}" in detail:
        return "disk_full"
    # torch says so by an OutOfMemoryError on a GPU and by its allocator's text on a CPU.
    if isinstance(exc, MemoryError) or "OutOfMemory" in detail or "can't allocate memory" in detail:
        return "out_of_memory"
    return "failed"


def _claim_output() -> BinaryIO:
    """Standard output for events alone: what libraries print goes to standard error."""
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return out


def _emit(out: BinaryIO, event: Event) -> None:
    try:
        out.write(encode_event(event))
    except BrokenPipeError:
        os._exit(ORPHANED)


def _end_with_supervisor() -> None:
    while os.read(0, 4096):
        pass
    os._exit(ORPHANED)
