"""What the address of a comparison says: which jobs, and how they are looked at.

Everything in it is anybody's writing: what makes no sense is left out, never an error.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.http import QueryDict

MOST_JOBS = 20
MOST_READ = 2_000
"""Characters of a list that are looked at."""
AXES = ("step", "epoch", "relative", "wall")
SCALES = ("linear", "log")
SMOOTHING = 0.6
MOST_SMOOTHING = 0.99


@dataclass(frozen=True, slots=True)
class Asked:
    """One way to look at jobs. The link made of it shows the same again."""

    jobs: tuple[int, ...]
    left_out: int = 0
    """Jobs beyond the most that can be compared."""
    x: str = "step"
    scale: str = "linear"
    smooth: float = SMOOTHING
    hidden: frozenset[int] = frozenset()
    sort: str = ""
    """A column's key, with a minus for the largest first; empty: in the order of ``jobs``."""
    together: int = 1
    """How many curves the chart shows, of which the ``jobs`` may be a few."""
    everything: bool = False
    """Whether the table shows settings in which the jobs do not differ."""

    @property
    def jobs_text(self) -> str:
        return ",".join(map(str, self.jobs))

    @property
    def hidden_text(self) -> str:
        return ",".join(str(pk) for pk in self.jobs if pk in self.hidden)


def asked(query: QueryDict) -> Asked:
    """What ``query`` asks for: ``jobs`` after ``add`` and ``remove``, ``x``, ``scale``, ``smooth`` and the rest."""
    gone = set(_numbers([query.get("remove", "")]))
    named = _numbers([*query.getlist("jobs"), query.get("add", "")])
    jobs = [pk for pk in named if pk not in gone]
    return Asked(
        jobs=tuple(jobs[:MOST_JOBS]),
        left_out=len(jobs[MOST_JOBS:]),
        x=_one_of(AXES, query.get("x")),
        scale=_one_of(SCALES, query.get("scale")),
        smooth=smoothing(query.get("smooth")),
        hidden=frozenset(_numbers(query.getlist("hidden"))),
        sort=query.get("sort", "")[:40],
        together=max([len(jobs[:MOST_JOBS]), *_numbers([query.get("together", "")])[:1]]),
        everything=bool(query.get("all")),
    )


def smoothing(said: str | None) -> float:
    """The average's memory, from 0 to 0.99."""
    if said is None or not re.fullmatch(r"[01]?\.?[0-9]{1,4}", said, re.ASCII):
        return SMOOTHING
    return min(float(said), MOST_SMOOTHING)


def _numbers(lists: Iterable[str]) -> list[int]:
    """The numbers in ``lists``, each once."""
    found = re.findall(r"(?<![0-9])[0-9]{1,15}(?![0-9])", ",".join(lists)[:MOST_READ], re.ASCII)
    return list(dict.fromkeys(map(int, found)))


def _one_of(choices: tuple[str, ...], said: str | None) -> str:
    return said if said in choices else choices[0]
