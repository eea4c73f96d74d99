"""What a row of the list shows. A page has hundreds of cells, so each is written by a function, not by a template."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from dashboard.accounts.models import User
from dashboard.jobs.listing.rows import Row, seen_as
from dashboard.listing.columns import Column
from dashboard.templatetags.tuneboard import ago, loss, plain, span, sparkline, state


def _steps(row: Row) -> str:
    made, total = row.job.completed_steps, row.job.total_steps
    return str(total) if row.job.is_final and made == total else f"{made} / {total}"


CELLS: dict[str, Callable[[Row], str]] = {
    "state": lambda row: state(row.job.shown_state),
    "steps": _steps,
    "loss": lambda row: loss(row.job.last_loss),
    "best": lambda row: loss(row.job.best_loss),
    "curve": lambda row: sparkline(row.job.small_curve, gettext("Loss curve")),
    "tags": lambda row: format_html_join(" ", '<span class="tag">{}</span>', ((tag,) for tag in row.tags.values())),
    "base": lambda row: row.job.base_model,
    "dataset": lambda row: row.dataset,
    "connection": lambda row: row.connection,
    "owner": lambda row: str(row.job.owner),
    "epochs": lambda row: str(row.job.epoch_count),
    "batch": lambda row: str(row.job.batch_size),
    "rate": lambda row: plain(row.job.learning_rate),
    "model": lambda row: row.job.model or "–",
    "took": lambda row: span(row.job.elapsed),
    "finished": lambda row: ago(row.job.finished),
    "created": lambda row: ago(row.job.created),
}
"""By the names of the columns; the template has the name's own, which leads to the job."""
MONO = {"base", "model"}
"""Columns of names that programs use."""


@dataclass(frozen=True, slots=True)
class Written:
    """A row as the template draws it. ``about`` stands small under the job's name."""

    key: str
    seen: str
    name: str
    about: str
    cells: SafeString


def written(rows: Iterable[Row], columns: Sequence[Column], reader: User) -> list[Written]:
    """``rows`` in these columns for ``reader``, who is told whose a job is where it is somebody else's."""
    shown = {column.name for column in columns}
    cells = [CELLS[column.name] for column in columns if column.name in CELLS]
    markup = "".join(_td(column) for column in columns if column.name in CELLS)
    return [
        Written(
            key=str(row.job.pk),
            seen=seen_as(row),
            name=row.job.display_name,
            about=_about(row, shown, reader),
            cells=format_html(markup, *(shows(row) for shows in cells)) if cells else SafeString(),
        )
        for row in rows
    ]


def _td(column: Column) -> str:
    look = f"{column.look} mono" if column.name in MONO else column.look
    return f'<td class="{look}">{{}}</td>' if look else "<td>{}</td>"


def _about(row: Row, shown: set[str], reader: User) -> str:
    """What has no column of its own."""
    if "dataset" in shown:
        return ""
    is_anothers = row.job.owner_id != reader.pk and "owner" not in shown
    return f"{row.dataset} · {row.job.owner}" if is_anothers else row.dataset
