"""The columns of the list of jobs."""

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Func, OuterRef, Subquery
from django.db.models.functions import Lower
from django.db.models.sql.compiler import SQLCompiler
from django.utils.translation import gettext_lazy as _

from dashboard.jobs.tags import Tag
from dashboard.listing.columns import Column, Columns


class Span(Func):
    """How long it is from the second moment to the first. SQLite subtracts days; Django would have it call Python for
    each row.
    """

    template, arg_joiner, arity = "(%(expressions)s)", " - ", 2

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        template = "(julianday(%(expressions)s))"
        return self.as_sql(compiler, connection, template=template, arg_joiner=") - julianday(", **context)


def _first_tag() -> Subquery:
    return Subquery(Tag.objects.filter(jobs=OuterRef("pk")).order_by("key").values("key")[:1])


COLUMNS = Columns(
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
    Column("took", _("Took"), Span("finished", "started"), number=True, down=True),
    Column("finished", _("Ended"), F("finished"), number=True, down=True),
    Column("created", _("Started"), F("created"), number=True, down=True),
)
USUAL = ("name", "state", "steps", "loss", "curve", "tags", "base", "created")
ALWAYS = "name"


def chosen(names: Sequence[str]) -> list[Column]:
    """The columns of these names in their usual order, the name always among them; of none, the usual ones."""
    wanted = {ALWAYS, *(names or USUAL)}
    return [column for column in COLUMNS.values() if column.name in wanted]
