"""How an answer of a model ended (codes: :mod:`tuning.providers`)."""

from django.utils.translation import gettext_lazy as _

FINISH_REASONS = {
    "STOP": _("the model ended its answer"),
    "MAX_TOKENS": _("cut off at the most tokens allowed"),
    "OTHER": _("the service gave no reason"),
}
