"""A tuning server that runs for all tests of this folder, and jobs to give it."""

from collections.abc import Iterator

import pytest
from django.conf import settings

from tests.processes import TuningServer, tuning_server

# These tests need the tuning server's own settings: pytest tests/tuning/server --ds=tuning.server.settings
collect_ignore_glob = [] if settings.SETTINGS_MODULE == "tuning.server.settings" else ["test_*.py"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TuningServer]:
    with tuning_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def idle_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TuningServer]:
    """An api without a tuner: jobs stay where they are."""
    with tuning_server(tmp_path_factory.mktemp("idle"), tuner=False) as running:
        yield running


@pytest.fixture(scope="session")
def key(server: TuningServer) -> str:
    return server.api_key("ada@example.com")


@pytest.fixture(scope="session")
def idle_key(idle_server: TuningServer) -> str:
    return idle_server.api_key("ada@example.com")
