"""Tuneboard's engine against TRL's SFTTrainer, on the same machine, base model, tokens and batches.

    make bench      or alone:  .venv/bin/python benchmarks/tune.py --runs 3 --markdown

Two jobs (``workloads.py``), run in turn by ours and theirs, each in a process of its own; the table shows medians.
TRL lives in an environment of its own, ``.cache/trl-venv``, made by the first run in one to two minutes, and runs in
the precision that a few steps of the same job show to be its fastest. Seconds of training are without the loading of
libraries and weights on both sides; "process" is with everything, from the command to its end. Utilisation is the
arithmetic that the job takes at the least over what this machine does when it multiplies bf16 matrices meanwhile.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import table
import trl_environment
import workloads
from workloads import ROOT, Workload

from tuning.engine import TuneSpec
from tuning.engine.bases import catalogue
from tuning.engine.lines import encode

JOBS: dict[str, Callable[[Path], Workload]] = {"tutorial": workloads.tutorial, "longer": workloads.longer}
PRECISIONS = ("fp32", "bf16", "autocast")
PROBED_STEPS = 4
"""Steps after which TRL's precisions are compared."""
FASTER, LOSS, MEMORY = 2.5, 1.02, 0.65
"""The bars: times TRL's speed; times TRL's final loss and peak memory at most, on the longer job."""
SAME_BATCHES = 0.02
"""How far apart the losses of the first step may be: rounding, where the same batch meets what has learnt nothing."""


@dataclass(frozen=True)
class Run:
    """One run of a job. Bytes, seconds and nats."""

    seconds: float
    wall: float
    memory: float
    losses: list[float]

    @property
    def last_losses(self) -> float:
        return mean(self.losses[-3:])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=3, help="of each side, in turn")
    arguments.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS))
    arguments.add_argument("--precision", choices=PRECISIONS, help="TRL's, instead of its fastest")
    arguments.add_argument("--base", default=catalogue.DEFAULT, help="another base model of $MODELS_DIR")
    arguments.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    arguments.add_argument("--only-ours", action="store_true", help="leave TRL out")
    arguments.add_argument("--markdown", action="store_true", help="print tables as benchmarks/README.md holds them")
    chosen = arguments.parse_args()
    base = prepared(chosen.base)
    python = None if chosen.only_ours else trl_environment.python()
    for name in chosen.jobs:
        bench = Bench(JOBS[name](base), base, chosen.threads, python)
        bench.run(chosen.runs, chosen.precision)
        print(bench.report(markdown=chosen.markdown), end="\n\n", flush=True)


def prepared(name: str) -> Path:
    """The folder of the base model, made ready if it is not."""
    models = Path(os.environ.get("MODELS_DIR") or ROOT / ".cache" / "models")
    command = [sys.executable, "-m", "tuning.engine.prepare", name, str(models)]
    subprocess.run(command, cwd=ROOT, check=True)
    return (models / name).resolve()


class Bench:
    """One job, run by both sides in turn."""

    def __init__(self, work: Workload, base: Path, threads: int, python: Path | None) -> None:
        self.work, self.base, self.threads, self.python = work, base, threads, python
        self.precision = ""
        self.ours: list[Run] = []
        self.theirs: list[Run] = []
        self.rate = 0.0
        """FLOP/s of bf16 matrices."""

    def run(self, times: int, precision: str | None) -> None:
        if self.python:
            self.precision = precision or min(PRECISIONS, key=self._seconds_in)
        for number in range(1, times + 1):
            self._say(f"run {number} of {times}")
            self.rate = max(self.rate, self._gemm())
            self.ours.append(self._tune())
            if self.python:
                self.theirs.append(self._trl(self.precision, self.work.steps))
        self._check_batches()

    def report(self, *, markdown: bool) -> str:
        """The table."""
        work = self.work
        title = f"{work.name}: {len(work.pairs)} examples, {work.steps} steps, {work.tokens:,} tokens"
        device = f"{self.threads} threads, bf16 matrices {self.rate / 1e9:,.0f} GFLOP/s"
        heads = ["", "Tuneboard", f"TRL ({self.precision})", "ratio", "bar", ""]
        rows = self._rows() if self.theirs else [row[:2] for row in self._rows()]
        return table.drawn(f"{title} · {device}", heads[: len(rows[0])], rows, markdown=markdown)

    def _rows(self) -> list[list[str]]:
        """Each with its name, ours, theirs, their ratio and, where something was promised, the bar and its verdict."""
        job, is_long = self.work, self.work.name == "longer"
        flops = job.flops(self.base)
        return [
            self._row("training (s)", lambda run: run.seconds, "{:.1f}", least=FASTER, inverse=True),
            self._row("tokens/s", lambda run: job.tokens / run.seconds, "{:,.0f}"),
            self._row("process (s)", lambda run: run.wall, "{:.1f}", inverse=True),
            self._row("peak memory (MB)", lambda run: run.memory / 1e6, "{:,.0f}", most=MEMORY if is_long else None),
            self._row("final loss", lambda run: run.losses[-1], "{:.4f}", most=LOSS if is_long else None),
            self._row("mean of last 3", lambda run: run.last_losses, "{:.4f}", most=LOSS if is_long else None),
            self._row("utilisation", lambda run: flops / run.seconds / self.rate, "{:.0%}"),
        ]

    def _row(
        self,
        name: str,
        value: Callable[[Run], float],
        shown: str,
        *,
        inverse: bool = False,
        least: float | None = None,
        most: float | None = None,
    ) -> list[str]:
        """``inverse``: the ratio says how many times faster ours is."""
        ours = median(map(value, self.ours))
        if not self.theirs:
            return [name, shown.format(ours)]
        theirs = median(map(value, self.theirs))
        ratio = theirs / ours if inverse else ours / theirs
        row = [name, shown.format(ours), shown.format(theirs), f"{ratio:.2f}"]
        if least is not None:
            return [*row, f"≥ {least:g}", verdict(ratio >= least)]
        if most is not None:
            return [*row, f"≤ {most:g}", verdict(ratio <= most)]
        return [*row, "", ""]

    def _check_batches(self) -> None:
        if self.theirs and not math.isclose(self.ours[0].losses[0], self.theirs[0].losses[0], rel_tol=SAME_BATCHES):
            raise SystemExit(
                f"The first steps' losses differ ({self.ours[0].losses[0]:.4f}, TRL {self.theirs[0].losses[0]:.4f}): "
                "the two did not learn the same batches. See workloads.Workload.batches."
            )

    def _seconds_in(self, precision: str) -> float:
        self._say(f"TRL in {precision}, {PROBED_STEPS} steps")
        return self._trl(precision, PROBED_STEPS).seconds

    def _tune(self) -> Run:
        with tempfile.TemporaryDirectory(prefix="tuneboard-bench-") as name:
            folder = Path(name)
            spec = TuneSpec(
                base=self.base.name,
                models=self.base.parent,
                examples=folder / "examples.jsonl",
                adapter=folder / "adapters" / "tuned",
                recipe=self.work.recipe,
                work=folder / "work",
                threads=self.threads,
            )
            self.work.write_examples(spec.examples)
            (folder / "spec.json").write_bytes(encode(spec))
            return self._measured([sys.executable, "benchmarks/train.py", str(folder / "spec.json")])

    def _trl(self, precision: str, steps: int) -> Run:
        recipe = self.work.recipe
        job: dict[str, Any] = {"base": str(self.base), "precision": precision, "steps": steps, "threads": self.threads}
        job |= {"rank": recipe.rank, "alpha": recipe.alpha, "batch_size": recipe.batch_size, "seed": recipe.seed}
        job |= {"learning_rate": recipe.learning_rate, "weight_decay": recipe.weight_decay}
        job |= {"gradient_norm": recipe.gradient_norm, "rows": self.work.rows()}
        with tempfile.TemporaryDirectory(prefix="tuneboard-bench-") as folder:
            place = Path(folder, "job.json")
            place.write_text(json.dumps(job))
            return self._measured([str(self.python), "benchmarks/trl/train.py", str(place)])

    def _measured(self, command: list[str]) -> Run:
        said = json.loads(self._output(command).splitlines()[-1])
        return Run(said["seconds"], said["wall"], said["memory"], said["losses"])

    def _gemm(self) -> float:
        return float(self._output([sys.executable, "benchmarks/gemm.py", str(self.threads)]))

    def _output(self, command: list[str]) -> str:
        environment = os.environ | {"OMP_NUM_THREADS": str(self.threads)}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
        return done.stdout

    def _say(self, text: str) -> None:
        print(f"{self.work.name}: {text}", file=sys.stderr, flush=True)


def verdict(holds: bool) -> str:
    return "holds" if holds else "MISSED"


if __name__ == "__main__":
    main()
