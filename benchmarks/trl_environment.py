"""The environment in which ``benchmarks/tune.py`` runs TRL: ``.cache/trl-venv``, made once for each list of packages.

``PIP_ARGS`` is handed to pip as in ``scripts/install.py``: for the CPU build of torch, see the README.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".cache" / "trl-venv"
REQUIREMENTS = ROOT / "benchmarks" / "trl" / "requirements.txt"


def python() -> Path:
    """Its interpreter, once everything is installed."""
    found, stamp = FOLDER / "bin" / "python", FOLDER / "installed.txt"
    if not stamp.exists() or stamp.read_text() != REQUIREMENTS.read_text():
        print(f"Installing TRL into {FOLDER.relative_to(ROOT)} (once; one to two minutes)", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True)
        chosen = shlex.split(os.environ.get("PIP_ARGS", ""))
        pip = [str(found), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *chosen]
        subprocess.run([*pip, "-r", str(REQUIREMENTS)], check=True)
        stamp.write_text(REQUIREMENTS.read_text())
    return found
