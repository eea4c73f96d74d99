"""EMAIL_URL: where mail goes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PRINT = "import dashboard.settings as s; print(s.EMAIL_HOST, s.EMAIL_PORT, s.EMAIL_USE_TLS, s.EMAIL_USE_SSL)"


def settings_with(url: str, var_dir: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "EMAIL_URL": url, "VAR_DIR": str(var_dir)}
    return subprocess.run([sys.executable, "-c", PRINT], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("submission://user:password@mail.example.com", "mail.example.com 587 True False"),
        ("smtp://user:password@mail.example.com:465?ssl=yes", "mail.example.com 465 False True"),
        ("smtp://localhost", "localhost 25 False False"),
    ],
)
def test_mail_goes_where_the_url_says(tmp_path: Path, url: str, meant: str) -> None:
    assert settings_with(url, tmp_path).stdout.strip() == meant


def test_misspelt_url_is_refused_rather_than_sending_passwords_in_the_clear(tmp_path: Path) -> None:
    refused = settings_with("smtp+tls://user:password@mail.example.com:587", tmp_path)
    assert refused.returncode != 0
    assert "EMAIL_URL begins with" in refused.stderr
