"""The scripts of ``docs/migrating.md``, run as they stand there."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance import clients
from tests.conformance.clients import NotInstallable
from tests.processes import ROOT, TuningServer

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

SECTION = re.compile(r"^## ([^\n]+)\n[^#]*?```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
SCRIPTS = dict(SECTION.findall((ROOT / "docs" / "migrating.md").read_text()))

Runner = Callable[[Path], list[str]]
"""The command that runs a script, which it may first copy to where its packages are."""


def in_environment(requirements: str) -> Runner:
    return lambda script: [clients.virtual_environment(requirements), str(script)]


RUNNERS: dict[str, Runner] = {
    "curl": lambda script: ["bash", "-e", str(script)],
    "requests": lambda script: [sys.executable, str(script)],
    "google-generativeai": in_environment("google-generativeai-0.8.6"),
    "The PaLM API": lambda script: [sys.executable, str(script)],
    "google-genai": in_environment("google-genai-1.44.0"),
    "JavaScript": clients.with_node,
}


def test_every_script_has_a_runner() -> None:
    assert SCRIPTS.keys() == RUNNERS.keys()


@pytest.mark.parametrize("section", RUNNERS)
def test_script_tunes_and_asks(server: TuningServer, tmp_path: Path, section: str) -> None:
    script = tmp_path / ("script.mjs" if section == "JavaScript" else "script")
    script.write_text(SCRIPTS[section])
    try:
        command = RUNNERS[section](script)
    except NotInstallable as reason:
        pytest.skip(f"{section} cannot be tried here. {reason}")
    environment = {"PATH": os.environ["PATH"], "BASE_URL": server.url, "GOOGLE_API_KEY": server.api_key()}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
