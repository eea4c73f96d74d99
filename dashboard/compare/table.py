"""The table of a comparison: a row a job, a column a fact, and which of them differ."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.utils.translation import gettext

from dashboard.jobs.models import Job
from dashboard.jobs.recipes import RecipeForm, settings_of
from dashboard.messages import STATES
from dashboard.templatetags.tuneboard import loss, span
from tuning.recipes import Recipe

Value = float | str | None


@dataclass(frozen=True, slots=True)
class Column:
    """A fact about jobs: its ``values`` sort, its ``texts`` are shown, both by the job's key."""

    key: str
    title: str
    values: dict[int, Value]
    texts: dict[int, str]
    is_setting: bool = False

    @property
    def is_number(self) -> bool:
        return all(value is None or isinstance(value, int | float) for value in self.values.values())

    @property
    def differs(self) -> bool:
        return len(set(self.texts.values())) > 1


@dataclass(frozen=True, slots=True)
class Heading:
    """A column's head: ``by`` is what a press on it sorts by next, ``sorted`` how it is sorted now."""

    column: Column
    by: str
    sorted: str


def columns(jobs: Sequence[Job], last_epoch: Mapping[int, float | None]) -> list[Column]:
    """Everything that tells ``jobs`` apart, settings first, results last; ``last_epoch`` holds losses by job."""
    return [
        _column("name", gettext("Name"), jobs, lambda job: job.display_name),
        _column("state", gettext("State"), jobs, lambda job: str(STATES[job.shown_state])),
        *_settings(jobs),
        *_surroundings(jobs),
        _column("steps", gettext("Steps"), jobs, lambda job: job.completed_steps),
        _column("final", gettext("Last loss"), jobs, lambda job: job.last_loss, loss),
        _column("last_epoch", gettext("Last epoch"), jobs, lambda job: last_epoch[job.pk], loss),
        _column("lowest", gettext("Lowest loss"), jobs, _lowest, loss),
        _column("held_out", gettext("Held out, best"), jobs, lambda job: job.best_loss, loss),
        _column("duration", gettext("Duration"), jobs, lambda job: job.elapsed, span),
    ]


def shown(found: Iterable[Column], everything: bool) -> list[Column]:
    """The columns worth a place: of settings those that differ, unless ``everything`` is asked for."""
    return [column for column in found if everything or column.differs or not column.is_setting]


def varied(found: Iterable[Column]) -> list[str]:
    """The recipe's numbers in which the jobs differ."""
    names = {field.name for field in fields(Recipe)}
    numbers = (column for column in found if column.key in names and column.differs)
    return [column.key for column in numbers if all(isinstance(v, int | float) for v in column.values.values())]


def ordered(jobs: Sequence[Job], found: Sequence[Column], by: str) -> list[Job]:
    """``jobs`` by a column's key, the largest first with a minus; those without a value come last either way."""
    column = next((column for column in found if column.key == by.removeprefix("-")), None)
    if column is None:
        return list(jobs)
    have = [job for job in jobs if column.values[job.pk] is not None]
    have.sort(key=lambda job: _sortable(column.values[job.pk]), reverse=by.startswith("-"))
    return [*have, *(job for job in jobs if column.values[job.pk] is None)]


def headings(found: Iterable[Column], by: str) -> list[Heading]:
    """The heads of the columns while the table is sorted ``by``."""
    direction = {"": "none", "-": "descending"}
    made = []
    for column in found:
        sign = by[: len(by) - len(column.key)] if by.endswith(column.key) else None
        now = "ascending" if sign == "" else direction.get(sign or "", "none")
        made.append(Heading(column, f"-{column.key}" if now == "ascending" else column.key, now))
    return made


def _settings(jobs: Sequence[Job]) -> list[Column]:
    texts = {job.pk: dict(settings_of(job)) for job in jobs}
    made = []
    for field in fields(Recipe):
        title = str(RecipeForm.base_fields[field.name].label)
        values = {job.pk: getattr(job.recipe, field.name) for job in jobs}
        made.append(Column(field.name, title, values, {pk: said[title] for pk, said in texts.items()}, True))
    return made


def _surroundings(jobs: Sequence[Job]) -> list[Column]:
    made = [
        _column("dataset", gettext("Dataset"), jobs, _dataset),
        _column("base_model", gettext("Base model"), jobs, lambda job: job.base_model),
        _column("tuned_from", gettext("Tuned further from"), jobs, lambda job: job.tuned_from or None),
        _column("connection", gettext("Connection"), jobs, lambda job: job.connection.name),
        _column("owner", gettext("Owner"), jobs, lambda job: str(job.owner)),
    ]
    return [Column(one.key, one.title, one.values, one.texts, True) for one in made]


def _column(
    key: str, title: str, jobs: Sequence[Job], ask: Callable[[Job], Value], show: Callable[[Any], str] | None = None
) -> Column:
    values = {job.pk: ask(job) for job in jobs}
    texts = {pk: "–" if value is None else show(value) if show else f"{value}" for pk, value in values.items()}
    return Column(key, title, values, texts)


def _dataset(job: Job) -> str:
    version = job.dataset_version
    return f"{version.dataset.name} v{version.number} ({version.examples:,})"


def _lowest(job: Job) -> float | None:
    """Of the training losses: thinning the small curve keeps its extremes."""
    return min((point[1] for point in job.small_curve), default=None)


def _sortable(value: Value) -> tuple[float, str]:
    return (0.0, value.casefold()) if isinstance(value, str) else (float(value or 0), "")
