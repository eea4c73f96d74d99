"""Removing a connection with all that is known of it here. The service loses nothing but our permission to ask it."""

from typing import Any

from django.db import transaction

from dashboard import audit
from dashboard.connections import tokens
from dashboard.connections.models import Connection
from dashboard.jobs.removing import forget


def remove(connection: Connection, by: Any) -> None:
    """Take back what people allowed us there, then forget the connection with its jobs and models."""
    disconnect_all(connection, by)
    with transaction.atomic():
        hanging = {"jobs": connection.jobs.count(), "models": connection.tuned_models.count()}
        audit.record(by, "connection.removed", connection, **hanging)
        connection.tuned_models.all().delete()
        for job in connection.jobs.select_related("dataset_version"):
            forget(job)
        connection.delete()


def disconnect_all(connection: Connection, by: Any) -> None:
    """Take back what everybody allowed us there: it was allowed for what the connection was until now."""
    for account in connection.accounts.select_related("connection"):
        tokens.forget(account, by)
