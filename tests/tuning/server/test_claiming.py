"""Several tuners, one queue: no job is claimed twice and none is forgotten, on either database."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import new_database, postgres
from tests.processes import ROOT, TuningServer, tuning_server, wait_until
from tests.tuning.server.bodies import body
from tuning import assertions
from tuning.assertions import Identity

JOBS = 80
CLAIMERS = 4
EPOCHS = 100
"""Long enough that all jobs are at work at the same time."""


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_no_job_is_claimed_twice(kind: str, database: str, tmp_path: Path) -> None:
    settings = {"TUNING_DATABASE_URL": new_database(database)} if kind == "postgresql" else {}
    house = TuningServer(tmp_path, tmp_path, **settings)
    command = [sys.executable, "-m", "tests.tuning.server.claimer"]
    environment = house.environment | {"DJANGO_SETTINGS_MODULE": "tuning.server.settings"}
    subprocess.run([*command, str(JOBS)], cwd=ROOT, env=environment, check=True)
    claimers = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(CLAIMERS)
    ]
    for claimer in claimers:
        assert claimer.stdout is not None
        assert claimer.stdout.readline() == "ready\n"
    for claimer in claimers:
        assert claimer.stdin is not None
        claimer.stdin.write("\n")
        claimer.stdin.flush()
    claims = [claimer.communicate(timeout=60)[0].splitlines() for claimer in claimers]
    assert sorted(line for lines in claims for line in lines) == sorted(f"job-{number} 1" for number in range(JOBS))
    assert sum(map(bool, claims)) > 1, "one was so quick that the others had no chance: queue more"


def test_two_tuners_of_two_slots_share_one_postgresql(database: str, tmp_path: Path) -> None:
    settings = {"TUNING_DATABASE_URL": new_database(database), "TUNER_SLOTS": "2", "TUNER_WARM": "false"}
    with tuning_server(tmp_path, **settings) as house:
        house.start_tuner()
        keys = {name: house.api_key(f"{name}@example.com") for name in ("ada", "bob")}
        for number in range(2):
            for name, key in keys.items():
                sent = house.post(f"/v1beta/tunedModels?tunedModelId={name}-{number}", key, json=body(epochs=EPOCHS))
                assert sent.status_code == 200, sent.text

        def engine() -> dict[str, Any]:
            root = Identity(email="root@example.com", administrator=True)
            return dict(house.get("/tuneboard/v1/engine", assertions.issue(root, house.secret)).json())

        def at_work() -> list[int]:
            """How many jobs each tuner has."""
            kinds = ([child["kind"] for child in tuner["children"]] for tuner in engine()["tuners"])
            return [found.count("training") for found in kinds]

        wait_until(lambda: at_work() == [2, 2])
        for number in range(2):
            for name, key in keys.items():
                job = house.wait_for_state(f"{name}-{number}", key)
                assert (job["state"], job["attempt"]) == ("SUCCEEDED", 1)
                assert [point[0] for point in job["points"]] == list(range(1, job["totalSteps"] + 1))
        assert all(tuner["alive"] for tuner in engine()["tuners"])


PROMISES = [
    "test_queue.py",
    "test_turns.py",
    "test_migrations.py",
    "test_permissions.py::test_ownership_is_given_to_one_of_many_at_once",
]
"""Of the tuning server's tests those in which databases could differ."""


def test_the_servers_promises_hold_on_postgresql(database: str) -> None:
    folder = ROOT / "tests" / "tuning" / "server"
    files = [str(folder / name) for name in PROMISES]
    run_tests(database, *files, "-k", "not ten_thousand", "--ds", "tuning.server.settings")


def test_the_dashboards_promises_hold_on_postgresql(database: str) -> None:
    folder = ROOT / "tests" / "dashboard"
    run_tests(database, str(folder / "jobs" / "test_models.py"), str(folder / "datasets" / "test_models.py"))


def run_tests(database: str, *arguments: str) -> None:
    ours = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=ROOT,
        env=ours | {"TESTS_DATABASE_URL": database},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-5000:]
