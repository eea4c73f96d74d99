"""``python -m dashboard.launch``, which `make run` ends in: real processes, and what stops them from starting."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import requests

from dashboard.launch import readiness
from dashboard.launch.processes import answers
from tests import tiny_llama
from tests.processes import free_port, is_running, wait_until

ROOT = Path(__file__).resolve().parent.parent


class Launch:
    """Tuneboard, started as a person starts it, in a folder of its own and with the tiny model."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.port, self.api_port = free_port(), free_port()
        kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        own = {
            "VAR_DIR": str(folder / "var"),
            "MODELS_DIR": str(folder / "models"),
            "PORT": str(self.port),
            "API_PORT": str(self.api_port),
            "ENV_FILE": os.devnull,
            "TUNING_DEFAULT_BASE_MODEL": tiny_llama.NAME,
        }
        self.log = folder / "launch.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dashboard.launch"],
                cwd=ROOT,
                env={**kept, **own, **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.log.read_text()

    def link(self) -> str:
        """The address it tells the person to open."""

        def shown() -> str | None:
            assert self.process.poll() is None, self.said
            found = re.search(rf"http://127\.0\.0\.1:{self.port}\S*", self.said)
            return found[0] if found else None

        return wait_until(shown)

    def all_processes(self) -> dict[int, str]:
        """Every process that descends from it, by its number."""
        found = {}
        for process in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                found[process.pid] = " ".join(process.cmdline())
        return found

    def wait_for(self, *commands: str) -> dict[int, str]:
        """Every process, once each of ``commands`` is among them."""

        def running() -> dict[int, str] | None:
            processes = self.all_processes()
            found = all(any(command in line for line in processes.values()) for command in commands)
            return processes if found else None

        return wait_until(running)

    def end(self, sent: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(sent)
        return self.process.wait(30)


@pytest.fixture(scope="module")
def started_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which Tuneboard ran once: databases made, static files compressed."""
    folder = tmp_path_factory.mktemp("started-before")
    (folder / "models").mkdir()
    tiny_llama.build(folder / "models")
    launch = Launch(folder)
    launch.link()
    launch.end()
    return folder


@pytest.fixture
def folder(started_before: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(started_before, tmp_path / "folder"))


@pytest.fixture
def launch(folder: Path) -> Iterator[Launch]:
    started = Launch(folder)
    yield started
    if started.process.poll() is None:
        started.end()


def test_start_shows_a_welcome_page_before_any_model_is_loaded(launch: Launch) -> None:
    def page_can_be_shown() -> bool:
        processes = launch.all_processes()
        shown = answers(launch.port)
        assert shown or not any("tuning.engine" in command for command in processes.values())
        return shown

    wait_until(page_can_be_shown)
    link = launch.link()
    assert re.search(r"/welcome/[\w-]{20,}/$", link)
    assert requests.get(link, timeout=30).status_code == 200


def test_other_accounts_of_the_machine_can_read_nothing(launch: Launch) -> None:
    launch.link()
    kept = [path for path in (launch.folder / "var").rglob("*") if "static" not in path.parts]
    assert (launch.folder / "var" / "dashboard.sqlite3") in kept
    assert [path.name for path in [launch.folder / "var", *kept] if path.stat().st_mode & 0o077] == []


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGHUP])
def test_ending_it_leaves_no_process_behind_and_little_said(launch: Launch, sent: signal.Signals) -> None:
    launch.link()
    processes = launch.wait_for("dashboard.wsgi", "tuning.server.wsgi", "run_huey", "tuning.engine.inference")
    assert launch.end(sent) == 0
    wait_until(lambda: not any(is_running(pid) for pid in processes), seconds=10)
    assert "Tuneboard is ready" in launch.said
    assert len(launch.said.strip().splitlines()) <= 6, launch.said


def test_signal_while_things_start_ends_it_all(launch: Launch) -> None:
    processes = launch.wait_for("dashboard.wsgi")
    launch.end(signal.SIGTERM)
    wait_until(lambda: not any(is_running(pid) for pid in processes), seconds=10)


def test_one_process_that_dies_ends_the_rest_and_is_named(launch: Launch) -> None:
    launch.link()
    processes = launch.wait_for("run_huey")
    worker = next(pid for pid, command in processes.items() if "run_huey" in command)
    os.kill(worker, signal.SIGKILL)
    assert launch.process.wait(30) == 1
    assert "The process worker ended unexpectedly" in launch.said
    wait_until(lambda: not any(is_running(pid) for pid in processes), seconds=10)


def test_second_start_prints_the_plain_address_once_somebody_can_sign_in(folder: Path) -> None:
    person = {"DJANGO_SUPERUSER_EMAIL": "ada@example.com", "DJANGO_SUPERUSER_PASSWORD": "difference-engine"}
    subprocess.run(
        [sys.executable, "manage.py", "createsuperuser", "--noinput"],
        cwd=ROOT,
        env={**os.environ, **person, "DJANGO_SETTINGS_MODULE": "dashboard.settings", "VAR_DIR": str(folder / "var")},
        check=True,
        capture_output=True,
    )
    compressed = folder / "var" / "static" / "staticfiles.json"
    before = compressed.stat().st_mtime_ns
    launch = Launch(folder)
    assert launch.link() == f"http://127.0.0.1:{launch.port}"
    launch.end()
    assert compressed.stat().st_mtime_ns == before, "static files were collected again"


def test_server_elsewhere_starts_the_dashboard_alone(folder: Path) -> None:
    launch = Launch(folder, TUNING_SERVER_URL="https://tuning.example.com")
    launch.link()
    processes = launch.wait_for("run_huey")
    assert not any("tuning.server" in command for command in processes.values())
    launch.end()


def refused(folder: Path, **environment: str) -> str:
    """What is said when nothing can be started."""
    launch = Launch(folder, **environment)
    assert launch.process.wait(30) == 1
    assert "Traceback" not in launch.said
    return launch.said


@pytest.mark.parametrize("name", ["PORT", "API_PORT"])
def test_port_that_is_taken_is_named_with_the_setting_that_chooses_another(tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(tmp_path, **{name: str(port)})
    assert said.startswith(f"Port {port} is taken.")
    assert f"{name}=" in said


def test_port_that_is_no_number_is_said_in_one_sentence(tmp_path: Path) -> None:
    assert "PORT" in refused(tmp_path, PORT="eight thousand")


def test_folder_that_cannot_be_written_to_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = refused(tmp_path, VAR_DIR=str(tmp_path / "file" / "var"))
    assert "choose another VAR_DIR" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("name", ["DATABASE_URL", "TUNING_DATABASE_URL"])
def test_database_that_is_none_is_said_in_one_sentence(tmp_path: Path, name: str) -> None:
    broken = tmp_path / "notes.txt"
    broken.write_text("not a database, and long enough to be mistaken for none at all" * 20)
    assert f"Check {name}" in refused(tmp_path, **{name: f"sqlite:///{broken}"})


def test_full_disk_is_said_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "SPACE", 10**9)
    with pytest.raises(readiness.NotReady, match=r"GB are free in .*, or choose another VAR_DIR"):
        readiness.check_storage(tmp_path)


@pytest.mark.parametrize(
    "environment", [{}, {"SECRET_KEY": "x" * 60}, {"SECRET_KEY": os.urandom(40).hex(), "DEBUG": "1"}]
)
def test_production_refuses_a_weak_secret_and_debug(tmp_path: Path, environment: dict[str, str]) -> None:
    said = refused(tmp_path, LOCAL="false", **environment)
    assert "With LOCAL=false" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(("local", "believed"), [("false", True), ("true", False)])
def test_proxy_is_believed_in_production_alone(tmp_path: Path, local: str, believed: bool) -> None:
    production = {"LOCAL": local, "SECRET_KEY": os.urandom(40).hex(), "ALLOWED_HOSTS": "tuneboard.example.com"}
    asked = "from dashboard import settings; print('SECURE_PROXY_SSL_HEADER' in vars(settings))"
    environment = {**os.environ, **production, "VAR_DIR": str(tmp_path)}
    said = subprocess.check_output([sys.executable, "-c", asked], cwd=ROOT, env=environment, text=True)
    assert said.strip() == str(believed)
