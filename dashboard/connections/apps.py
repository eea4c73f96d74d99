from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ConnectionsConfig(AppConfig):
    name = "dashboard.connections"

    def ready(self) -> None:
        post_migrate.connect(make_local_connection, sender=self)


def make_local_connection(**_signal: Any) -> None:
    """See that this machine's own tuning server has its row, after every ``migrate``."""
    from dashboard.connections.models import Connection  # noqa: PLC0415 - models load after apps

    Connection.objects.get_or_create(built_in=True, defaults={"name": "This machine"})
