"""A service that all ask in one name: it judges nobody, so what is one's own the dashboard tells."""

import pytest
from django.test import Client

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.jobs.models import Job
from dashboard.library.models import Role
from dashboard.retiring import removing, tasks
from dashboard.retiring.models import Removal
from dashboard.sharing import mirror
from tests.factories import TunedModelFactory, UserFactory
from tests.processes import TuningServer
from tests.tuning.server.bodies import body
from tuning.errors import PermissionDenied

pytestmark = pytest.mark.django_db


@pytest.fixture
def shared(server: TuningServer) -> Connection:
    """Another server, reached by one key for all; a model that nobody here has lies there."""
    key = server.api_key("project@example.com")
    server.post(
        "/v1beta/tunedModels?tunedModelId=colleagues", key, json=body(epochs=1) | {"display_name": "Colleague’s"}
    )
    return Connection.objects.create(kind="gemini", name="All", base_url=server.url, secret=key)


def test_members_bring_in_nothing_that_may_be_anybodys(browser: Client, shared: Connection) -> None:
    assert "Colleague" not in browser.get("/jobs/import/").text
    browser.post(f"/jobs/import/{shared.pk}/", {"model": ["tunedModels/colleagues"]})
    assert not Job.objects.exists()
    browser.force_login(UserFactory(administrator=True))
    assert "Colleague" in browser.get("/jobs/import/").text


def test_own_grants_decide_there(browser: Client, alice: User, shared: Connection) -> None:
    """Whose key it is may share everything there: that says nothing of who asks."""
    model, bob = TunedModelFactory(owner=alice, connection=shared, name="tunedModels/colleagues"), UserFactory()
    assert mirror.keeper(model, alice) is None
    browser.post(f"/library/{model.pk}/sharing/add/", {"who": "person", "email": bob.email, "role": 1})
    assert model.role_of(bob) is Role.READER
    mirror.renew_quietly(model, alice)
    assert (model.role_of(bob), model.owner) == (Role.READER, alice)


def test_who_is_shut_out_shares_nothing_and_loses_nothing(alice: User, server: TuningServer) -> None:
    server.post("/v1beta/tunedModels?tunedModelId=left-there", server.api_key(alice.email), json=body(epochs=1))
    model = TunedModelFactory(owner=alice, name="tunedModels/left-there")
    Connection.objects.update(access=Connection.Access.ADMINISTRATORS)
    model.connection.refresh_from_db()
    with pytest.raises(PermissionDenied):
        mirror.keeper(model, alice)
    removing.remove(model, alice, alice)
    removing.hasten(model, alice)
    tasks.purge.call(model.pk)
    assert not Removal.objects.exists()
    assert server.get("/v1beta/tunedModels/left-there", server.api_key(alice.email)).status_code == 404
