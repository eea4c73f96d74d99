"""Real processes for tests: the tuning server's ``api`` and ``tuner`` over the tiny Llama, in a folder of their own.

::

    with tuning_server(tmp_path) as server:
        key = server.api_key("ada@example.com")
        server.post("/v1beta/tunedModels", key, json={...})

Nothing is waited for by sleeping a fixed time: :func:`wait_until` asks until something is so.
"""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import requests

from tests import tiny_llama
from tests.postgres import new_database
from tuning import assertions
from tuning.assertions import Identity

ROOT = Path(__file__).resolve().parent.parent

T = TypeVar("T")


def wait_until(condition: Callable[[], T], *, seconds: float = 120.0, every: float = 0.05) -> T:
    """What ``condition`` returns once that is true. Fails after ``seconds``."""
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, f"waited {seconds} s in vain for {condition}"
        time.sleep(every)
    return found


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@cache
def _migrated() -> Path:
    """An empty SQLite database with all tables, made once: migrating takes longer than most tests."""
    folder = tempfile.mkdtemp(prefix="tuneboard-migrated-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    environment = os.environ | {"VAR_DIR": folder, "ENV_FILE": os.devnull}
    for name in ("DJANGO_SETTINGS_MODULE", "TUNING_DATABASE_URL"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "tuning.server", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return Path(folder) / "tuning.sqlite3"


class TuningServer:
    """``python -m tuning.server api`` and ``tuner``, which may be killed and started again."""

    def __init__(self, var_dir: Path, models_dir: Path, **env: str) -> None:
        self.var_dir = var_dir
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = os.environ | {
            "VAR_DIR": str(var_dir),
            "MODELS_DIR": str(models_dir),
            "API_PORT": str(self.port),
            "ENV_FILE": os.devnull,
            "TUNING_DEFAULT_BASE_MODEL": tiny_llama.NAME,
            "OMP_NUM_THREADS": "1",
            "TUNER_THREADS": "1",
            "TUNER_WARM": "false",
            **env,
        }
        for name in ("DJANGO_SETTINGS_MODULE", "TUNING_DATABASE_URL", "TUNING_SECRET"):
            if name not in env:
                self.environment.pop(name, None)
        if elsewhere := os.environ.get("TESTS_DATABASE_URL"):
            self.environment["TUNING_DATABASE_URL"] = new_database(elsewhere)
        self.api: subprocess.Popen[bytes] | None = None
        self.tuners: list[subprocess.Popen[bytes]] = []
        self._session = requests.Session()
        if "TUNING_DATABASE_URL" in self.environment:
            self.run("migrate", "--verbosity", "0")
        else:
            shutil.copy(_migrated(), var_dir)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "tuning.server", *arguments]

    def run(self, *arguments: str) -> str:
        """What ``python -m tuning.server ARGUMENTS`` prints."""
        return subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def api_key(self, owner: str = "ada@example.com") -> str:
        """A new key, asked for as the dashboard does for somebody; the command is a process that takes a second."""
        asker = assertions.issue(Identity(email=owner), self.secret)
        made = self.post("/tuneboard/v1/keys", asker, json={"name": "test"})
        assert made.status_code == 200, made.text
        return str(made.json()["key"])

    @property
    def secret(self) -> str:
        """What the dashboard signs its assertions with."""
        return (self.var_dir / "tuning.secret").read_text()

    def start_api(self) -> None:
        self.api = self._start("api")
        wait_until(self._answers)

    def start_tuner(self) -> subprocess.Popen[bytes]:
        tuner = self._start("tuner")
        self.tuners.append(tuner)
        return tuner

    def kill_api(self) -> None:
        """SIGKILL to gunicorn's master and its worker, as a power cut would."""
        assert self.api is not None
        workers = children_of(self.api.pid)
        self.api.kill()
        self.api.wait()
        for pid in workers:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """End all processes. The api at once: told to end in peace, gunicorn waits for those who might still ask."""
        for tuner in self.tuners:
            with suppress(ProcessLookupError):
                tuner.send_signal(signal.SIGCONT)
            tuner.terminate()
        if self.api:
            self.api.send_signal(signal.SIGQUIT)
        for process in [*self.tuners, *([self.api] if self.api else [])]:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def request(self, method: str, path: str, key: str = "", **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        headers |= options.pop("headers", {})
        return self._session.request(method, self.url + path, headers=headers, **{"timeout": 60, **options})

    def get(self, path: str, key: str = "", **options: Any) -> requests.Response:
        return self.request("GET", path, key, **options)

    def post(self, path: str, key: str = "", **options: Any) -> requests.Response:
        return self.request("POST", path, key, **options)

    def patch(self, path: str, key: str = "", **options: Any) -> requests.Response:
        return self.request("PATCH", path, key, **options)

    def delete(self, path: str, key: str = "", **options: Any) -> requests.Response:
        return self.request("DELETE", path, key, **options)

    def job(self, model: str, key: str, after: int = 0) -> dict[str, Any]:
        """What ``/tuneboard/v1`` says of the tuned model ``model`` (its id, or ``tunedModels/…``)."""
        answer = self.get(f"/tuneboard/v1/jobs/{model.removeprefix('tunedModels/')}?after={after}", key)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def wait_for_state(self, model: str, key: str, *states: str, seconds: float = 120.0) -> dict[str, Any]:
        """The job ``model`` once it is in one of ``states``; in any final one, if none is given."""
        wanted = states or ("SUCCEEDED", "FAILED", "CANCELLED")

        def reached() -> dict[str, Any] | None:
            job = self.job(model, key)
            return job if job["state"] in wanted else None

        return wait_until(reached, seconds=seconds)

    def log(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.var_dir.glob("*.log")))

    def _answers(self) -> bool:
        assert self.api is not None
        assert self.api.poll() is None, self.log()
        with suppress(requests.RequestException):
            return self._session.get(f"{self.url}/healthz", timeout=5).ok
        return False

    def _start(self, command: str) -> subprocess.Popen[bytes]:
        with (self.var_dir / f"{command}.log").open("ab") as log:
            return subprocess.Popen(
                self.command(command),
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )


@contextmanager
def tuning_server(folder: Path, *, tuner: bool = True, **env: str) -> Iterator[TuningServer]:
    """A running server with its files below ``folder``; ``env`` adds settings."""
    models = folder / "models"
    models.mkdir(exist_ok=True)
    tiny_llama.build(models)
    (folder / "var").mkdir(exist_ok=True)
    server = TuningServer(folder / "var", models, **env)
    try:
        server.start_api()
        if tuner:
            server.start_tuner()
        yield server
    finally:
        server.stop()


def children_of(pid: int) -> list[int]:
    """The processes that ``pid`` started and that still run."""
    listing = Path(f"/proc/{pid}/task/{pid}/children")
    if listing.exists():
        return [int(child) for child in listing.read_text().split()]
    shown = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], check=False, capture_output=True, text=True)
    return [int(child) for child in shown.stdout.split()]


def child_running(pid: int, module: str) -> int | None:
    """The child of the tuner ``pid`` that runs ``tuning.engine.MODULE``."""
    for child in children_of(pid):
        with suppress(FileNotFoundError):
            if f"tuning.engine.{module}" in Path(f"/proc/{child}/cmdline").read_text():
                return child
    return None


def is_running(pid: int) -> bool:
    """Whether ``pid`` is a process that still runs; one that only waits to be reaped does not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
