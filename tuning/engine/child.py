"""Being a child of the supervisor: tasks in, events out, and an end when nobody listens any more."""

import errno
import os
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO, NoReturn, TypeVar

from tuning.engine import Done, Event, Failed
from tuning.engine.lines import decode, encode_event
from tuning.errors import TuningError

Task = TypeVar("Task")

ORPHANED = 3
"""Exit status of a child whose supervisor is gone."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Error numbers of a disk without room, and of limits that mean the same: a quota, the largest file."""

NO_MEMORY = re.compile(
    "OutOfMemory|can't allocate memory|cannot allocate memory|bad_alloc"
    "|could not create a (primitive|memory)|can't start new thread|failed to map segment",
    re.IGNORECASE,
)
"""What torch, its allocator, C++, oneDNN, Python's threads and the linker say of it."""

OUR_MACHINE = (OSError, RuntimeError)
"""Errors that speak of files and tensors. Others may quote an example, which is to reach no log."""

ENGINE = f"{os.sep}tuning{os.sep}engine{os.sep}"

_orders: SimpleQueue[bytes] = SimpleQueue()
"""The lines of standard input."""


def run(kind: type[Task], work: Callable[[Task], Iterator[Event]]) -> NoReturn:
    """Read a task from standard input, write what ``work`` yields to standard output, then ``Done`` or ``Failed``.

    What else is to be done, ``work`` reads by :func:`task`. Exits with 0 after ``Done``, 1 after ``Failed``. The
    process leaves without unloading its libraries: theirs is the slowest and least reliable part of an ending.
    """
    out = _claim_output()
    threading.Thread(target=_listen, name="supervisor", daemon=True).start()
    try:
        for event in work(task(kind)):
            _emit(out, event)
        _emit(out, Done())
    except Exception as exc:  # whatever it is, the supervisor is told, and the log has where
        why = reason(exc)
        _emit(out, why)
        with suppress(OSError):  # a full disk holds the log, too
            traceback.print_tb(exc.__traceback__)
            sys.stderr.write(f"{why}\n")
        os._exit(1)
    os._exit(0)


def task(kind: type[Task]) -> Task:
    """The next task, once the supervisor has written it."""
    return decode(_orders.get(), kind)


def reason(exc: BaseException) -> Failed:
    """Why the work ended, as a code of :class:`tuning.errors.EngineError`."""
    if isinstance(exc, TuningError):
        named = ", ".join(f"{name} {value}" for name, value in exc.params.items())
        return Failed(exc.code, exc.detail or named)
    code = _code(exc)
    telling = code != "failed" or isinstance(exc, OUR_MACHINE)
    return Failed(code, _detail(exc, str(exc) if telling else ""))


def _detail(exc: BaseException, text: str) -> str:
    """What happened, and where in the engine. Of errors that may quote what they stumbled over ``text`` is empty."""
    ours = [frame for frame in traceback.extract_tb(exc.__traceback__) if ENGINE in frame.filename]
    place = f" ({Path(ours[-1].filename).name}:{ours[-1].lineno})" if ours else ""
    return f"{type(exc).__name__}{place}: {text}"[:500].removesuffix(": ")


def _code(exc: BaseException) -> str:
    text = f"{type(exc).__name__}: {exc}"
    # safetensors is Rust and tells the error number in its text alone.
    if getattr(exc, "errno", None) in FULL or any(f"os error {number}" in text for number in FULL):
        return "disk_full"
    # torch says so by an OutOfMemoryError on a GPU and by its allocator's text on a CPU.
    if isinstance(exc, MemoryError) or NO_MEMORY.search(text):
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


def _listen() -> None:
    for line in sys.stdin.buffer:
        _orders.put(line)
    os._exit(ORPHANED)
