"""What the worker does so that nobody's mirror of permissions grows old: see :mod:`dashboard.sharing.mirror`."""

from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django_tasks import task
from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from dashboard.connections.models import askable
from dashboard.library.models import TunedModel
from dashboard.sharing.mirror import AT_ONCE, UNSEEN_FOR, renew_quietly


@db_periodic_task(crontab(minute="*"))  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Enqueue, each minute, one look at what is stale."""
    if _stale().exists():
        renew.enqueue()


@task()
def renew() -> None:
    """Read the permissions that were read longest ago. A service that does not answer once is asked no further."""
    silent = set()
    for model in _stale().select_related("connection", "owner")[:AT_ONCE]:
        if model.connection_id not in silent and not renew_quietly(model, model.owner, UNSEEN_FOR):
            silent.add(model.connection_id)


def _stale() -> QuerySet[TunedModel]:
    due = Q(permissions_read=None) | Q(permissions_read__lte=timezone.now() - UNSEEN_FOR)
    stale = TunedModel.objects.present().filter(due).filter(askable())
    return stale.order_by(F("permissions_read").asc(nulls_first=True), "pk")
