"""What the worker does for people's accounts."""

from django.contrib.sessions.backends.db import SessionStore
from django.core.mail import send_mail
from django_tasks import task
from huey import crontab
from huey.contrib.djhuey import db_periodic_task


@db_periodic_task(crontab(minute="27"))  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Forget the sessions that are over, each hour: also of those who set out to a provider and never came back."""
    SessionStore.clear_expired()


@task()
def post(subject: str, body: str, to: str) -> None:
    """Send a mail from Tuneboard to ``to``."""
    send_mail(subject, body, None, [to])
