"""Every method of the API through every client of Google's that knows it."""

from collections.abc import Callable

import pytest

from tests.conformance.clients import CLIENTS, Client
from tests.processes import TuningServer

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]  # a client's first check installs it and spends its day

EVERY = [
    pytest.param(client, method, id=f"{client.name}: {method}") for client in CLIENTS for method in client.methods()
]


@pytest.mark.parametrize(("client", "method"), EVERY)
def test_method_works(
    day_of: Callable[[Client], dict[str, str]],
    client: Client,
    method: str,
    record_property: Callable[[str, str], None],
) -> None:
    record_property("client", client.name)
    record_property("method", method)
    if problem := day_of(client)[method]:
        pytest.fail(problem, pytrace=False)


def test_server_has_nothing_to_be_sorry_for(server: TuningServer) -> None:
    assert "Traceback" not in server.log()
