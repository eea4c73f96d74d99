"""What :class:`tuning.providers.Sharer` and :class:`tuning.providers.Editor` promise, held against a real service."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.processes import TuningServer, tuning_server
from tests.tuning.server.bodies import body
from tuning.errors import AlreadyExists, InvalidRequest, NotFound, PermissionDenied, ServiceError
from tuning.providers import ConnectionSettings, Editor, Grantee, Identity, Permission, Presentation, Role, Sharer
from tuning.providers.local import LocalProvider

pytestmark = pytest.mark.engine

NOBODY = "tunedModels/nobody"


@pytest.fixture(scope="module")
def service(tmp_path_factory) -> Iterator[TuningServer]:
    with tuning_server(tmp_path_factory.mktemp("sharing")) as running:
        yield running


def speaking_for(service: TuningServer, name: str, *teams: str) -> LocalProvider:
    settings = ConnectionSettings(base_url=service.url, secret=service.secret)
    return LocalProvider(settings, Identity(email=f"{name}@example.com", teams=teams))


@pytest.fixture
def ada(service) -> LocalProvider:
    return speaking_for(service, "ada")


@pytest.fixture
def bob(service) -> LocalProvider:
    return speaking_for(service, "bob")


@pytest.fixture
def model(service, request) -> str:
    """A model of Ada's, of this test alone."""
    name = request.node.name.replace("_", "-").partition("[")[0][:40].rstrip("-")
    service.post(f"/v1beta/tunedModels?tunedModelId={name}", service.api_key("ada@example.com"), json=body(epochs=1))
    return f"tunedModels/{name}"


def everybody(provider: LocalProvider, model: str) -> set[tuple[Grantee, str, Role]]:
    return {(one.grantee, one.address, one.role) for one in provider.permissions(model)}


ADAS = (Grantee.PERSON, "ada@example.com", Role.OWNER)


def test_it_is_both(ada):
    assert isinstance(ada, Sharer)
    assert isinstance(ada, Editor)
    assert ada.capabilities.permissions


def test_roles_are_given_seen_changed_and_taken_back(ada, bob, model):
    assert everybody(ada, model) == {ADAS}
    given = ada.share(model, Grantee.PERSON, "Bob@Example.com", Role.READER)
    assert given == Permission(ref=given.ref, grantee=Grantee.PERSON, address="bob@example.com", role=Role.READER)
    assert bob.presentation(model)
    assert ada.change_role(given.ref, Role.WRITER).role is Role.WRITER
    assert everybody(bob, model) == {ADAS, (Grantee.PERSON, "bob@example.com", Role.WRITER)}
    ada.unshare(given.ref)
    ada.unshare(given.ref)
    with pytest.raises((NotFound, PermissionDenied)):
        bob.presentation(model)


def test_a_team_has_what_its_members_use(service, ada, bob, model):
    ada.share(model, Grantee.TEAM, "engines@teams.tuneboard", Role.WRITER)
    member = speaking_for(service, "carol", "engines@teams.tuneboard")
    assert (Grantee.TEAM, "engines@teams.tuneboard", Role.WRITER) in everybody(member, model)
    with pytest.raises((NotFound, PermissionDenied)):
        bob.presentation(model)


def test_everyone_reads_and_no_more(ada, bob, model):
    with pytest.raises(InvalidRequest):
        ada.share(model, Grantee.EVERYONE, "", Role.WRITER)
    ada.share(model, Grantee.EVERYONE, "", Role.READER)
    assert bob.presentation(model)
    with pytest.raises(PermissionDenied):
        bob.permissions(model)


def test_ownership_is_given_away_whole(ada, bob, model):
    with pytest.raises(InvalidRequest):
        ada.share(model, Grantee.PERSON, "bob@example.com", Role.OWNER)
    ada.transfer(model, "bob@example.com")
    roles = {(Grantee.PERSON, "ada@example.com", Role.WRITER), (Grantee.PERSON, "bob@example.com", Role.OWNER)}
    assert everybody(bob, model) == roles
    with pytest.raises(PermissionDenied):
        ada.transfer(model, "ada@example.com")


def test_one_grantee_has_one_role_and_the_owners_is_fixed(ada, model):
    ada.share(model, Grantee.PERSON, "bob@example.com", Role.READER)
    with pytest.raises(AlreadyExists) as taken:
        ada.share(model, Grantee.PERSON, "bob@example.com", Role.WRITER)
    assert taken.value.code == "permission_exists"
    (owners,) = [one.ref for one in ada.permissions(model) if one.role is Role.OWNER]
    for change in (lambda: ada.change_role(owners, Role.READER), lambda: ada.unshare(owners)):
        with pytest.raises(InvalidRequest) as refused:
            change()
        assert refused.value.code == "owner_fixed"


def test_a_model_is_presented_anew_field_by_field(ada, model):
    before = ada.presentation(model)
    ada.present(model, {"display_name": "Numbers", "description": "Counts on.", "temperature": 0.0, "top_k": 3})
    now = ada.presentation(model)
    assert now == Presentation(
        display_name="Numbers", description="Counts on.", temperature=0.0, top_p=before.top_p, top_k=3
    )
    cleared = ada.present(model, {"description": "", "temperature": None, "top_k": None})
    assert (cleared.description, cleared.display_name) == ("", "Numbers")
    assert (cleared.temperature, cleared.top_k) == (before.temperature, before.top_k)


def test_a_value_that_the_service_does_not_take_is_refused(ada, model):
    for change in ({"temperature": 7.0}, {"display_name": "x" * 41}, {"state": 2}):
        with pytest.raises(InvalidRequest):
            ada.present(model, change)


def test_readers_present_nothing(ada, bob, model):
    ada.share(model, Grantee.PERSON, "bob@example.com", Role.READER)
    with pytest.raises(PermissionDenied):
        bob.present(model, {"display_name": "Mine"})


@pytest.mark.parametrize("name", [NOBODY, "tunedModels/../x", "", "tunedModels/x/permissions/y:z"])
def test_only_service_errors_are_raised_for_what_is_not_there(ada, name):
    for ask in (
        lambda: ada.permissions(name),
        lambda: ada.share(name, Grantee.EVERYONE, "", Role.READER),
        lambda: ada.change_role(name, Role.READER),
        lambda: ada.unshare(name),
        lambda: ada.transfer(name, "bob@example.com"),
        lambda: ada.presentation(name),
        lambda: ada.present(name, {"description": ""}),
    ):
        with suppress(ServiceError):
            ask()
