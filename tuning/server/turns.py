"""Whose turn it is: in which order the waiting jobs are claimed, and after how much work of others.

A higher priority goes first. Within one, a job that lost its tuner goes on before another begins; then comes the job
of the owner who has the fewest running, and among those of the one whose last turn is longest ago. An owner's own
jobs keep the order of their creation. So whoever has a thousand jobs waits for their turn as others do.
"""

import sys
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from heapq import heapify, heappop, heappush
from itertools import count
from typing import NamedTuple

from django.db.models import F, FilteredRelation, Q
from django.db.models.functions import Now

from tuning.jobs import JobState
from tuning.resources import Role
from tuning.server.models import Job, JobQuerySet, Turn

Head = tuple[tuple[int, bool], int, int, int, int, str]
"""What an owner's next job is lined up by: urgency, the owner's running jobs and last turn, age; then the number of
the entry, and the owner.
"""


class Waiting(NamedTuple):
    """A job that may be claimed. ``work`` is how often an example will be looked at."""

    pk: int
    owner: str
    base: str
    urgency: tuple[int, bool]
    """What comes before an owner's turn, the smaller the sooner: the priority, and whether it has not begun."""
    work: int


class Running(NamedTuple):
    """A job under way; ``left`` is how often an example will still be looked at."""

    owner: str
    left: int


def waiting() -> list[Waiting]:
    """Every job that may be claimed now, the oldest first."""
    columns = ("pk", "owned__email", "base", "priority", "attempt", "total_steps", "batch_size")
    rows = _owned(Job.objects.claimable()).order_by("created", "pk").values_list(*columns)
    return [
        Waiting(pk, owner or "", base, (-priority, attempt == 0), steps * batch)
        for pk, owner, base, priority, attempt, steps, batch in rows
    ]


def running() -> list[Running]:
    """The jobs in the hands of tuners that are alive."""
    alive = Job.objects.filter(state=JobState.RUNNING, lease_until__gte=Now())
    rows = _owned(alive).values_list("owned__email", F("total_steps") - F("completed_steps"), "batch_size")
    return [Running(owner or "", max(steps, 0) * batch) for owner, steps, batch in rows]


def order(slots: int = sys.maxsize) -> Iterator[tuple[Waiting, int]]:
    """The waiting jobs in the order of their turns when ``slots`` jobs can run at once, each with the work that a
    slot does before its turn comes. Without a limit the first is the one to be claimed now.
    """
    jobs = waiting()  # first: a job claimed meanwhile is then seen as waiting or as running, not as neither
    return Rota(jobs, running(), dict(Turn.objects.values_list("owner", "last"))).order(max(slots, 1))


class Rota:
    """What is known of the waiting and the running jobs, to be played through once."""

    def __init__(self, jobs: Iterable[Waiting], runs: Iterable[Running], turns: Mapping[str, datetime]) -> None:
        self._queues: dict[str, deque[tuple[int, Waiting]]] = defaultdict(deque)
        for age, job in sorted(enumerate(jobs), key=lambda aged: aged[1].urgency):
            self._queues[job.owner].append((age, job))
        self._number = count()
        self._runs = [(run.left, next(self._number), run.owner) for run in runs]
        heapify(self._runs)
        self._running = Counter(owner for *_, owner in self._runs)
        self._turns = {owner: rank for rank, owner in enumerate(sorted(turns, key=turns.__getitem__), start=1)}
        self._next_turn = count(len(turns) + 1)
        self._heads: list[Head] = []
        self._entries: dict[str, int] = {}

    def order(self, slots: int) -> Iterator[tuple[Waiting, int]]:
        """As :func:`order`."""
        clock = 0
        for owner in self._queues:
            self._enter(owner)
        for _ in range(sum(map(len, self._queues.values()))):
            while len(self._runs) >= slots:
                clock, _, owner = heappop(self._runs)
                self._running[owner] -= 1
                self._enter(owner)
            job = self._take()
            heappush(self._runs, (clock + job.work, next(self._number), job.owner))
            yield job, clock

    def _take(self) -> Waiting:
        """The job whose turn it is, which runs from now on."""
        owner = next(owner for *_, entry, owner in self._sooner() if entry == self._entries[owner])
        _, job = self._queues[owner].popleft()
        self._running[owner] += 1
        self._turns[owner] = next(self._next_turn)
        self._enter(owner)
        return job

    def _sooner(self) -> Iterator[Head]:
        while True:
            yield heappop(self._heads)

    def _enter(self, owner: str) -> None:
        """Line ``owner`` up by what is so now; an entry made before counts no longer."""
        self._entries[owner] = entry = next(self._number)
        if queue := self._queues.get(owner):
            age, job = queue[0]
            heappush(self._heads, (job.urgency, self._running[owner], self._turns.get(owner, 0), age, entry, owner))


def _owned(jobs: JobQuerySet) -> JobQuerySet:
    return jobs.annotate(owned=FilteredRelation("permissions", condition=Q(permissions__role=Role.OWNER)))
