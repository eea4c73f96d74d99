"""When models were last asked, and who says so: a service that tells of every question, or the playground here."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.library.models import TunedModel
from tuning.providers import UsageTeller

NOTED = timedelta(minutes=1)
"""A model that is asked all the time is written to this often."""
OVERLAP = timedelta(minutes=2)
"""Services note uses to the minute, by clocks of their own."""
EVER = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Told:
    """When a model was last used, and by whose word."""

    moment: datetime | None
    source: str


def told(model: TunedModel) -> Told:
    """Of ``model``, whose connection is at hand."""
    if tells(model.connection, model.owner):
        source = _("by anybody, through the API or here; its service tells")
    else:
        source = _("in the playground here; what scripts ask, its service does not tell")
    return Told(model.last_used, source)


def tells(connection: Connection, user: User) -> bool:
    """Whether the service tells of every question, scripts' among them."""
    return isinstance(connection.open_for(user), UsageTeller)


def note(connection: Connection, model: str) -> None:
    """A tuned model was asked from here."""
    _used(connection, model, timezone.now())


def hear(connection: Connection, owner: User) -> int:
    """Ask the service which models of ``owner`` were asked since it last told. For how many that was news.

    Raises ``ServiceError``.
    """
    service = connection.open_for(owner)
    if not isinstance(service, UsageTeller):
        return 0
    now, key = timezone.now(), f"uses:{connection.pk}:{owner.pk}"
    heard: datetime | None = cache.get(key)
    uses = service.uses(now - heard + OVERLAP if heard else EVER)
    cache.set(key, now, None)
    return sum(_used(connection, model, moment) for model, moment in uses.items())


def _used(connection: Connection, model: str, moment: datetime) -> bool:
    stale = Q(last_used=None) | Q(last_used__lt=moment - NOTED)
    return bool(TunedModel.objects.filter(stale, connection=connection, name=model).update(last_used=moment))
