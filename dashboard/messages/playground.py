"""How an answer of a model ended (codes: :mod:`tuning.providers`)."""

from django.utils.translation import gettext_lazy as _

FINISH_REASONS = {
    "STOP": _("the model ended its answer"),
    "MAX_TOKENS": _("cut off at the most tokens allowed"),
    "SAFETY": _("held back by the service’s safety filter"),
    "RECITATION": _("held back, because it repeats a source too closely"),
    "LANGUAGE": _("held back: the service does not answer in this language"),
    "BLOCKLIST": _("held back: it has words that the service forbids"),
    "PROHIBITED_CONTENT": _("held back: the service forbids such content"),
    "SPII": _("held back: it may hold somebody’s personal data"),
    "OTHER": _("the service gave no reason"),
}
