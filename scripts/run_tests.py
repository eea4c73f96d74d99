"""Runs the tests: ``python scripts/run_tests.py MARKERS`` with pytest's ``-m``, e.g. ``"not kill"``.

In several processes at once, for each waits a lot. Django serves one set of settings a process, so the tuning server's
tests are one of them; the others share the rest, each with the surroundings that only its tests need. How far they are
is shown as it happens, what they say besides when they end.

Real browsers, services and children that share two cores are slow at times. A few tests that fail run once more when
all else is over, and are named: who passes only then waits for too little, or has found a race.
"""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

AT_ONCE = 3
"""One more than two cores, the least that is usual, for what one leaves idle."""

TESTS_FAILED, NOTHING_SELECTED = 1, 5
"""pytest's exit statuses. The latter, when no test has the markers, is no failure where another process has some."""

FEW = 5
"""More tests of a part that fail are no accident."""

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
    with TemporaryDirectory(prefix="tuneboard-tests-") as scratch:
        parts = [Part(name, markers, Path(scratch, name)) for name in PARTS]
        with ThreadPoolExecutor(AT_ONCE) as running:
            statuses = dict(zip(parts, running.map(run, parts), strict=True))
        for part in parts:
            if statuses[part] == TESTS_FAILED and len(part.failed()) <= FEW:
                statuses[part] = run_again(part)
    ends = set(statuses.values())
    return 0 if 0 in ends and ends <= {0, NOTHING_SELECTED} else 1


@dataclass(frozen=True)
class Part:
    """Tests that run in one process; ``cache`` is its pytest's own, which tells what failed."""

    name: str
    markers: str
    cache: Path

    def command(self, *more: str) -> list[str]:
        own = ["-m", self.markers, "-o", f"cache_dir={self.cache}"]
        return [sys.executable, "-m", "pytest", *own, *PARTS[self.name], *more]

    def failed(self) -> list[str]:
        """The names of the tests that failed last."""
        try:
            return sorted(json.loads((self.cache / "v/cache/lastfailed").read_text()))
        except FileNotFoundError:
            return []


def run_again(part: Part) -> int:
    """Run those tests of a part once more that failed; pytest's exit status."""
    names = part.failed()
    status = run(part, "--last-failed", "--last-failed-no-failures=none")
    if status == 0:
        say("Failed at first and passed when run alone:\n" + "".join(f"    {name}\n" for name in names))
    return status


def run(part: Part, *more: str) -> int:
    """Run the tests of a part; pytest's exit status."""
    with subprocess.Popen(part.command(*more), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout
        said = []
        for line in process.stdout:
            if line.endswith("%]\n"):
                say(f"{part.name:8}{line}")
            else:
                said.append(line)
    say(f"--- {part.name}\n{''.join(said)}")
    return process.returncode


def say(text: str) -> None:
    """Print ``text``, whole."""
    with speaking:
        sys.stdout.write(text)
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
