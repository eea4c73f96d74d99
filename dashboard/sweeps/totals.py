"""What a sweep will take, all its jobs together."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dashboard.connections.models import Connection
from dashboard.datasets.models import DatasetVersion
from dashboard.jobs.estimates import estimates
from tuning.recipes import Recipe


@dataclass(frozen=True, slots=True)
class Total:
    """Jobs and steps are exact; the seconds lie between ``low`` and ``high``, one job running after the other."""

    jobs: int
    steps: int
    low: float
    high: float
    calibrated: bool

    def kept(self) -> dict[str, Any]:
        """As a database keeps it."""
        return asdict(self)


def total(version: DatasetVersion, connection: Connection, base_model: str, recipes: Sequence[Recipe]) -> Total:
    """What tuning on ``version`` by each of ``recipes`` will take."""
    each = estimates(version, connection, base_model, recipes)
    low, high = sum(one.low for one in each), sum(one.high for one in each)
    return Total(len(each), sum(one.steps for one in each), low, high, all(one.calibrated for one in each))
