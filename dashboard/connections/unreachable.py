"""What is said of a connection that could not be asked."""

from dataclasses import replace

from django.urls import reverse
from django.utils.translation import gettext as _

from dashboard.connections.models import Connection
from dashboard.messages import Message, explain
from tuning.errors import ServiceError

MENDED = frozenset({"unauthenticated", "token_refused", "scope_missing"})
"""What connecting the account anew puts right."""


def explain_silence(connection: Connection, error: ServiceError) -> Message:
    """What is the matter, and what to do; where an account of the person's own is refused, that is to connect it."""
    message = explain(error)
    if error.code not in MENDED or not connection.wants_account:
        return message
    link = reverse("connections:connect", args=[connection.pk])
    return replace(message, link=link, link_text=_("Connect your account"))


def explain_by_name(connection: Connection, error: ServiceError) -> Message:
    """The same on a page that asks several connections: which one it is stands before it."""
    message = explain_silence(connection, error)
    return replace(message, title=f"{connection}: {message.title}")
