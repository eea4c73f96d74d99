"""How soon a job's first snapshot is there, and what the process that waits for jobs costs.

    make bench      or, with a prepared base model elsewhere:
    MODELS_DIR=… .venv/bin/python benchmarks/first_snapshot.py

Starts the tuning server in a folder of its own and creates the tutorial's job (15 pairs of numbers on
SmolLM2-135M-Instruct) several times: with a training process that waits (``TUNER_WARM=true``, the default), then
without. Seconds are from sending ``create`` to the first answer that has a snapshot; the memory is that of the
waiting process (RSS). The network is not used.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.processes import TuningServer, child_running, wait_until  # noqa: E402
from tests.tuning.server.bodies import TUTORIAL  # noqa: E402
from tuning.engine.bases import catalogue  # noqa: E402

LIMITS = {"warm": 3.0, "memory": 450.0}
SETTLED = 0.05
"""Of a core: a process that uses less has loaded what it loads."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--jobs", type=int, default=3, help="jobs to take the median of")
    jobs = arguments.parse_args().jobs
    warm, memory = measured("true", jobs)
    cold, _ = measured("false", jobs)
    print(f"{'':<44}{'measured':>9}{'at most':>9}")
    print(f"{'create to first snapshot, warm (s)':<44}{warm:>9.2f}{LIMITS['warm']:>9.0f}")
    print(f"{'the same with TUNER_WARM=false (s)':<44}{cold:>9.2f}")
    print(f"{'the waiting process (MB)':<44}{memory:>9.0f}{LIMITS['memory']:>9.0f}")


def measured(warm: str, jobs: int) -> tuple[float, float]:
    """Seconds to the first snapshot (median), and the MB of the waiting process; 0 without one."""
    with tempfile.TemporaryDirectory(prefix="tuneboard-bench-") as folder:
        server = started(Path(folder), warm)
        try:
            key = server.api_key()
            taken, memory = [], 0.0
            for number in range(jobs):
                memory = max(memory, settled(server, warm == "true"))
                taken.append(first_snapshot(server, key, f"job-{number}"))
        finally:
            server.stop()
    return median(taken), memory


def started(folder: Path, warm: str) -> TuningServer:
    models = Path(os.environ.get("MODELS_DIR") or ROOT / ".cache" / "models")
    settings = {"TUNING_DEFAULT_BASE_MODEL": catalogue.DEFAULT, "TUNER_WARM": warm, "TUNING_REQUESTS_A_MINUTE": "0"}
    server = TuningServer(folder, models, **settings)
    server.environment.pop("OMP_NUM_THREADS", None)
    server.start_api()
    server.start_tuner()
    return server


def settled(server: TuningServer, warm: bool) -> float:
    """Wait until the tuner's processes are idle; the MB of the one that waits for a job."""
    wait_until(lambda: child_running(server.tuners[0].pid, "inference"))
    if not warm:
        return 0.0
    waiting = psutil.Process(wait_until(lambda: child_running(server.tuners[0].pid, "training")))
    wait_until(lambda: waiting.num_threads() > 1 and waiting.cpu_percent(interval=1.0) / 100 < SETTLED)
    return float(waiting.memory_info().rss) / 1e6


def first_snapshot(server: TuningServer, key: str, model_id: str) -> float:
    """Create a job, wait for its first snapshot, and for its end; the seconds until the snapshot."""
    begun = time.perf_counter()
    answer = server.post(f"/v1beta/tunedModels?tunedModelId={model_id}", key, json=TUTORIAL)
    answer.raise_for_status()
    wait_until(lambda: steps(server.job(model_id, key)) > 0, every=0.02)
    seconds = time.perf_counter() - begun
    server.wait_for_state(model_id, key)
    return seconds


def steps(job: dict[str, Any]) -> int:
    return len(job["points"])


if __name__ == "__main__":
    main()
