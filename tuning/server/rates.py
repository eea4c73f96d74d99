"""How often a key may ask: so many requests a minute, the same for all processes of the server together.

The count stands in the key's row, but not every request writes there: a process draws a block of permits by one
atomic UPDATE, a twentieth of the limit, and uses it up by itself. So no more requests pass than the limit says, and
what a process has drawn in vain is lost when the minute ends. People who come by the dashboard are not counted, nor
is the polling of operations, which :mod:`tuning.server.polls` slows down instead.
"""

import math
import time
from threading import Lock

from django.conf import settings
from django.db.models import Case, F, Q, When
from django.db.models.functions import Greatest

from tuning.assertions import Identity
from tuning.errors import Exhausted
from tuning.server.access import KeyHolder
from tuning.server.keys import ApiKey

WINDOW_SECONDS = 60
BLOCKS = 20
"""Writes that a minute's limit costs at most, and the part of it that one process may hold."""


class Permits:
    """The permits that this process has drawn for the present minute and not used."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._minute = 0
        self._left: dict[int, int] = {}
        self._spent: set[int] = set()
        """Keys whose row has no more to give: they are refused without asking again."""

    def take(self, key: int, limit: int, minute: int) -> bool:
        """Whether the key with this number may ask once more in ``minute`` (since 1970), and use that up."""
        with self._lock:
            self._turn_to(minute)
            if self._use(key):
                return True
            if key in self._spent:
                return False
        drawn = _draw(key, limit, minute)
        with self._lock:
            if minute == self._minute:
                self._left[key] = self._left.get(key, 0) + max(drawn - 1, 0)
                self._spent |= set() if drawn else {key}
        return drawn > 0

    def _turn_to(self, minute: int) -> None:
        if minute > self._minute:
            self._minute = minute
            self._left.clear()
            self._spent.clear()

    def _use(self, key: int) -> bool:
        left = self._left.get(key, 0)
        self._left[key] = max(left - 1, 0)
        return left > 0


PERMITS = Permits()


def count(caller: Identity) -> None:
    """Count a request of ``caller``. Raises ``Exhausted`` when it is one too many for this minute."""
    limit = settings.REQUESTS_A_MINUTE
    if not (limit and isinstance(caller, KeyHolder)):
        return
    now = time.time()
    if not PERMITS.take(caller.key, limit, int(now // WINDOW_SECONDS)):
        wait = math.ceil(WINDOW_SECONDS - now % WINDOW_SECONDS)
        raise Exhausted("rate_limit_exceeded", retry_after=wait, requests_per_minute=limit)


def _draw(key: int, limit: int, minute: int) -> int:
    """Permits from the key's row; 0 when the minute's are all given out."""
    block = max(1, limit // BLOCKS)
    earlier = Q(window__lt=minute)
    drawn = ApiKey.objects.filter(earlier | Q(drawn__lte=limit - block), pk=key).update(
        drawn=Case(When(earlier, then=block), default=F("drawn") + block), window=Greatest(F("window"), minute)
    )
    return block if drawn else 0
