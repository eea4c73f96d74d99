"""``python -m tuning.server …``"""

import subprocess

import pytest

from tests.processes import TuningServer


def test_new_key_is_printed_alone(idle_server: TuningServer) -> None:
    assert len(idle_server.run("apikey", "create", "notebook", "--owner", "ada@example.com").split()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["create", "x", "--owner", "nobody"], "nobody is no e-mail address."), (["revoke", "999999"], "no key 999999")],
)
def test_wrong_command_says_so_in_one_line(idle_server: TuningServer, arguments: list[str], said: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        idle_server.run("apikey", *arguments)
    assert said in failed.value.stderr
    assert "Traceback" not in failed.value.stderr


def test_production_checks_find_nothing(idle_server: TuningServer) -> None:
    idle_server.run("check", "--deploy", "--fail-level", "WARNING")
    idle_server.run("makemigrations", "--check", "--dry-run")
