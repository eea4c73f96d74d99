"""Runs the tests: ``python scripts/run_tests.py MARKERS`` with pytest's ``-m``, e.g. ``"not kill"``.

In several processes at once, for each waits a lot. Django serves one set of settings a process, so the tuning server's
tests are one of them; the others share the rest, each with the surroundings that only its tests need. How far they are
is shown as it happens, what they say besides when they end.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

AT_ONCE = 3
"""One more than two cores, the least that is usual, for what one leaves idle."""

NOTHING_SELECTED = 5
"""pytest's exit status when no test has the markers: no failure, where another process has some."""

CONFORMANCE = "tests/conformance"
"""Google's clients: make conformance."""

SERVER, BROWSER, ENGINE = "tests/tuning/server", "tests/browser", "tests/tuning/engine"
PARTS = {
    "server": [SERVER, "--ds", "tuning.server.settings"],
    "browser": [BROWSER],
    "rest": [f"--ignore={folder}" for folder in (SERVER, BROWSER, ENGINE, CONFORMANCE)],
    "engine": [ENGINE],
}
"""pytest's arguments, those first that take longest."""

speaking = Lock()


def main(markers: str) -> int:
    """Returns the exit status: 0 when all selected tests passed."""
    with ThreadPoolExecutor(AT_ONCE) as running:
        statuses = set(running.map(lambda part: run(part, markers), PARTS))
    return 0 if 0 in statuses and statuses <= {0, NOTHING_SELECTED} else 1


def run(part: str, markers: str) -> int:
    """Run the tests of a part; pytest's exit status."""
    command = [sys.executable, "-m", "pytest", "-m", markers, *PARTS[part]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout
        said = []
        for line in process.stdout:
            if line.endswith("%]\n"):
                say(f"{part:8}{line}")
            else:
                said.append(line)
    say(f"--- {part}\n{''.join(said)}")
    return process.returncode


def say(text: str) -> None:
    """Print ``text``, whole."""
    with speaking:
        sys.stdout.write(text)
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
