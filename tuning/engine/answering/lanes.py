"""Whose question is answered next, and where: the lanes of one base model. Knows nothing of llama.cpp.

llama.cpp computes the answers of one adapter together and lets those of every other wait until these have ended, so a
lane has one adapter at a time. While one adapter is asked alone, its answers are made in the wide lane, which has all
threads. When several are asked, each narrow lane has half of the threads and an adapter of its own: two halves give
more together than the whole does in turns.

What holds for whoever waits: people take turns, so that the first question of one is behind no second question of
another; and nobody is overtaken for longer than ``PATIENCE``, so that a question waits at worst for the answers
that were under way by then in one lane.
"""

import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition

WIDE = 0
NARROW = (1, 2)

SLOTS = 8
"""Answers that a lane makes at once."""

PATIENCE = 2.0
"""Seconds for which questions that fit may overtake one that does not: they keep the batches full."""

LOOK_UP = 0.2
"""Seconds between two looks at whether a waiting caller is still there."""


@dataclass(eq=False, slots=True)
class Ticket:
    """A question: to which adapter, how many tokens it may come to with its answer, and whose it is."""

    adapter: Hashable
    tokens: int
    asker: str
    since: float = field(default_factory=time.monotonic)
    lane: int | None = None

    @property
    def is_impatient(self) -> bool:
        return time.monotonic() - self.since > PATIENCE


class Lanes:
    """The lanes of a base model; ``sizes`` are the tokens that each has memory for."""

    def __init__(self, sizes: dict[int, int]) -> None:
        self._sizes = sizes
        self._waiting: list[Ticket] = []
        self._running: list[Ticket] = []
        self._changed = Condition()

    @contextmanager
    def place(self, ticket: Ticket, listening: Callable[[], bool]) -> Iterator[int | None]:
        """A place for ``ticket`` as soon as there is one: its lane. ``None`` where nobody listens any more."""
        with self._changed:
            self._waiting.append(ticket)
            self._admit()
        try:
            yield self._turn(ticket, listening)
        finally:
            with self._changed:
                (self._waiting if ticket.lane is None else self._running).remove(ticket)
                self._admit()

    def _turn(self, ticket: Ticket, listening: Callable[[], bool]) -> int | None:
        with self._changed:
            while ticket.lane is None and listening():
                self._changed.wait(LOOK_UP)
            return ticket.lane

    def _admit(self) -> None:
        for ticket in self._order():
            ticket.lane = self._lane_for(ticket)
            if ticket.lane is not None:
                self._waiting.remove(ticket)
                self._running.append(ticket)
            elif ticket.is_impatient:
                break
        self._changed.notify_all()

    def _order(self) -> list[Ticket]:
        """Everybody's first before anybody's second; what is being answered counts."""
        turns = Counter(ticket.asker for ticket in self._running)
        ranked = []
        for number, ticket in enumerate(self._waiting):
            ranked.append((turns[ticket.asker], number))
            turns[ticket.asker] += 1
        return [self._waiting[number] for _, number in sorted(ranked)]

    def _lane_for(self, ticket: Ticket) -> int | None:
        alone = all(other.adapter == ticket.adapter for other in self._running)
        lanes = [lane for lane in ((WIDE,) if alone else NARROW) if self._fits(ticket, lane) and self._is_open(lane)]
        return max(lanes, key=lambda lane: len(self._inside(lane)), default=None)

    def _fits(self, ticket: Ticket, lane: int) -> bool:
        inside = self._inside(lane)
        # A lane without memory for another token would break off all its answers, so each reserves what it may need.
        tokens = sum(other.tokens for other in inside) + ticket.tokens
        same = all(other.adapter == ticket.adapter for other in inside)
        return same and len(inside) < SLOTS and tokens <= self._sizes[lane]

    def _is_open(self, lane: int) -> bool:
        """Two lanes at once, no more: while the wide one ends its answers, there are too few processors for three."""
        return len({other.lane for other in self._running} | {lane}) <= len(NARROW)

    def _inside(self, lane: int) -> list[Ticket]:
        return [ticket for ticket in self._running if ticket.lane == lane]
