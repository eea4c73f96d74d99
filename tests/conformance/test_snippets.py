"""What a model's page shows under "Ask it by code", run as it stands there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.connections.models import Connection
from dashboard.library.models import TunedModel
from dashboard.library.snippets import snippets
from tests.conformance import clients
from tests.conformance.clients import NotInstallable
from tests.conformance.test_migrating import Runner, in_environment
from tests.processes import TuningServer
from tests.tuning.server.bodies import body

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

RUNNERS: dict[str, Runner] = {
    "curl": lambda script: ["bash", "-e", str(script)],
    "requests": lambda script: [sys.executable, str(script)],
    "google-genai": in_environment("google-genai-3.4.0"),
    "javascript": clients.with_node,
}


@pytest.fixture(scope="module")
def model(server: TuningServer) -> TunedModel:
    key = server.api_key("ada@example.com")
    server.post("/v1beta/tunedModels?tunedModelId=by-code", key, json=body(epochs=1))
    assert server.wait_for_state("by-code", key)["state"] == "SUCCEEDED"
    return TunedModel(name="tunedModels/by-code", connection=Connection(base_url=server.url))


def test_every_snippet_has_a_runner(model: TunedModel) -> None:
    assert {snippet.key for snippet in snippets(model)} == RUNNERS.keys()


@pytest.mark.parametrize("way", RUNNERS)
def test_snippet_asks_the_model(server: TuningServer, model: TunedModel, tmp_path: Path, way: str) -> None:
    script = tmp_path / ("script.mjs" if way == "javascript" else "script")
    script.write_text({snippet.key: snippet.code for snippet in snippets(model)}[way])
    try:
        command = RUNNERS[way](script)
    except NotInstallable as reason:
        pytest.skip(f"{way} cannot be tried here. {reason}")
    environment = {"PATH": os.environ["PATH"], "TUNEBOARD_KEY": server.api_key("ada@example.com")}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
