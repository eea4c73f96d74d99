"""One training child, as the tuner starts it; ``benchmarks/tune.py`` and ``benchmarks/large.py`` run this.

    python benchmarks/train.py SPEC.json [STEPS]        prints one line of JSON: seconds, losses, peak memory

A process of its own for each, because that is how Linux tells the peak memory of a child that has ended.
"""

import json
import math
import resource
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tuning.engine import Failed, Log, Resumed, Step, TuneSpec
from tuning.engine.children import start_training
from tuning.engine.lines import decode


def main(spec: TuneSpec, steps: float = math.inf) -> dict[str, Any]:
    """Tune to the end, or for so many steps. ``seconds`` are of training: from where the child has model and tokens to
    the last step.
    """
    started = time.perf_counter()
    child = start_training(spec)
    moments: list[float] = []
    losses: list[float] = []
    began, log = started, []
    while child.exit_code is None and len(losses) < steps:
        for event in child.events(timeout=1):
            match event:
                case Resumed():
                    began = time.perf_counter()
                case Step(snapshot):
                    moments.append(time.perf_counter())
                    losses.append(snapshot.mean_loss)
                case Log(_, text):
                    log.append(text)
                case Failed(code, detail):
                    raise SystemExit(f"{code}: {detail}")
    ended = time.perf_counter()
    child.stop()
    return {
        "seconds": moments[-1] - began,
        "step_seconds": [after - before for before, after in zip([began, *moments], moments, strict=False)],
        "to_first_step": moments[0] - started,
        "wall": ended - started,
        "losses": losses,
        "memory": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
        "log": log,
    }


if __name__ == "__main__":
    print(json.dumps(main(decode(Path(sys.argv[1]).read_bytes(), TuneSpec), *map(int, sys.argv[2:]))))
