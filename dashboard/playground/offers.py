"""Which models a person can ask: their tuned ones that are done, and the base models of each connection."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.core.cache import cache

from dashboard.accounts.models import User
from dashboard.connections.models import Connection
from dashboard.connections.tokens import needed
from dashboard.connections.unreachable import explain_by_name
from dashboard.jobs.models import Job
from dashboard.library.models import TunedModel
from dashboard.messages import Message
from tuning.errors import ServiceError
from tuning.providers import BaseModel

BASE_MODELS_KEPT = 60
"""Seconds for which a connection's list of base models is not asked for again."""
SAMPLING = ("temperature", "top_p", "top_k")
MOST_TUNED_MODELS = 200
"""The newest are offered; the page of an older job leads here as well."""


@dataclass(frozen=True, slots=True)
class Target:
    """A model at a connection. ``base`` tells its defaults and limits, where the service does."""

    connection: Connection
    model: str
    label: str
    base: BaseModel | None = None
    is_tuned: bool = False

    @property
    def value(self) -> str:
        return f"{self.connection.pk}:{self.model}"


@dataclass(frozen=True, slots=True)
class Offer:
    """What a person can choose from, newest tuned models first, and which connections gave no answer."""

    targets: dict[str, Target]
    unreachable: list[Message]

    def find(self, model: str, connection: str = "") -> Target | None:
        """The target that an address names; ``connection`` is a key, or empty where it does not matter."""
        found = (target for target in self.targets.values() if target.model == model)
        return next((target for target in found if connection in {"", str(target.connection.pk)}), None)


def offer_to(user: User, wanted: str = "") -> Offer:
    """The models that ``user`` can ask; ``wanted``, a tuned model's name, however old it is."""
    bases: list[Target] = []
    unreachable: list[Message] = []
    for connection in Connection.objects.usable_by(user):
        try:
            needed(connection, user)
            bases += [Target(connection, base.name, base.display_name, base) for base in _base_models(connection, user)]
        except ServiceError as error:
            unreachable.append(explain_by_name(connection, error))
    targets = [*_tuned(user, wanted, bases), *bases]
    return Offer({target.value: target for target in targets}, unreachable)


def _base_models(connection: Connection, user: User) -> Sequence[BaseModel]:
    key = f"base-models:{connection.pk}:{connection.address}:{user.pk}"
    found: Sequence[BaseModel] | None = cache.get(key)
    if found is None:
        found = connection.open_for(user).base_models()
        cache.set(key, found, BASE_MODELS_KEPT)
    return found


def _tuned(user: User, wanted: str, bases: list[Target]) -> list[Target]:
    known = {(target.connection.pk, target.model): target.base for target in bases}
    usable = Connection.objects.usable_by(user).order_by()
    done = Job.objects.visible_to(user).finished_well().exclude(model="").filter(connection__in=usable)
    jobs = done.select_related("connection", "library_model")
    found = [*jobs.filter(model=wanted), *jobs[:MOST_TUNED_MODELS]] if wanted else list(jobs[:MOST_TUNED_MODELS])
    return [_target(job, known.get((job.connection_id, job.base_model))) for job in found]


def _target(job: Job, base: BaseModel | None) -> Target:
    """What ``job`` made, under its present name, sampled as it is set to be."""
    model: TunedModel | None = getattr(job, "library_model", None)
    if model is None:
        return Target(job.connection, job.model, job.display_name, base, True)
    own = {name: value for name in SAMPLING if (value := getattr(model, name)) is not None}
    return Target(job.connection, job.model, model.display_name, replace(base, **own) if base else None, True)
