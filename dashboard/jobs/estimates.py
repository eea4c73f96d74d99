"""How long a job will take, judged by the jobs this dashboard has seen.

A step costs something for itself and something for each byte of text it reads; earlier jobs of the same base model
at the same connection say how much faster or slower the machine at hand is than the one the figures came from.
"""

from dataclasses import dataclass
from statistics import median

from dashboard.connections.models import Connection
from dashboard.datasets.models import DatasetVersion
from dashboard.jobs.models import Job
from tuning.jobs import total_steps
from tuning.recipes import Recipe, held_out

START_SECONDS = 4.0
STEP_SECONDS = 0.25
BYTE_SECONDS = 0.001
"""SmolLM2-135M, LoRA, two cores; a GPU shows in the calibration after one job."""

JOBS_ASKED = 5


@dataclass(frozen=True, slots=True)
class Estimate:
    """Steps are exact. ``calibrated`` tells whether earlier jobs stand behind the seconds."""

    steps: int
    seconds: float
    calibrated: bool


def estimate(version: DatasetVersion, connection: Connection, base_model: str, recipe: Recipe) -> Estimate:
    """What tuning on ``version`` will take."""
    learnt_from = version.examples - held_out(version.examples, recipe.validation)
    steps = total_steps(learnt_from, recipe.epoch_count, recipe.batch_size)
    pace = _pace(connection, base_model)
    seconds = START_SECONDS + _uncalibrated(version, recipe.epoch_count, steps) * (pace or 1.0)
    return Estimate(steps, seconds, pace is not None)


def _uncalibrated(version: DatasetVersion, epoch_count: int, steps: int) -> float:
    return steps * STEP_SECONDS + epoch_count * version.size * BYTE_SECONDS


def _pace(connection: Connection, base_model: str) -> float | None:
    """Seconds needed per second assumed, over the last jobs; ``None`` while there is none."""
    finished = Job.objects.finished_well().filter(connection=connection, base_model=base_model)
    recent = finished.exclude(started=None).select_related("dataset_version")[:JOBS_ASKED]
    return median(map(_needed, recent)) if recent else None


def _needed(job: Job) -> float:
    assert job.started is not None
    assert job.finished is not None
    assumed = _uncalibrated(job.dataset_version, job.epoch_count, job.total_steps)
    return max((job.finished - job.started).total_seconds() - START_SECONDS, 0.5) / assumed
