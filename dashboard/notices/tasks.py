"""What the worker does for notices each minute: find out what nobody was told yet, and send what is due.

As for jobs, the rows say what is still to do; a task that is lost, or run twice, changes nothing.
"""

from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from dashboard.notices import events
from dashboard.notices.models import Delivery


@db_periodic_task(crontab(minute="*"))  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Each minute."""
    events.sweep()
    Delivery.objects.end_lost()
    if Delivery.objects.due().exists():
        events.send()
