"""The shell lines of docs/api.md, run in their order against a real server, as somebody would who follows the page."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ROOT, TuningServer, tuning_server, wait_until
from tuning.server.openapi.methods import METHODS

PAGE = (ROOT / "docs" / "api.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)

FAIL_LOUDLY = 'set -euo pipefail\ncurl() { command curl --silent --show-error --fail-with-body "$@"; }\n'


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TuningServer, str]]:
    with tuning_server(tmp_path_factory.mktemp("documented")) as server:
        key = server.api_key()
        wait_until(lambda: server.get("/tuneboard/v1/status", key).json()["inference"])
        yield server, key


def test_every_line_of_the_page_does_what_it_says(documented: tuple[TuningServer, str], tmp_path: Path) -> None:
    server, key = documented
    assert shutil.which("curl"), "curl is needed to try the documented lines"
    script = FAIL_LOUDLY + "".join(f"echo '# block {number}' >&2\n{block}" for number, block in enumerate(BLOCKS))
    ran = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**server.environment, "API": server.url, "KEY": key},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr + ran.stdout[-3000:]
    assert "Says what comes next." in ran.stdout
    assert (tmp_path / "adapter.zip").read_bytes().startswith(b"PK")
    assert len((tmp_path / "examples.jsonl").read_text().splitlines()) == 3
    assert server.get("/v1beta/tunedModels/next-number", key).status_code == 404


def test_every_path_of_the_api_is_on_the_page() -> None:
    """By the last word of each path, or the place of an id."""
    for path in METHODS:
        word = re.split(r"[/:]", re.sub(r"/?{\w+}", "", path))[-1]
        assert word in PAGE, path
