"""What the worker does for connections that were removed."""

from datetime import timedelta

from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from dashboard.connections import removing
from dashboard.connections.models import Connection

A_ROUND = timedelta(seconds=50)


@db_periodic_task(crontab(minute="*"))  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Each minute, go on where somebody would have waited too long, or was interrupted."""
    for connection in Connection.objects.exclude(removed=None):
        removing.go_on(connection, None, A_ROUND)
