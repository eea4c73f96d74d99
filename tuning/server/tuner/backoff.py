"""When a child that died may be started again."""

import time

LONGEST_PAUSE = 60.0
HEALTHY_SECONDS = 60.0
"""A child that lived for so long was well: its death is the first again."""


class Backoff:
    """Half a second after the first failure, then 1, 2, 4 … up to :data:`LONGEST_PAUSE` seconds."""

    def __init__(self) -> None:
        self.failures = 0
        self._not_before = 0.0
        self._started = 0.0

    def due(self) -> bool:
        return time.monotonic() >= self._not_before

    def started(self) -> None:
        self._started = time.monotonic()

    def failed(self) -> None:
        now = time.monotonic()
        self.failures = 1 if now - self._started > HEALTHY_SECONDS else self.failures + 1
        self._not_before = now + min(2.0 ** (self.failures - 2), LONGEST_PAUSE)

    def succeeded(self) -> None:
        self.failures = 0
