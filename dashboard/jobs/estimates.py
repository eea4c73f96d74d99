"""How long a job will take, judged by the jobs this dashboard has seen.

A step costs something for itself and something for each byte of text it reads; earlier jobs of the same base model
at the same connection say how much faster or slower the machine at hand is than the one the figures came from, and
how long it takes to begin and to end. Each of them foretells the new job; the middle of what they say is the
estimate, and how far they are apart is its range. Of Google's machines nothing is guessed before the first job.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.datasets.models import DatasetVersion
from dashboard.jobs import prices
from dashboard.jobs.models import Job
from tuning.jobs import JobState, total_steps
from tuning.providers import ignores
from tuning.recipes import Recipe, held_out

START_SECONDS = 4.0
STEP_SECONDS = 0.25
BYTE_SECONDS = 0.001
"""SmolLM2-135M, LoRA, two cores; a GPU shows in the calibration after one job."""

JOBS_ASKED = 8
ENOUGH_FOR_QUARTILES = 4
UNMEASURED = (0.4, 2.5)
"""By how much a first guess may be wrong, as factors."""
WIDENED = {1: (0.75, 1.35), 2: (0.85, 1.2), 3: (0.9, 1.1)}
"""By how much the least and the most of so few jobs are widened."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """Steps are exact, or, where the service chooses the batch size, as earlier jobs had them; ``low`` to ``high``
    seconds are likely. ``measured`` earlier jobs stand behind them; what nobody can know yet is ``None``.

    ``ahead`` jobs have their turn before, which takes ``wait`` seconds, where that is known. ``cost`` is in
    ``currency``, ``None`` where nothing is paid.
    """

    steps: int | None
    seconds: float | None
    low: float | None
    high: float | None
    measured: int
    ahead: int = 0
    wait: float | None = None
    cost: float | None = None
    currency: str = ""

    @property
    def calibrated(self) -> bool:
        """Whether earlier jobs stand behind the seconds."""
        return self.measured > 0

    def as_kept(self) -> dict[str, Any]:
        """As a job keeps it."""
        return asdict(self)


def estimate(
    version: DatasetVersion, connection: Connection, base_model: str, recipe: Recipe, user: User | None = None
) -> Estimate:
    """What tuning on ``version`` will take; for a ``user``, also how many jobs go first. Two queries at most."""
    return estimates(version, connection, base_model, [recipe], user)[0]


def estimates(
    version: DatasetVersion,
    connection: Connection,
    base_model: str,
    recipes: Iterable[Recipe],
    user: User | None = None,
) -> list[Estimate]:
    """What each of several jobs will take, in as many queries as one takes."""
    earlier = _earlier(connection, base_model)
    queue = _queue(connection, user) if user else {}
    return [
        _one(version, connection, recipe, earlier, queue | _paid(version, connection, base_model, recipe))
        for recipe in recipes
    ]


def _one(
    version: DatasetVersion, connection: Connection, recipe: Recipe, earlier: Sequence[Job], more: dict[str, Any]
) -> Estimate:
    steps = _steps(version, connection, recipe, earlier)
    seconds = low = high = None
    if earlier or not connection.is_google:
        seconds, low, high = foretold(earlier, unit(version.size, recipe.epoch_count, steps or 0))
    return Estimate(steps=steps, seconds=seconds, low=low, high=high, measured=len(earlier), **more)


def _steps(version: DatasetVersion, connection: Connection, recipe: Recipe, earlier: Sequence[Job]) -> int | None:
    if not ignores(connection.kind, "batch_size"):
        return total_steps(_learnt_from(version, recipe), recipe.epoch_count, recipe.batch_size)
    bytes_read = [(job.total_steps, job.epoch_count * job.dataset_version.size) for job in earlier if job.total_steps]
    if not bytes_read:
        return None
    return max(round(recipe.epoch_count * version.size * median(steps / size for steps, size in bytes_read)), 1)


def _learnt_from(version: DatasetVersion, recipe: Recipe) -> int:
    return version.examples - held_out(version.examples, recipe.validation)


def unit(size: int, epoch_count: float, steps: int) -> float:
    """Seconds that so many steps over so many bytes took on the machine the figures came from."""
    return steps * STEP_SECONDS + epoch_count * size * BYTE_SECONDS


def foretold(earlier: Sequence[Job], units: float) -> tuple[float, float, float]:
    """The seconds of a job of so many ``units``, and the least and the most of them, as the ``earlier`` jobs have it;
    without any, a first guess.
    """
    if not earlier:
        guess = START_SECONDS + units
        return guess, guess * UNMEASURED[0], guess * UNMEASURED[1]
    return between([_begun(job) + units * _pace(job) for job in earlier])


def between(said: Sequence[float]) -> tuple[float, float, float]:
    """The middle of what was ``said``, and between which two numbers the truth may be expected."""
    middle = median(said)
    if len(said) >= ENOUGH_FOR_QUARTILES:
        low, _, high = quantiles(said, n=4, method="inclusive")
        return middle, low, high
    less, more = WIDENED[len(said)]
    return middle, min(said) * less, max(said) * more


def _earlier(connection: Connection, base_model: str) -> list[Job]:
    """The last jobs that ended well there, without their large columns."""
    finished = Job.objects.finished_well().filter(connection=connection, base_model=base_model)
    measured = finished.exclude(started=None).exclude(finished=None).select_related("dataset_version")
    return list(
        measured.only(
            *("started", "finished", "first_step_at", "last_step_at"),
            *("completed_steps", "total_steps", "epoch_count", "dataset_version__size"),
        )[:JOBS_ASKED]
    )


def _begun(job: Job) -> float:
    """Seconds that were no steps: loading before, writing afterwards."""
    return max(_elapsed(job) - _stepping(job), 0.0)


def _pace(job: Job) -> float:
    """Seconds needed for one of the units, by all steps but the first: the clock starts with that one."""
    steps = job.completed_steps or 1
    share = (steps - 1) / steps if _has_pace(job) else 1.0
    epochs = job.epoch_count * steps / (job.total_steps or steps)  # fewer than asked for, where it stopped early
    return _stepping(job) / (unit(job.dataset_version.size, epochs, steps) * share)


def _stepping(job: Job) -> float:
    if not _has_pace(job):
        return max(_elapsed(job) - START_SECONDS, 0.5)
    assert job.first_step_at is not None
    assert job.last_step_at is not None
    return (job.last_step_at - job.first_step_at).total_seconds()


def _has_pace(job: Job) -> bool:
    return job.completed_steps > 1 and job.first_step_at is not None and job.last_step_at is not None


def _elapsed(job: Job) -> float:
    assert job.started is not None
    assert job.finished is not None
    return (job.finished - job.started).total_seconds()


def _queue(connection: Connection, user: User) -> dict[str, Any]:
    """What goes first: the jobs that run, mine that wait, and of each other's as many as take turns with mine."""
    columns = ("owner", "state", "estimate", "completed_steps", "total_steps")
    rows = Job.objects.unfinished().filter(connection=connection).order_by("created", "pk").values_list(*columns)
    first: list[float | None] = []
    waiting: dict[int, list[float | None]] = defaultdict(list)
    for owner, state, kept, done, total in rows:
        left = _left(kept, done, total)
        (first if state == JobState.RUNNING else waiting[owner]).append(left)
    turns = len(waiting[user.pk]) + 1
    first += [left for others in waiting.values() for left in others[:turns]]
    known = [left for left in first if left is not None]
    return {"ahead": len(first), "wait": sum(known) if known and len(known) == len(first) else None}


def _left(kept: dict[str, Any], done: int, total: int) -> float | None:
    """Seconds that a job still needs by what was foretold of it."""
    return kept["seconds"] * (1 - done / total) if kept.get("seconds") and total else None


def _paid(version: DatasetVersion, connection: Connection, base_model: str, recipe: Recipe) -> dict[str, Any]:
    """For the examples that are learnt from, in all epochs."""
    facts = version.facts
    each = facts["inputs"]["mean"] + facts["outputs"]["mean"] if facts else version.size / max(version.examples, 1)
    paid = prices.cost(connection, base_model, _learnt_from(version, recipe) * each, recipe.epoch_count)
    return {} if paid is None else {"cost": paid, "currency": prices.currency()}
