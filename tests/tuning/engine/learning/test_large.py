"""Large jobs: what a training child holds in memory does not grow with its dataset."""

from pathlib import Path

import pytest

from tests.tuning.engine.conftest import Spec
from tests.tuning.engine.running import Pair, until
from tuning.engine import Step, TuneSpec
from tuning.engine.children import start_training

pytestmark = pytest.mark.engine

FEW, MANY = 1_000, 20_000
SLACK = 10_000_000
"""Bytes by which two runs of one job may differ. The tokens of MANY examples are 20 MB, their texts 5 MB."""


def examples(count: int) -> list[Pair]:
    return [(f"{number:>170}", f"{number:>60}") for number in range(count)]


def peak(pid: int) -> int:
    """The most memory a process has held so far, in bytes."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


def peak_after_some_steps(job: TuneSpec) -> int:
    """Of a job's child, once everything is tokenised and it tunes."""
    child = start_training(job)
    steps: list[Step] = []
    try:
        until(
            lambda: steps.extend(said for said in child.events(0.1) if isinstance(said, Step)) or len(steps) > 25, 140
        )
        return peak(child.pid)
    finally:
        child.stop()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's peak memory")
def test_memory_does_not_grow_with_the_dataset(spec: Spec, tmp_path: Path) -> None:
    few = peak_after_some_steps(spec(examples(FEW), epoch_count=1, batch_size=16, threads=1, work=tmp_path / "few"))
    many = peak_after_some_steps(spec(examples(MANY), epoch_count=1, batch_size=16, threads=1, work=tmp_path / "many"))
    assert many - few < SLACK
