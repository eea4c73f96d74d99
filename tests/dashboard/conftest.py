"""The rooms' surroundings: somebody signed in, and a real tuning server with the tiny model."""

import json
from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from tests.factories import UserFactory
from tests.google.cloud import Cloud, google_cloud
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


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """The stand-in for Google Cloud."""
    with google_cloud() as running:
        yield running


@pytest.fixture
def vertex(db: None, cloud: Cloud) -> Connection:
    """Leads to it, with a service account."""
    return Connection.objects.create(
        kind="vertex",
        name="Our project",
        base_url=cloud.url,
        project=cloud.project,
        location=cloud.location,
        bucket=cloud.bucket,
        proof=Connection.Proof.SERVICE_ACCOUNT,
        service_account=json.dumps(cloud.tokens.service_account(cloud.url)),
    )
