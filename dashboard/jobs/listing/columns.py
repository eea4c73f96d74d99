"""The columns of the list, and by what each is sorted."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import F, OuterRef, Subquery
from django.db.models.expressions import Expression, OrderBy
from django.db.models.functions import Lower
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dashboard.jobs.tags import Tag


@dataclass(frozen=True, slots=True)
class Column:
    """``order`` is what its sorting goes by; ``down`` says that the first click puts the highest on top."""

    name: str
    label: str | Promise
    order: F | Expression | Subquery = field(compare=False)
    number: bool = False
    wide: bool = True
    """Left out where a screen is narrow."""
    down: bool = False


def _first_tag() -> Subquery:
    return Subquery(Tag.objects.filter(jobs=OuterRef("pk")).order_by("key").values("key")[:1])


COLUMNS = (
    Column("name", _("Name"), Lower("display_name"), wide=False),
    Column("state", _("State"), F("state"), wide=False),
    Column("steps", _("Steps"), F("completed_steps"), number=True, wide=False, down=True),
    Column("loss", _("Loss"), F("last_loss"), number=True, wide=False),
    Column("best", _("Best held-out loss"), F("best_loss"), number=True),
    Column("curve", _("Curve"), F("last_loss") - F("first_loss")),
    Column("tags", _("Tags"), _first_tag()),
    Column("base", _("Base model"), F("base_model")),
    Column("dataset", _("Dataset"), Lower("dataset_version__dataset__name")),
    Column("connection", _("Connection"), Lower("connection__name")),
    Column("owner", _("Owner"), F("owner__email")),
    Column("epochs", _("Epochs"), F("epoch_count"), number=True, down=True),
    Column("batch", _("Batch size"), F("batch_size"), number=True, down=True),
    Column("rate", _("Learning rate"), F("learning_rate"), number=True, down=True),
    Column("model", _("Model"), F("model")),
    Column("took", _("Took"), F("finished") - F("started"), number=True, down=True),
    Column("finished", _("Ended"), F("finished"), number=True, down=True),
    Column("created", _("Started"), F("created"), number=True, down=True),
)
BY_NAME = {column.name: column for column in COLUMNS}
USUAL = ("name", "state", "steps", "loss", "curve", "tags", "base", "created")
MORE = {"dataset", "connection", "owner", "epochs", "batch", "rate", "model", "took", "finished"}
"""Those that a row skips at once where none of them is shown: to ask for each takes milliseconds."""
ALWAYS = "name"
NEWEST_FIRST = "-created"


def chosen(names: Sequence[str]) -> list[Column]:
    """The columns of these names in their usual order, the name always among them; of none, the usual ones."""
    wanted = {ALWAYS, *(names or USUAL)}
    return [column for column in COLUMNS if column.name in wanted]


def readable(sort: str) -> str:
    """``sort`` if it names a column (``-`` before it: from high to low); else newest first."""
    return sort if sort.removeprefix("-") in BY_NAME else NEWEST_FIRST


def ordering(sort: str) -> tuple[OrderBy, ...]:
    """What ``sort`` means to the database. What has no value comes last; equals are told apart by age."""
    if sort == NEWEST_FIRST:  # the order of an index, which "nulls last" would not be
        return F("created").desc(), F("pk").desc()
    by = BY_NAME[sort.removeprefix("-")].order
    first = OrderBy(by, descending=sort.startswith("-"), nulls_last=True)
    return first, F("pk").desc()


def toggled(column: Column, sort: str) -> str:
    """What a click on the head of ``column`` sorts by."""
    up, down = column.name, f"-{column.name}"
    if sort in (up, down):
        return up if sort == down else down
    return down if column.down else up


def direction(column: Column, sort: str) -> str:
    """As ARIA says it; empty where the list is sorted by something else."""
    return {column.name: "ascending", f"-{column.name}": "descending"}.get(sort, "")
