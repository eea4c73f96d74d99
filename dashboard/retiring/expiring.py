"""Models that are kept until a date: their owners are warned before it, and on it they are archived or removed."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from dashboard import audit
from dashboard.library.models import TunedModel
from dashboard.notices import events
from dashboard.retiring import removing
from dashboard.retiring.models import Fate

WARNED_BEFORE = timedelta(days=7)


def set_expiry(model: TunedModel, by: removing.By, moment: datetime | None, fate: Fate) -> None:
    """Keep it until ``moment``; ``None``: for as long as nobody says otherwise."""
    with transaction.atomic():
        model.expires, model.removed_on_expiry = moment, fate is Fate.REMOVE
        model.save(update_fields=["expires", "removed_on_expiry"])
        if model.job:
            events.unsay_expiry(model.job)
        if moment:
            audit.record(by, "model.expiry_set", model, until=f"{moment:%Y-%m-%d}", fate=fate.value)
        else:
            audit.record(by, "model.expiry_lifted", model)


def warn() -> None:
    """Tell the owners of what expires soon, each once."""
    soon = TunedModel.objects.present().filter(expires__lte=timezone.now() + WARNED_BEFORE, job__isnull=False)
    for model in soon.select_related("owner", "job"):
        events.expires(model)


def expire() -> None:
    """Archive or remove what has expired."""
    for model in TunedModel.objects.present().filter(expires__lte=timezone.now()):
        with transaction.atomic():
            if not TunedModel.objects.filter(pk=model.pk, expires=model.expires).update(expires=None):
                continue  # somebody has set another date
            audit.record(None, "model.expired", model)
            if model.removed_on_expiry:
                removing.remove(model, None, None)
            else:
                removing.archive(model, None)
