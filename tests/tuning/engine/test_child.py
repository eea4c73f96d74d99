"""How a child says why it failed."""

from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from tuning.engine import Failed
from tuning.engine.child import reason
from tuning.errors import EngineError

FULL = Path("/dev/full")
"""Opened for writing, a disk without room; nothing may replace it."""


def failure(work: object) -> BaseException:
    """What ``work`` raises."""
    with pytest.raises(BaseException) as raised:  # noqa: PT011 - whatever it is
        work()  # type: ignore[operator]
    return raised.value


def test_an_engine_error_keeps_its_code_and_says_the_row() -> None:
    assert reason(EngineError("example_too_long", row=3)) == Failed("example_too_long", "row 3")


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_called_that_whoever_writes() -> None:
    rusts = SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    assert reason(failure(lambda: FULL.write_bytes(b"x"))).code == "disk_full"
    assert reason(rusts).code == "disk_full"


def test_no_memory_is_called_that_whoever_asks_for_it() -> None:
    assert reason(MemoryError()).code == "out_of_memory"
    assert reason(failure(lambda: torch.empty(1 << 58))).code == "out_of_memory"
    assert reason(torch.OutOfMemoryError("CUDA out of memory")).code == "out_of_memory"
    assert reason(RuntimeError("could not create a primitive descriptor")).code == "out_of_memory"
    assert reason(RuntimeError("can't start new thread")).code == "out_of_memory"


def test_anything_else_has_failed_with_its_name() -> None:
    assert reason(RuntimeError("odd")) == Failed("failed", "RuntimeError: odd")
    assert len(reason(RuntimeError("x" * 5000)).detail) == 500


def test_an_error_that_may_quote_an_example_says_its_name_alone() -> None:
    assert reason(ValueError("no such word: secret")) == Failed("failed", "ValueError")
