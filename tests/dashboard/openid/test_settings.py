"""What a start refuses, rather than let nobody in."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"LOCAL_ACCOUNTS": "false"}, "nobody could come in"),
        ({"OPENID_CLIENT_JSON": "/not/there.json"}, "names no file"),
        ({"LOCAL_ACCOUNTS": "false", "OPENID_CLIENT_JSON": '{"web": {}}'}, ""),
        ({"LOCAL_ACCOUNTS": "false", "OPENID_CLIENT_ID": "us"}, ""),
    ],
)
def test_settings_by_which_nobody_could_come_in_are_refused(said: dict[str, str], refusal: str, tmp_path: Path) -> None:
    environment = {**os.environ, **said, "VAR_DIR": str(tmp_path)}
    tried = [sys.executable, "-c", "import dashboard.settings"]
    outcome = subprocess.run(tried, env=environment, capture_output=True, text=True, check=False)
    assert (outcome.returncode != 0) is bool(refusal)
    assert refusal in outcome.stderr


@pytest.mark.parametrize(
    ("said", "creates"),
    [({}, False), ({"OPENID_DOMAINS": "Example.com, example.org"}, True), ({"OPENID_CREATES": "true"}, True)],
)
def test_accounts_are_made_where_it_is_said_whose(said: dict[str, str], creates: bool, tmp_path: Path) -> None:
    environment = {**os.environ, **said, "VAR_DIR": str(tmp_path)}
    script = "import dashboard.settings as s; print(s.OPENID_CREATES, s.OPENID_DOMAINS)"
    printed = subprocess.check_output([sys.executable, "-c", script], env=environment, text=True)
    domains = ["example.com", "example.org"] if "OPENID_DOMAINS" in said else []
    assert printed.strip() == f"{creates} {domains}"
