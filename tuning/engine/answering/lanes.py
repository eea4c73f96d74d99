"""Whose question is answered next, and where: the lanes of the inference child. Knows nothing of llama.cpp.

llama.cpp computes the answers of one adapter together and lets those of every other wait until these have ended, so a
lane has one model (a base with an adapter) at a time. While one model is asked alone, its answers are made in the wide
lane, which has all threads. When several are asked, each narrow lane has half of the threads and a model of its own:
two halves give more together than the whole does in turns, and much more than the whole beside a half does. So the
wide lane stays closed for ``LATELY`` after somebody asked another model.

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

CONTEXTS = {WIDE: 2, **dict.fromkeys(NARROW, 1)}
"""For how many whole contexts of its model a lane has memory. One question may need one; the usual ones need little."""

SLOTS = 8
"""Answers that a lane makes at once."""

PATIENCE = 2.0
"""Seconds for which questions that fit may overtake one that does not: they keep the batches full."""

LATELY = 5.0
"""Seconds after an answer for which its model counts as asked beside others."""

LOOK_UP = 0.2
"""Seconds between two looks at whether a waiting caller is still there."""


@dataclass(eq=False, slots=True)
class Ticket:
    """A question: to which model, how many tokens it may come to with its answer, of how many at most, and whose."""

    model: Hashable
    tokens: int
    context: int
    asker: str
    since: float = field(default_factory=time.monotonic)
    lane: int | None = None

    @property
    def is_impatient(self) -> bool:
        return time.monotonic() - self.since > PATIENCE


class Lanes:
    """Who waits, who is answered in which lane, and which models were asked lately."""

    def __init__(self) -> None:
        self._waiting: list[Ticket] = []
        self._running: list[Ticket] = []
        self._lately: dict[Hashable, float] = {}
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
                self._leave(ticket)
                self._admit()

    def _turn(self, ticket: Ticket, listening: Callable[[], bool]) -> int | None:
        with self._changed:
            while ticket.lane is None and listening():
                self._changed.wait(LOOK_UP)
            return ticket.lane

    def _leave(self, ticket: Ticket) -> None:
        if ticket.lane is None:
            self._waiting.remove(ticket)
        else:
            self._running.remove(ticket)
            self._lately[ticket.model] = time.monotonic()

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
        possible = (WIDE,) if self._is_alone(ticket) else NARROW
        lanes = [lane for lane in possible if self._fits(ticket, lane) and self._is_open(lane)]
        return max(lanes, key=lambda lane: len(self._inside(lane)), default=None)

    def _is_alone(self, ticket: Ticket) -> bool:
        past = time.monotonic() - LATELY
        self._lately = {model: ended for model, ended in self._lately.items() if ended > past}
        return {ticket.model} >= {*self._lately, *(other.model for other in self._running)}

    def _fits(self, ticket: Ticket, lane: int) -> bool:
        inside = self._inside(lane)
        # A lane without memory for another token would break off all its answers, so each reserves what it may need.
        tokens = sum(other.tokens for other in inside) + ticket.tokens
        same = all(other.model == ticket.model for other in inside)
        return same and len(inside) < SLOTS and tokens <= CONTEXTS[lane] * ticket.context

    def _is_open(self, lane: int) -> bool:
        """Two lanes at once, no more: while the wide one ends its answers, there are too few processors for three."""
        return len({other.lane for other in self._running} | {lane}) <= len(NARROW)

    def _inside(self, lane: int) -> list[Ticket]:
        return [ticket for ticket in self._running if ticket.lane == lane]
