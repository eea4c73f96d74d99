"""How soon the first page shows, and how much memory the idle processes take.

    make bench      or, with a prepared base model elsewhere:  MODELS_DIR=… .venv/bin/python benchmarks/start.py

Starts Tuneboard twice in a folder of its own: once cold (databases made, static files compressed), then warm,
which is measured: from the command to the first page that answers 200. Memory is PSS, which shares out pages
that several processes use, summed over a process and its children. The network is not used.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from statistics import median

import psutil
import requests

ROOT = Path(__file__).resolve().parent.parent
LIMITS = {"first page (s)": 3.0, "web (MB)": 150.0, "web + api (MB)": 400.0}
PROCESSES = {"web": "dashboard.wsgi", "api": "tuning.server.wsgi", "tuner": "tuning.server tuner", "worker": "run_huey"}
INFERENCE = "tuning.engine.inference"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--starts", type=int, default=3, help="warm starts to take the median of")
    arguments.add_argument("--settle", type=float, default=8, help="seconds to wait before memory is read")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="tuneboard-bench-") as var_dir:
        environment = surroundings(Path(var_dir))
        with started(environment) as cold:
            pass
        seconds = []
        for _ in range(chosen.starts):
            with started(environment) as start:
                seconds.append(start.first_page)
                if len(seconds) == chosen.starts:
                    time.sleep(chosen.settle)
                    memory = start.memory()
    report({"cold start (s)": cold.first_page, "first page (s)": median(seconds), **memory})


def surroundings(var_dir: Path) -> dict[str, str]:
    """An environment with an empty VAR_DIR and free ports, and without anybody's ``.env``."""
    ports = {"PORT": str(free_port()), "API_PORT": str(free_port())}
    models = os.environ.get("MODELS_DIR") or str(ROOT / ".cache" / "models")
    return {**os.environ, "VAR_DIR": str(var_dir), "ENV_FILE": os.devnull, "MODELS_DIR": models, **ports}


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Start:
    """Tuneboard, running: ``first_page`` is the seconds from the command to its first page."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.site = f"http://127.0.0.1:{environment['PORT']}"
        begun = time.perf_counter()
        # The make target's two steps: look whether everything is installed, then start.
        command = f"python3 scripts/install.py && exec {sys.executable} -m dashboard.launch"
        self.process = subprocess.Popen(
            command, shell=True, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self.page = self._address()
        requests.get(self.page, timeout=60).raise_for_status()
        self.first_page = time.perf_counter() - begun

    def _address(self) -> str:
        """The address the person is told to open."""
        assert self.process.stdout
        for line in self.process.stdout:
            if found := re.search(rf"{self.site}\S*", line):
                return found[0]
        raise SystemExit("Tuneboard ended before it said where to find it.")

    def memory(self) -> dict[str, float]:
        """MB of each process and its children (PSS), and of web and api together."""
        found = dict.fromkeys([*PROCESSES, "inference"], 0.0)
        for process in psutil.Process(self.process.pid).children(recursive=True):
            command = " ".join(process.cmdline())
            kinds = {**PROCESSES, "inference": INFERENCE}
            for name in (name for name, mark in kinds.items() if mark in command):
                found[name] += process.memory_full_info().pss / 1e6
        together = found["web"] + found["api"]
        return {**{f"{name} (MB)": size for name, size in found.items() if size}, "web + api (MB)": together}

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=30)


@contextmanager
def started(environment: dict[str, str]) -> Iterator[Start]:
    start = Start(environment)
    try:
        yield start
    finally:
        start.stop()


def report(measured: dict[str, float]) -> None:
    """A table, with the limit where one was promised."""
    print(f"{'':<18}{'measured':>9}{'at most':>9}")
    for name, value in measured.items():
        limit = f"{LIMITS[name]:>9.0f}" if name in LIMITS else ""
        print(f"{name:<18}{value:>9.2f}{limit}" if "(s)" in name else f"{name:<18}{value:>9.0f}{limit}")


if __name__ == "__main__":
    main()
