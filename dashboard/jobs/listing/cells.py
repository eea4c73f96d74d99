"""How a job is drawn in the list. A page has hundreds of cells, so that functions write them, not templates."""

from collections.abc import Callable, Iterable, Sequence

from django.urls import reverse
from django.utils.safestring import SafeString

from dashboard.accounts.models import User
from dashboard.jobs.listing.rows import Listed, Row, seen_as
from dashboard.listing.columns import Column
from dashboard.listing.drawing import small_curve, tag_marks
from dashboard.markup import filled
from dashboard.templatetags.tuneboard import ago, loss, plain, span, state

ROW = """<tr id="job-{key}"{again}>\
<td class="tick"><input type="checkbox" name="job" value="{key}" id="tick-{key}" aria-labelledby="select open-{key}">\
<input type="hidden" name="seen" value="{seen}"></td>\
<td class="name"><a href="{room}{key}/" id="open-{key}">{name}</a>{about}</td>{cells}</tr>"""


def _steps(job: Listed) -> str:
    made, total = job.completed_steps, job.total_steps
    return str(total) if job.is_final and made == total else f"{made} / {total}"


CELLS: dict[str, Callable[[Row], str]] = {
    "state": lambda row: state(row.job.shown_state),
    "steps": lambda row: _steps(row.job),
    "loss": lambda row: loss(row.job.last_loss),
    "best": lambda row: loss(row.job.best_loss),
    "curve": lambda row: small_curve(row.job.curve),
    "tags": lambda row: tag_marks(row.tags.values()),
    "base": lambda row: row.job.base_model,
    "dataset": lambda row: row.job.dataset,
    "connection": lambda row: row.job.service,
    "owner": lambda row: row.job.owner,
    "epochs": lambda row: str(row.job.epoch_count),
    "batch": lambda row: str(row.job.batch_size),
    "rate": lambda row: plain(row.job.learning_rate),
    "model": lambda row: row.job.model or "–",
    "took": lambda row: span(row.job.elapsed),
    "finished": lambda row: ago(row.job.finished),
    "created": lambda row: ago(row.job.created),
}
"""By the names of the columns; the name's own leads to the job and is drawn with the row."""
MONO = {"base", "model"}
"""Columns of names that programs use."""


def drawn(rows: Iterable[Row], columns: Sequence[Column], reader: User, *, again: bool = False) -> list[SafeString]:
    """``rows`` in these columns for ``reader``, who is told whose a job is where it is somebody else's. ``again``:
    each takes the place of what it looked like before.
    """
    shown = {column.name for column in columns}
    cells = [CELLS[column.name] for column in columns if column.name in CELLS]
    markup = "".join(_td(column) for column in columns if column.name in CELLS)
    room, place = reverse("jobs:list"), SafeString(' hx-swap-oob="true"' if again else "")
    return [
        filled(
            ROW,
            key=str(row.job.pk),
            again=place,
            seen=seen_as(row),
            room=room,
            name=row.job.display_name,
            about=_about(row.job, shown, reader),
            cells=filled(markup, *(shows(row) for shows in cells)),
        )
        for row in rows
    ]


def _td(column: Column) -> str:
    look = f"{column.look} mono" if column.name in MONO else column.look
    return f'<td class="{look}">{{}}</td>' if look else "<td>{}</td>"


def _about(job: Listed, shown: set[str], reader: User) -> SafeString:
    """What has no column of its own stands small under the job's name."""
    if "dataset" in shown:
        return SafeString()
    is_anothers = job.owner_id != reader.pk and "owner" not in shown
    return filled("<small>{}</small>", f"{job.dataset} · {job.owner}" if is_anothers else job.dataset)
