"""What a service tells of its queue, asked for a person no more often than its answer can be of use.

Everybody who looks has the room renewed all the time, so an answer serves for a while, and a service that gave none
is left alone by all but one.
"""

from django.core.cache import cache

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from tuning.errors import ServiceError, Unavailable
from tuning.providers import Queue, QueueState

FRESH = 2
"""Seconds for which an answer serves whoever looks as the same person."""
SILENT = 10
"""Seconds after which a service that gave no answer is asked again, by one of those who look."""
KEPT = 60
"""Seconds for which an answer, or that there was none, is shown while somebody else asks anew."""


def state(user: User, connection: Connection, queue: Queue) -> QueueState:
    """The queue of ``connection`` as ``user`` may see it. Raises ``ServiceError``, the same again where the service
    was silent a moment ago.
    """
    silent, known = _silent(connection), _known(user, connection)
    error: ServiceError | None = cache.get(silent)
    if error and not cache.add(f"{silent}:asked", True, SILENT):
        raise error
    last: QueueState | None = cache.get(known)
    if not cache.add(f"{known}:asked", True, KEPT) and last:
        return last
    try:
        told = queue.queue()
    except ServiceError as refused:
        cache.delete(f"{known}:asked")
        if isinstance(refused, Unavailable):
            cache.set(f"{silent}:asked", True, SILENT)
            cache.set(silent, refused, KEPT)
        raise
    cache.delete(silent)
    cache.set(known, told, KEPT)
    cache.set(f"{known}:asked", True, FRESH)
    return told


def forget(user: User, connection: Connection) -> None:
    """Have ``user`` see at once what they changed."""
    cache.delete_many([_known(user, connection), f"{_known(user, connection)}:asked"])


def _known(user: User, connection: Connection) -> str:
    return f"queue:{connection.pk}:{connection.address}:{user.pk}"


def _silent(connection: Connection) -> str:
    return f"queue-silent:{connection.pk}:{connection.address}"
