"""Removing a connection with all that is known of it here. The service loses nothing but our permission to ask it."""

import time
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from dashboard import audit
from dashboard.connections import tokens
from dashboard.connections.models import Connection
from dashboard.jobs.removing import forget_all

AT_ONCE = 200
"""Jobs that are forgotten in one transaction, so that nobody else waits for long to write."""
PATIENCE = timedelta(seconds=5)
"""For so long whoever removes a connection waits; the worker does the rest."""


def remove(connection: Connection, by: Any) -> bool:
    """Close the connection to everybody, then forget it with its jobs and models. False where that still goes on."""
    with transaction.atomic():
        hanging = {"jobs": connection.jobs.count(), "models": connection.tuned_models.count()}
        if not Connection.objects.filter(pk=connection.pk, removed=None).update(removed=timezone.now()):
            return False
        audit.record(by, "connection.removed", connection, **hanging)
    return go_on(connection, by, PATIENCE)


def go_on(connection: Connection, by: Any, patience: timedelta) -> bool:
    """Forget more of a connection that was removed: first what people allowed us there, the connection itself last.
    False where ``patience`` ended before that. Whoever is killed over it, or does it twice, does no harm.
    """
    until = time.monotonic() + patience.total_seconds()
    for account in connection.accounts.select_related("connection"):
        tokens.forget(account, by)
        if time.monotonic() > until:
            return False
    while some := list(connection.tuned_models.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        connection.tuned_models.filter(pk__in=some).delete()
        if time.monotonic() > until:
            return False
    while some := list(connection.jobs.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        with transaction.atomic():
            forget_all(connection.jobs.filter(pk__in=some))
        if time.monotonic() > until:
            return False
    connection.delete()
    return True


def disconnect_all(connection: Connection, by: Any) -> None:
    """Take back what everybody allowed us there: it was allowed for what the connection was until now."""
    for account in connection.accounts.select_related("connection"):
        tokens.forget(account, by)
