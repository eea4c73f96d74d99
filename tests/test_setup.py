"""scripts/install.py as somebody meets it on a machine where something is missing."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOWHERE = "http://127.0.0.1:9/simple"
"""An address where no package index listens."""
AS_OLD = "import runpy, sys; sys.version_info = (3, 9, 2); runpy.run_path('scripts/install.py', run_name='__main__')"
"""Runs the script in a Python that takes itself for an old one."""


def install(project: Path, *, interpreter: tuple[str, ...] = (sys.executable,), **environment: str) -> tuple[int, str]:
    """Exit status and everything that ``scripts/install.py`` says in ``project``."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    offline = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": NOWHERE, "PIP_RETRIES": "0"}
    done = subprocess.run(
        [*interpreter, "scripts/install.py"],
        cwd=project,
        env={**plain, **offline, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout that needs no packages, with its plotly.js in place, after its first run."""
    project = tmp_path_factory.mktemp("installed")
    (project / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "install.py", project / "scripts")
    (project / "requirements").mkdir()
    for name in ("requirements.txt", "requirements/engine.txt", "requirements/model.txt", "package-lock.json"):
        (project / name).write_text("")
    (project / ".vendor").mkdir()
    (project / ".vendor" / "plotly.min.js").write_text("")
    (project / ".vendor" / "plotly.stamp").write_text(hashlib.sha256().hexdigest())
    status, said = install(project)
    assert status == 0, said
    assert "Installing" in said
    return project


@pytest.fixture
def project(installed: Path, tmp_path: Path) -> Path:
    """A copy to do things to."""
    return Path(shutil.copytree(installed, tmp_path / "project", symlinks=True))


def test_second_run_installs_nothing_and_says_nothing(project: Path) -> None:
    log = project / ".venv" / "install.log"
    log.unlink()
    assert install(project) == (0, "")
    assert not log.exists(), "pip was started"


def test_changed_requirements_are_installed_again(project: Path) -> None:
    (project / "requirements" / "engine.txt").write_text("# nothing yet\n")
    assert "Installing" in install(project)[1]


def test_no_network_is_said_in_one_sentence_and_tried_again_next_time(project: Path) -> None:
    (project / "requirements.txt").write_text("a-package-nobody-has==1\n")
    for _ in range(2):
        status, said = install(project)
        assert status == 1
        assert "could not be fetched. Connect this machine to the internet" in said
        assert "Traceback" not in said


def test_arguments_for_pip_are_handed_through(project: Path) -> None:
    (project / "requirements.txt").write_text("# changed\n")
    status, said = install(project, PIP_ARGS="--no-such-option")
    assert status == 1
    assert "no such option" in said
    assert "Traceback" not in said


def test_full_disk_is_said_before_anything_is_fetched(project: Path) -> None:
    (project / "requirements.txt").write_text("# changed\n")
    script = project / "scripts" / "install.py"
    script.write_text(script.read_text().replace("SPACE = 4\n", "SPACE = 10**9\n"))
    status, said = install(project)
    assert status == 1
    assert "GB are free here; the installation needs" in said


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "The disk is full"),
        ("WARNING: Retrying … Temporary failure in name resolution", "Connect this machine to the internet"),
        (
            "ERROR: Could not find a version\nERROR: No matching distribution for torch==9",
            "No matching distribution for torch==9",
        ),
    ],
)
def test_what_pip_says_becomes_one_sentence(said: str, advice: str) -> None:
    code = f"import sys; sys.path.insert(0, 'scripts'); import install; print(install.reason({said!r}))"
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert advice in shown
    assert shown.count("\n") == 1


def test_old_python_is_said_in_one_sentence(project: Path) -> None:
    status, said = install(project, interpreter=(sys.executable, "-c", AS_OLD), PATH=os.devnull)
    assert status == 1
    assert said == "Tuneboard needs Python 3.11 or newer, and this is 3.9. Install python3.11 and try again.\n"


def test_newer_python_beside_an_old_one_is_used(project: Path) -> None:
    beside = project / "bin"
    beside.mkdir()
    (beside / "python3.12").write_text('#!/bin/sh\necho "started $0 $*"\n')
    (beside / "python3.12").chmod(0o755)
    status, said = install(project, interpreter=(sys.executable, "-c", AS_OLD), PATH=f"{beside}{os.pathsep}/bin")
    assert status == 0
    assert "python3.12" in said
