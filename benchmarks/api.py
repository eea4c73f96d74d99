"""How quickly the tuning server answers, over HTTP, whatever it holds.

    make bench      or alone:  .venv/bin/python benchmarks/api.py

Fills a database of its own with 10,000 finished models of 20 steps and two jobs of 10,000 steps, starts the ``api``
process on it and asks each question many times over one connection. The table shows the median of each in
milliseconds, from the request to the last byte of its answer. No model and no network is needed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from socket import create_connection, socket
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
MODELS, STEPS, SNAPSHOTS = 10_000, 20, 10_000
WARM_UP = 5
POLL_SECONDS = 0.3
"""Polls without news are held unless they come so far apart."""
QUESTIONS: dict[str, tuple[str, float | None]] = {
    f"get a model of {STEPS} steps": ("/v1beta/tunedModels/model-5000", 5),
    f"list 50 of {MODELS:,} models": ("/v1beta/tunedModels?pageSize=50", 25),
    f"poll {SNAPSHOTS:,} snapshots": ("/v1/tunedModels/long-running/operations/operation", 30),
    "the same, done": ("/v1/tunedModels/long/operations/operation", None),
}
"""What is asked, and how many milliseconds the answer may take. An operation that is done holds each snapshot twice."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--times", type=int, default=60, help="how often each question is asked")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="tuneboard-bench-") as var_dir:
        environment = surroundings(var_dir)
        with started(environment) as (address, key):
            measured = {
                name: milliseconds(address, path, key, chosen.times, POLL_SECONDS if "poll" in name else 0)
                for name, (path, _) in QUESTIONS.items()
            }
    report(measured)


def surroundings(var_dir: str) -> dict[str, str]:
    """The settings of a server of its own, without anybody's ``.env``."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    settings = {"DJANGO_SETTINGS_MODULE": "tuning.server.settings", "VAR_DIR": var_dir, "ENV_FILE": os.devnull}
    settings["TUNING_REQUESTS_A_MINUTE"] = "0"
    return {**os.environ, **settings, "TUNING_DATABASE_URL": f"sqlite:///{var_dir}/tuning.sqlite3", "API_PORT": port}


@contextmanager
def started(environment: dict[str, str]) -> Iterator[tuple[tuple[str, int], str]]:
    """The address of the ``api`` process and a key to it."""
    fill = [sys.executable, "benchmarks/rows.py", str(MODELS), str(STEPS), str(SNAPSHOTS)]
    key = subprocess.run(fill, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout.strip()
    api = subprocess.Popen([sys.executable, "-m", "tuning.server", "api"], cwd=ROOT, env=environment)
    try:
        yield wait_for(("127.0.0.1", int(environment["API_PORT"]))), key
    finally:
        api.terminate()
        api.wait(20)


def wait_for(address: tuple[str, int]) -> tuple[str, int]:
    """``address`` once somebody listens there."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with suppress(OSError), create_connection(address, timeout=5):
            return address
        time.sleep(0.05)
    raise SystemExit("The tuning server did not start.")


def milliseconds(address: tuple[str, int], path: str, key: str, times: int, pause: float) -> float:
    """The median time of an answer, the first few left out. http.client costs little time of its own."""
    connection = HTTPConnection(*address, timeout=60)
    taken = []
    for _ in range(times + WARM_UP):
        time.sleep(pause)
        begun = time.perf_counter()
        connection.request("GET", path, headers={"x-goog-api-key": key})
        answer = connection.getresponse()
        answer.read()
        taken.append(1000 * (time.perf_counter() - begun))
        if answer.status != HTTPStatus.OK:
            raise SystemExit(f"{path}: {answer.status}")
    connection.close()
    return median(taken[WARM_UP:])


def report(measured: dict[str, float]) -> None:
    """A table, with the limit where one was promised."""
    print(f"{'milliseconds':<28}{'measured':>9}{'at most':>9}")
    for name, value in measured.items():
        limit = QUESTIONS[name][1]
        print(f"{name:<28}{value:>9.1f}{f'{limit:>9.0f}' if limit else ''}")


if __name__ == "__main__":
    main()
