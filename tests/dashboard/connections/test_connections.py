"""The tuning services people here can use."""

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import IntegrityError

from dashboard.connections.models import Connection
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_this_machine_is_there_after_migrate() -> None:
    local = Connection.objects.local()
    assert str(local) == "This machine"
    assert list(Connection.objects.usable_by(UserFactory())) == [local]


def test_this_machine_is_not_made_twice() -> None:
    call_command("migrate", verbosity=0)
    assert Connection.objects.count() == 1
    with pytest.raises(IntegrityError):
        Connection.objects.create(name="Another", built_in=True)


def test_this_machine_follows_a_changed_port(settings: LazySettings) -> None:
    settings.TUNING_SERVER_URL = "http://127.0.0.1:9999"
    assert Connection.objects.local().address == "http://127.0.0.1:9999"


def test_this_machine_comes_first_among_the_choices() -> None:
    Connection.objects.create(name="A GPU in the cellar", base_url="http://10.0.0.5:8001")
    names = [connection.name for connection in Connection.objects.usable_by(UserFactory())]
    assert names == ["This machine", "A GPU in the cellar"]


def test_connection_opens_its_service_for_a_person() -> None:
    provider = Connection.objects.local().open_for(UserFactory())
    assert provider.capabilities.cancel


def test_secret_is_in_no_representation(settings: LazySettings) -> None:
    connection = Connection.objects.local()
    provider = connection.open_for(UserFactory())
    assert settings.TUNING_SECRET not in f"{connection!r} {vars(connection)} {provider!r}"
