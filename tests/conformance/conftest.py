"""One tuning server for all clients, each client's day run once, and the table at the end."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conformance import table
from tests.conformance.clients import Client, NotInstallable
from tests.processes import TuningServer, tuning_server, wait_until

DAY_SECONDS = 240
"""How long a client's scenario may take."""

Day = dict[str, str]
"""What went wrong, by method; empty where nothing did."""

OUTCOMES: dict[tuple[str, str], str] = {}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TuningServer]:
    with tuning_server(tmp_path_factory.mktemp("conformance")) as running:
        key = running.api_key("nobody@example.com")
        wait_until(lambda: running.get("/tuneboard/v1/status", key).json()["inference"])
        yield running


@pytest.fixture(scope="session")
def busy_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TuningServer]:
    """One that answers a key three times a minute, and has nobody to tune or to load a model."""
    folder = tmp_path_factory.mktemp("busy")
    with tuning_server(folder, tuner=False, TUNING_REQUESTS_A_MINUTE="3") as running:
        yield running


@pytest.fixture(scope="session")
def day_of(
    server: TuningServer, busy_server: TuningServer, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Client], Day]:
    """Runs a client's scenario when it is first asked for."""
    days: dict[str, Day | NotInstallable] = {}

    def day(client: Client) -> Day:
        if client.name not in days:
            try:
                days[client.name] = _spend(server, busy_server, client, tmp_path_factory.mktemp(client.slug))
            except NotInstallable as reason:
                days[client.name] = reason
        found = days[client.name]
        if isinstance(found, NotInstallable):
            pytest.skip(f"{client.name} cannot be installed here. {found}")
        return found

    return day


def _spend(server: TuningServer, busy_server: TuningServer, client: Client, folder: Path) -> Day:
    """The day of two people who have nobody's models but their own."""
    command = client.prepare()
    ada, grace = (f"{name}@{client.slug}.example.com" for name in ("ada", "grace"))
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONWARNINGS": "ignore",  # deprecations that the clients announce
        "CONFORMANCE_URL": server.url,
        "CONFORMANCE_KEY": server.api_key(ada),
        "CONFORMANCE_OTHER_KEY": server.api_key(grace),
        "CONFORMANCE_OTHER": grace,
        "CONFORMANCE_BUSY_URL": busy_server.url,
        "CONFORMANCE_BUSY_KEY": busy_server.api_key(ada),
    }
    said, complaints = folder / "said", folder / "complaints"
    with said.open("w") as out, complaints.open("w") as err, suppress(subprocess.TimeoutExpired):
        subprocess.run(command, env=environment, stdout=out, stderr=err, timeout=DAY_SECONDS, check=False)
    lines = [json.loads(line) for line in said.read_text().splitlines() if line.startswith("{")]
    unseen = f"The scenario did not come to it.\n{complaints.read_text()}"
    return dict.fromkeys(client.methods(), unseen) | {line["method"]: line["problem"] for line in lines}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    covered = dict(report.user_properties)
    if "method" in covered and report.when == "call":
        OUTCOMES[covered["client"], covered["method"]] = report.outcome


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if OUTCOMES:
        terminalreporter.section("conformance")
        terminalreporter.write_line(table.markdown(OUTCOMES))
