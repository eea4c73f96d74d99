"""What a sweep will take, all its jobs together."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dashboard.connections.models import Connection
from dashboard.datasets.models import DatasetVersion
from dashboard.jobs.estimates import estimates
from tuning.recipes import Recipe


@dataclass(frozen=True, slots=True)
class Total:
    """Jobs and steps are exact; the seconds lie between ``low`` and ``high``, one job running after the other. What
    nobody can know yet is ``None``.
    """

    jobs: int
    steps: int | None
    low: float | None
    high: float | None
    calibrated: bool

    def kept(self) -> dict[str, Any]:
        """As a database keeps it."""
        return asdict(self)


def total(version: DatasetVersion, connection: Connection, base_model: str, recipes: Sequence[Recipe]) -> Total:
    """What tuning on ``version`` by each of ``recipes`` will take."""
    each = estimates(version, connection, base_model, recipes)
    low, high = _sum(one.low for one in each), _sum(one.high for one in each)
    steps = _sum(one.steps for one in each)
    return Total(len(each), None if steps is None else int(steps), low, high, all(one.calibrated for one in each))


def _sum(told: Iterable[float | None]) -> float | None:
    known = list(told)
    return None if None in known else sum(filter(None, known))
