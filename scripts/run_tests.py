"""Runs the tests: ``python scripts/run_tests.py MARKERS`` with pytest's ``-m``, e.g. ``"not kill"``.

Django serves one set of settings a process, so the tuning server's tests are a run of their own. Both go on at the
same time, for each waits a lot; what the server's run says is shown after the other's.
"""

import subprocess
import sys
import tempfile

NOTHING_SELECTED = 5
"""pytest's exit status when no test has the markers: no failure, where the other run has some."""

INTERRUPTED = 2
"""pytest's exit status after Ctrl-C."""

SERVER = "tests/tuning/server"
CONFORMANCE = "tests/conformance"
"""Google's clients: make conformance."""


def main(markers: str) -> int:
    """Returns the exit status: 0 when all selected tests of both runs passed."""
    pytest = [sys.executable, "-m", "pytest", "-m", markers]
    with tempfile.TemporaryFile("w+") as said:
        server = subprocess.Popen(
            [*pytest, SERVER, "--ds", "tuning.server.settings"], stdout=said, stderr=subprocess.STDOUT
        )
        try:
            rest = subprocess.run([*pytest, "--ignore", SERVER, "--ignore", CONFORMANCE], check=False).returncode
        except KeyboardInterrupt:
            rest = INTERRUPTED
        finally:
            statuses = {server.wait()}
            said.seek(0)
            sys.stdout.write(said.read())
    statuses.add(rest)
    return 0 if 0 in statuses and statuses <= {0, NOTHING_SELECTED} else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
