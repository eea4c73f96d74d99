"""The columns of the library, and by what its models are sorted."""

from django.db.models import F
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from dashboard.listing.columns import Column, Columns

COLUMNS = Columns(
    Column("name", _("Name"), Lower("display_name"), wide=False),
    Column("loss", _("Loss"), F("last_loss"), number=True, wide=False),
    Column("evaluation", _("Held-out loss"), F("job__best_loss"), number=True),
    Column("match", _("Evaluation"), F("last_match"), number=True, down=True),
    Column("base", _("Base model"), F("base_model")),
    Column("dataset", _("Dataset"), Lower("dataset_version__dataset__name")),
    Column("owner", _("Owner"), F("owner__email")),
    Column("used", _("Last used"), F("last_used"), number=True, down=True),
    Column("created", _("Tuned"), F("created"), number=True, down=True),
)
