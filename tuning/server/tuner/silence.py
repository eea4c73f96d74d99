"""How long a child has said nothing."""

import time

ABSENT = 5.0
"""Seconds of a single turn that count at most: a supervisor that was paused must not take its own absence for the
child's."""


class Silence:
    """To be asked every turn. ``seconds`` are how long it may last; 0 is for ever."""

    def __init__(self, seconds: float) -> None:
        self._allowed = seconds
        self._lasted = 0.0
        self._asked = time.monotonic()

    def broken(self) -> None:
        """The child was heard."""
        self._lasted = 0.0

    def too_long(self) -> bool:
        now = time.monotonic()
        self._lasted += min(now - self._asked, ABSENT)
        self._asked = now
        return 0 < self._allowed < self._lasted
