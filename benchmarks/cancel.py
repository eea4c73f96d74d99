"""How soon a cancelled job is gone, whatever it was doing: its process ended, its memory free, its files removed.

    make bench      or alone:  .venv/bin/python benchmarks/cancel.py

A server with a two-layer model of random weights brings a job into each stage, as tests/tuning/server/stages.py says,
and is asked to cancel it: from the request until the job is CANCELLED and no process and no file of it is left. The
base model that is being prepared has 500 million parameters.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import table

from tests.processes import TuningServer, tuning_server, wait_until
from tests.tuning.server.stages import STAGES, is_gone, process_of

LIMIT = 2.0


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--times", type=int, default=3, help="how often each stage is cancelled")
    arguments.add_argument("--markdown", action="store_true", help="print the table as benchmarks/README.md holds it")
    chosen = arguments.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="tuneboard-bench-") as folder,
        tuning_server(Path(folder), TUNING_REQUESTS_A_MINUTE="0") as server,  # the end is looked for all the time
    ):
        key = server.api_key()
        rows = [row(server, key, name, chosen.times) for name in STAGES]
    print(table.drawn("Cancelled while", ["", "longest (s)", "bar"], rows, markdown=chosen.markdown))


def row(server: TuningServer, key: str, name: str, times: int) -> list[str]:
    longest = max(seconds(server, key, name, f"{name}-{number}") for number in range(times))
    return [name, f"{longest:.2f}", f"<= {LIMIT:g}"]


def seconds(server: TuningServer, key: str, stage: str, model_id: str) -> float:
    """From the request until nothing is left of the job."""
    job = STAGES[stage].begin(server, key, model_id)
    process = process_of(job, STAGES[stage])
    asked = time.perf_counter()
    job.cancel()
    wait_until(lambda: is_gone(job, process), every=0.01)
    return time.perf_counter() - asked


if __name__ == "__main__":
    main()
