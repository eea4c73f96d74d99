"""The rooms' surroundings: somebody signed in, and a real tuning server with the tiny model."""

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from dashboard.accounts.models import User
from tests.factories import UserFactory
from tests.processes import TuningServer, free_port, tuning_server


@pytest.fixture
def alice(db: None) -> User:
    return UserFactory(email="alice@example.com")


@pytest.fixture
def browser(client: Client, alice: User) -> Client:
    """Alice, signed in."""
    client.force_login(alice)
    return client


@pytest.fixture(scope="session")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TuningServer]:
    with tuning_server(tmp_path_factory.mktemp("tuning")) as server:
        yield server


@pytest.fixture
def server(running_server: TuningServer, settings: Settings) -> TuningServer:
    """A tuning server with the tiny model, which the local connection leads to."""
    settings.TUNING_SERVER_URL = running_server.url
    settings.TUNING_SECRET = running_server.secret
    return running_server


@pytest.fixture
def no_server(settings: Settings) -> None:
    """Nobody listens where the tuning server should be."""
    settings.TUNING_SERVER_URL = f"http://127.0.0.1:{free_port()}"
