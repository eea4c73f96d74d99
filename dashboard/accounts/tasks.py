"""What the worker does for people's accounts."""

from django.core.mail import send_mail
from django_tasks import task


@task()
def post(subject: str, body: str, to: str) -> None:
    """Send a mail from Tuneboard to ``to``."""
    send_mail(subject, body, None, [to])
