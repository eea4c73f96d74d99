"""Google's clients, each with its scenario and an environment of its own, made once below ``.cache/clients``.

``PIP_ARGS`` is handed to pip as everywhere in this project.
"""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCENARIOS = HERE / "scenarios"
JAVASCRIPT = HERE / "javascript"
ENVIRONMENTS = HERE.parent.parent / ".cache" / "clients"

RUN = str(SCENARIOS / "run.py")
CHECKS = re.compile(r'^@?check\("([^"]+)"', re.MULTILINE)


class NotInstallable(Exception):
    """A client that cannot be had here; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Client:
    """One column of the conformance table."""

    name: str
    scenario: tuple[Path, ...]
    prepare: Callable[[], list[str]]
    """Makes the environment, unless it is there, and returns the scenario's command. Raises ``NotInstallable``."""

    @property
    def slug(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")

    def methods(self) -> list[str]:
        """What the scenario covers, in its order, without running it."""
        return [method for file in self.scenario for method in CHECKS.findall(file.read_text())]


def python(name: str, requirements: str, *modules: str) -> Client:
    """A client for Python: the pinned ``requirements`` in a virtual environment."""
    files = tuple(SCENARIOS / f"{module}.py" for module in modules)
    return Client(name=name, scenario=files, prepare=lambda: [virtual_environment(requirements), RUN, *modules])


def curl(name: str, module: str) -> Client:
    return Client(name=name, scenario=(SCENARIOS / f"{module}.py",), prepare=lambda: _with_curl(module))


def node(name: str, script: str) -> Client:
    return Client(name=name, scenario=(JAVASCRIPT / script,), prepare=lambda: with_node(JAVASCRIPT / script))


def virtual_environment(requirements: str) -> str:
    """The Python of the environment for ``requirements/{requirements}.txt``."""
    pinned = HERE / "requirements" / f"{requirements}.txt"
    folder = ENVIRONMENTS / requirements
    interpreter = folder / "bin" / "python"
    with _made_once(folder, pinned.read_bytes() + sys.version.encode()) as missing:
        if missing:
            _run([sys.executable, "-m", "venv", "--clear", str(folder)])
            chosen = shlex.split(os.environ.get("PIP_ARGS", ""))
            _run([str(interpreter), "-m", "pip", "install", "--no-input", "--no-compile", *chosen, "-r", str(pinned)])
    return str(interpreter)


def _with_curl(module: str) -> list[str]:
    if not shutil.which("curl"):
        raise NotInstallable("There is no curl here.")
    return [sys.executable, RUN, module]


def with_node(script: Path) -> list[str]:
    """The command for ``script``. Node looks for packages beside it only, so it is copied to them."""
    if not (shutil.which("node") and shutil.which("npm")):
        raise NotInstallable("There is no node here, or no npm.")
    folder = ENVIRONMENTS / "google-genai-javascript"
    with _made_once(folder, (JAVASCRIPT / "package-lock.json").read_bytes()) as missing:
        shutil.copytree(JAVASCRIPT, folder, dirs_exist_ok=True)
        if missing:
            _run(["npm", "ci", "--ignore-scripts"], folder)
    return ["node", shutil.copy(script, folder)]


@contextmanager
def _made_once(folder: Path, contents: bytes) -> Iterator[bool]:
    """Whether ``folder`` must be filled; when the block ends well, it counts as filled with ``contents``."""
    stamp, wanted = folder / "installed", hashlib.sha256(contents).hexdigest()
    yield not (stamp.exists() and stamp.read_text() == wanted)
    stamp.write_text(wanted)


def _run(command: list[str], folder: Path = HERE) -> None:
    done = subprocess.run(command, cwd=folder, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        said = done.stdout.strip().splitlines() or ["Nothing was said."]
        errors = [line for line in said if "error" in line.lower()] or said
        raise NotInstallable(f"{' '.join(command)}: {errors[0]}")


CLIENTS = (
    python("google-generativeai 0.8.6", "google-generativeai-0.8.6", "google_generativeai"),
    python("generativelanguage v1beta", "google-ai-generativelanguage-0.6.15", "generated_v1beta"),
    python("generativelanguage v1beta3", "google-ai-generativelanguage-0.6.15", "generated_v1beta3"),
    python("google-genai 1.44.0", "google-genai-1.44.0", "google_genai_tunings", "google_genai_models"),
    python("google-genai 3.4.0", "google-genai-3.4.0", "google_genai_without_data", "google_genai_models"),
    node("@google/genai 1.20.0", "google_genai.mjs"),
    curl("curl, Gemini", "curl_gemini"),
    curl("curl, PaLM", "curl_palm"),
)
