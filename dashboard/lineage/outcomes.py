"""What became of models besides others tuned from them: how they did when asked, and where they are deployed."""

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.evaluations.models import Evaluation, State
from dashboard.library.models import TunedModel
from tuning.errors import ServiceError
from tuning.providers import PROVIDERS, Console, can

EVALUATIONS = 3
"""Of a model that are drawn; its page has all."""


def evaluations(models: Iterable[int]) -> Mapping[int, Sequence[Evaluation]]:
    """The last of each model, the newest first, by the models' keys; those that ended early are left out."""
    place = Window(RowNumber(), partition_by=F("model"), order_by=[F("created").desc(), F("pk").desc()])
    rows = Evaluation.objects.filter(model__in=list(models), state__in=[State.RUNNING, State.DONE])
    found: dict[int, list[Evaluation]] = {}
    for evaluation in rows.annotate(place=place).filter(place__lte=EVALUATIONS).select_related("model"):
        found.setdefault(evaluation.model_id, []).append(evaluation)
    return found


def deployments(user: User, models: Iterable[TunedModel]) -> Mapping[int, str]:
    """The pages, at their services, of what models answer at, by the models' keys: where a service has such pages, and
    ``user`` may use it.
    """
    kinds = [kind for kind in PROVIDERS if can(kind, Console)]
    wanted = {model.connection_id for model in models}
    open_to = Connection.objects.usable_by(user).filter(pk__in=wanted, kind__in=kinds)
    consoles = {connection.pk: connection.open_for(user) for connection in open_to}
    pages = {model.pk: _page(consoles.get(model.connection_id), model.name) for model in models}
    return {pk: page for pk, page in pages.items() if page}


def _page(service: object, name: str) -> str:
    if not isinstance(service, Console):
        return ""
    try:
        return service.deployment(name)
    except ServiceError:
        return ""
