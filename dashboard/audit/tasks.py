"""What the worker does for the audit log: it lets go of what was kept long enough, and asks which keys were used."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from dashboard.audit.models import Entry
from dashboard.keys import using


@db_periodic_task(crontab(minute="17"))  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Each hour, though what is too old is so by whole days: a laptop may be asleep at midnight."""
    if settings.AUDIT_KEPT_DAYS:
        today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
        Entry.objects.sweep(today - timedelta(days=settings.AUDIT_KEPT_DAYS))


@db_periodic_task(crontab(minute="47"))  # type: ignore[untyped-decorator]
def note_key_use() -> None:
    """Each hour: the tuning server says when a key was used last, not how often or from where."""
    using.note()
