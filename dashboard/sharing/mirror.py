"""What a service says of a model's permissions, kept as its grants for a bounded time."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from dashboard.accounts.models import User
from dashboard.connections.closed import Closed
from dashboard.jobs.models import Job
from dashboard.library.models import Grant, TunedModel
from dashboard.teams.models import Team
from tuning.assertions import same_in_any_spelling
from tuning.errors import NotFound, PermissionDenied, ServiceError, Unavailable
from tuning.providers import Grantee, Permission, Role, Sharer

logger = logging.getLogger(__name__)

SEEN_FOR = timedelta(minutes=1)
"""A page that shows a model has its permissions read again when they are older, once however many look."""
UNSEEN_FOR = timedelta(minutes=10)
"""The worker reads them again when nobody looked for so long."""
AT_ONCE = 100
"""Models whose permissions the worker reads in a minute, the longest unread first: a library of more than a
thousand is up to a minute older for each hundred."""
LONGEST_ADDRESS, LONGEST_REF = 254, 300
"""Characters that a grant has room for."""


def keeper(model: TunedModel, user: User) -> Sharer | None:
    """The service, asked for ``user``, where it is one that keeps permissions and knows who asks. Raises
    ``PermissionDenied`` where they may not use it.
    """
    provider = model.connection.open_for(user)
    if isinstance(provider, Closed):
        raise PermissionDenied("connection_closed")
    if not model.connection.knows_people:
        return None
    return provider if isinstance(provider, Sharer) and provider.capabilities.permissions else None


def renew_quietly(model: TunedModel, user: User, age: timedelta = SEEN_FOR) -> bool:
    """Read the permissions again where they are older than ``age``, for ``user`` who only looks. False when the
    service gave no answer: what was known stays.
    """
    now = timezone.now()
    due = Q(permissions_read=None) | Q(permissions_read__lte=now - age)
    if not TunedModel.objects.filter(due, pk=model.pk).update(permissions_read=now):
        return True
    try:
        permissions = _read(model, user)
    except ServiceError as error:
        logger.info("the permissions of model %s could not be read: %s", model.pk, error.code)
        return not isinstance(error, Unavailable)
    if permissions is not None:
        keep(model, permissions, now)
    return True


def keep(model: TunedModel, permissions: Sequence[Permission], claimed: datetime) -> None:
    """Make the grants what the service said, unless somebody changed them since it was ``claimed`` to be asked."""
    known = _Known(permissions)
    with transaction.atomic():
        kept = TunedModel.objects.select_for_update().filter(pk=model.pk, permissions_read=claimed).first()
        if kept is None:
            return
        if (owner := known.owner()) and owner != kept.owner:
            own(kept, owner)
        grants = known.grants(kept)
        if {_facts(grant) for grant in kept.grants.all()} != {_facts(grant) for grant in grants}:
            kept.grants.all().delete()
            Grant.objects.bulk_create({_facts(grant)[:4]: grant for grant in grants}.values())


def own(model: TunedModel, person: User) -> None:
    """Note that ``person`` is the owner now, of the model's job as well: of their own one, where they have brought it
    in. To be called in a transaction.
    """
    model.grants.filter(Q(person=person) | Q(address=person.email, is_group=False)).delete()
    theirs = Job.objects.filter(owner=person, connection=model.connection_id, model=model.name).first()
    if theirs is None and model.job_id:
        Job.objects.filter(pk=model.job_id, owner=model.owner_id).update(owner=person)
    TunedModel.objects.filter(pk=model.pk).update(owner=person, job=theirs.pk if theirs else model.job_id)


class _Known:
    """Who of those that a service names is known here."""

    def __init__(self, permissions: Sequence[Permission]) -> None:
        self._permissions = [one for one in permissions if _is_readable(one)]
        addresses = [one.address for one in self._permissions]
        self._people = {user.email: user for user in User.objects.filter(email__in=addresses)}
        self._teams = {team.address: team for team in Team.objects.filter(address__in=addresses)}

    def owner(self) -> User | None:
        return next((self._people.get(one.address) for one in self._permissions if one.role is Role.OWNER), None)

    def grants(self, model: TunedModel) -> list[Grant]:
        """What those give of which a grant can be kept."""
        return [grant for one in self._permissions if (grant := self._grant(model, one)) is not None]

    def _grant(self, model: TunedModel, one: Permission) -> Grant | None:
        """What ``one`` gives; the owner's gives nothing besides, where they are known."""
        if one.role is Role.OWNER and one.address in self._people:
            return None
        grant = Grant(model=model, role=one.role, ref=one.ref)
        match one.grantee:
            case Grantee.EVERYONE:
                grant.everyone = True
            case Grantee.TEAM:
                grant.team = self._teams.get(one.address)
            case Grantee.PERSON:
                grant.person = self._people.get(one.address)
        if not (grant.everyone or grant.team or grant.person):
            grant.address, grant.is_group = one.address, one.grantee is Grantee.TEAM
        return grant


def _is_readable(one: Permission) -> bool:
    """Whether it can be kept as a grant. A look-alike of somebody's address is theirs here, and another's there."""
    fits = len(one.address) <= LONGEST_ADDRESS and len(one.ref) <= LONGEST_REF
    return fits and same_in_any_spelling(one.address) == one.address


def _read(model: TunedModel, user: User) -> Sequence[Permission] | None:
    """By the owner's eyes, who may always see them; where the service has another owner by now, by ``user``'s."""
    for eyes in dict.fromkeys((model.owner, user)):
        service = keeper(model, eyes)
        if service is None:
            return None
        try:
            return service.permissions(model.name)
        except (PermissionDenied, NotFound) as error:
            refused = error
    raise refused


def _facts(grant: Grant) -> tuple[object, ...]:
    return grant.person_id, grant.team_id, grant.everyone, grant.address, grant.role, grant.ref
