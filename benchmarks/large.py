"""What large jobs cost: memory of the training child, of the api and of the tuner, and the last of many steps.

    make bench      or alone:  .venv/bin/python benchmarks/large.py

A two-layer model with random weights stands in for a real one, so that the dataset is what is large. First the
training child alone: its peak memory and its pace with 1,000, 10,000 and 50,000 examples, of which it learns the same
number of batches. Then a server of its own, which is sent the largest dataset and tunes on it. Last 100,000 steps
are stored as the tuner stores them and asked for as a page does: what that takes at either end.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path
from statistics import median
from subprocess import PIPE
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import orjson
import table

from tests import tiny_llama
from tests.processes import ROOT, TuningServer, children_of, tuning_server, wait_until
from tuning.engine import TuneSpec
from tuning.engine.lines import encode
from tuning.recipes import Recipe

SIZES = (1_000, 10_000, 50_000)
STEPS = 250
BATCH = 4
MEMORY, PACE = 1.05, 1.2
"""At most so many times the smallest job's memory, and the first steps' time."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--markdown", action="store_true", help="print tables as benchmarks/README.md holds them")
    markdown = arguments.parse_args().markdown
    with tempfile.TemporaryDirectory(prefix="tuneboard-bench-") as folder:
        tiny_llama.build(Path(folder, "models"))
        children = [child(Path(folder), size) for size in SIZES]
        print(table.drawn("The training child", CHILD_HEADS, child_rows(children), markdown=markdown), end="\n\n")
        with tuning_server(Path(folder)) as server:
            rows = server_rows(server)
        print(table.drawn(f"A server, {SIZES[-1]:,} examples", SERVER_HEADS, rows, markdown=markdown), end="\n\n")
        print(table.drawn("100,000 steps", STEPS_HEADS, step_rows(Path(folder)), markdown=markdown))


CHILD_HEADS = ["examples", "peak memory (MB)", "at most", "ms a step", "first step after (s)"]
SERVER_HEADS = ["", "peak before (MB)", "peak (MB)"]
STEPS_HEADS = ["", "first 5,000", "last 5,000", "at most"]


def child(folder: Path, examples: int) -> dict[str, Any]:
    """A training child that makes :data:`STEPS` steps of a job of so many examples."""
    place = folder / str(examples)
    place.mkdir()
    spec = TuneSpec(
        base=tiny_llama.NAME,
        models=folder / "models",
        examples=place / "examples.jsonl",
        adapter=place / "adapters" / "tuned",
        recipe=Recipe(epoch_count=1, batch_size=BATCH, learning_rate=1e-4),
        work=place / "work",
        threads=1,
    )
    spec.examples.write_bytes(jsonl(examples))
    (place / "spec.json").write_bytes(encode(spec))
    command = [sys.executable, "benchmarks/train.py", str(place / "spec.json"), str(STEPS)]
    return {"examples": examples, **json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=PIPE).stdout)}


def child_rows(children: list[dict[str, Any]]) -> list[list[str]]:
    most = MEMORY * children[0]["memory"] / 1e6
    return [
        [
            f"{made['examples']:,}",
            f"{made['memory'] / 1e6:,.0f}",
            f"{most:,.0f}",
            f"{1000 * median(made['step_seconds']):.1f}",
            f"{made['to_first_step']:.1f}",
        ]
        for made in children
    ]


def server_rows(server: TuningServer) -> list[list[str]]:
    """The peak memory of the api's worker and of the tuner, before and after they had to do with the dataset."""
    assert server.api is not None
    (worker,) = children_of(server.api.pid)
    processes = {"api": worker, "tuner": server.tuners[0].pid}
    key = server.api_key()
    tune(server, key, jsonl(SIZES[0]))
    before = {name: peak(pid) for name, pid in processes.items()}
    tune(server, key, jsonl(SIZES[-1]))
    return [[name, f"{before[name] / 1e6:.0f}", f"{peak(pid) / 1e6:.0f}"] for name, pid in processes.items()]


def tune(server: TuningServer, key: str, data: bytes) -> None:
    """Send a dataset, and tune on it for :data:`STEPS` steps."""
    name = sha256(data).hexdigest()
    server.request("PUT", f"/tuneboard/v1/datasets/{name}", key, data=data).raise_for_status()
    asked = {"base_model": f"models/{tiny_llama.NAME}", "tuning_task": {"hyperparameters": {"batch_size": BATCH}}}
    asked["tuning_task"]["hyperparameters"]["epoch_count"] = 1
    job = server.post("/v1beta/tunedModels", key, params={"dataset": f"sha256:{name}"}, json=asked).json()
    model = job["metadata"]["tunedModel"]
    wait_until(lambda: server.job(model, key)["completedSteps"] >= STEPS, seconds=600)
    server.delete(f"/v1beta/{model}", key).raise_for_status()


def step_rows(folder: Path) -> list[list[str]]:
    """``benchmarks/steps.py``, with a database of its own."""
    settings = {"DJANGO_SETTINGS_MODULE": "tuning.server.settings", "VAR_DIR": str(folder / "steps")}
    settings |= {"ENV_FILE": os.devnull, "TUNING_REQUESTS_A_MINUTE": "0", "LOG_LEVEL": "ERROR"}
    settings["TUNING_DATABASE_URL"] = f"sqlite:///{folder}/steps.sqlite3"
    command = [sys.executable, "benchmarks/steps.py"]
    said = subprocess.run(command, cwd=ROOT, env=os.environ | settings, check=True, stdout=PIPE).stdout
    return [
        [f"{name} (ms)", f"{first:.2f}", f"{last:.2f}", f"{PACE * first:.2f}"]
        for name, (first, last) in json.loads(said).items()
    ]


def jsonl(examples: int) -> bytes:
    """Each is different, and has some 240 characters."""
    rows = ({"text_input": f"{number:>170}", "output": f"{number:>60}"} for number in range(examples))
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def peak(pid: int) -> int:
    """The most memory a process has held so far, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


if __name__ == "__main__":
    main()
