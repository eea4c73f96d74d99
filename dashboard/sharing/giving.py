"""Giving roles on a model, changing and taking them. Each raises ``ServiceError`` where that is refused.

The service judges, where it keeps permissions; else the grants here do.
"""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from dashboard import audit
from dashboard.accounts.models import User
from dashboard.http import Request
from dashboard.library.models import Grant, TunedModel
from dashboard.sharing.mirror import keeper, own
from dashboard.teams.models import Team
from tuning.errors import AlreadyExists, PermissionDenied
from tuning.providers import Grantee, Role


@dataclass(frozen=True, slots=True)
class Whom:
    """A person known here, a team, or somebody by address; none of them: everyone."""

    person: User | None = None
    team: Team | None = None
    address: str = ""

    @property
    def everyone(self) -> bool:
        return not (self.person or self.team or self.address)

    @property
    def grantee(self) -> Grantee:
        return Grantee.EVERYONE if self.everyone else Grantee.TEAM if self.team else Grantee.PERSON

    @property
    def known_as(self) -> str:
        """Their address at a service."""
        return self.team.address if self.team else self.person.email if self.person else self.address

    def row(self) -> dict[str, Any]:
        """As :class:`Grant` has them."""
        return {"person": self.person, "team": self.team, "address": self.address, "everyone": self.everyone}


def give(request: Request, model: TunedModel, whom: Whom, role: Role) -> Grant:
    """Share ``model`` with somebody who has no role on it yet."""
    service = keeper(model, request.user)
    ref = service.share(model.name, whom.grantee, whom.known_as, role).ref if service else ""
    with transaction.atomic():
        if not service:
            kept = _held(request.user, model, Role.WRITER)
            if kept.owner == whom.person or kept.grants.filter(**whom.row()).exists():
                raise AlreadyExists("permission_exists", grantee=whom.known_as)
        _touch(model)
        grant, _made = model.grants.update_or_create(**whom.row(), defaults={"role": role, "ref": ref})
        audit.record(request, "model.shared", model, grantee=grant.grantee, role=role.name.lower())
    return grant


def change(request: Request, grant: Grant, role: Role) -> None:
    """Give another role to somebody who has one."""
    if service := keeper(grant.model, request.user):
        service.change_role(grant.ref, role)
    with transaction.atomic():
        if not service:
            _held(request.user, grant.model, Role.WRITER)
        _touch(grant.model)
        grant.model.grants.filter(pk=grant.pk).update(role=role)
        facts = {"grantee": grant.grantee, "before": grant.role_name, "role": role.name.lower()}
        audit.record(request, "model.role_changed", grant.model, **facts)
    grant.role = role


def take(request: Request, grant: Grant) -> None:
    """Take a role back."""
    if service := keeper(grant.model, request.user):
        service.unshare(grant.ref)
    with transaction.atomic():
        if not service:
            _held(request.user, grant.model, Role.WRITER)
        _touch(grant.model)
        grant.model.grants.filter(pk=grant.pk).delete()
        audit.record(request, "model.unshared", grant.model, grantee=grant.grantee)


def hand_over(request: Request, model: TunedModel, person: User) -> None:
    """Make ``person`` the owner of ``model`` and its job; who was it becomes a writer."""
    if service := keeper(model, request.user):
        service.transfer(model.name, person.email)
    with transaction.atomic():
        before = model.owner if service else _held(request.user, model, Role.OWNER).owner
        own(model, person)
        if before != person:
            model.grants.update_or_create(person=before, defaults={"role": Role.WRITER})
        TunedModel.objects.filter(pk=model.pk).update(permissions_read=None)  # to learn the new permission's name
        audit.record(request, "model.handed_over", model, before=str(before), owner=str(person))


def _touch(model: TunedModel) -> None:
    """The grants are what the service has, as of now: what was read before is not written over it."""
    TunedModel.objects.filter(pk=model.pk).update(permissions_read=timezone.now())


def _held(user: User, model: TunedModel, role: Role) -> TunedModel:
    """The model as it is now, which nobody else shares or gives away until the caller's transaction ends. Raises
    ``PermissionDenied`` unless the grants give ``user`` that role.
    """
    kept = TunedModel.objects.select_for_update().filter(pk=model.pk).first()
    has = kept.role_of(user) if kept else None
    if kept is None or has is None or has < role:
        raise PermissionDenied("owner_only" if role is Role.OWNER else "not_yours")
    return kept
