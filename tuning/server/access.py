"""Who is asking, and what they may do. One place decides: :func:`permit`, and its twin for lists."""

from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from tuning import assertions
from tuning.assertions import Identity
from tuning.errors import InvalidRequest, PermissionDenied, Unauthenticated
from tuning.resources import GranteeType, Role
from tuning.server.keys import ApiKey
from tuning.server.models import Job, Permission


class Action(StrEnum):
    """What somebody may want to do with a tuned model."""

    READ = "read"
    ASK = "ask"
    CHANGE = "change"
    """Edit, share and cancel; also see with whom it is shared: the addresses are nothing for strangers."""
    TRANSFER = "transfer"
    DELETE = "delete"


LEAST_ROLE = {
    Action.READ: Role.READER,
    Action.ASK: Role.READER,
    Action.CHANGE: Role.WRITER,
    Action.TRANSFER: Role.OWNER,
    Action.DELETE: Role.OWNER,
}


EVERYONE = Q(grantee_type=GranteeType.EVERYONE)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyHolder(Identity):
    """A script that shows an API key of a person's; ``key`` is the row's number."""

    key: int


def caller(request: HttpRequest) -> Identity:
    """The person behind ``request``: by ``Authorization: Bearer`` or ``?access_token=``, else by an API key in
    ``x-goog-api-key`` or ``?key=``. A bearer is an API key or the dashboard's assertion.

    Raises ``PermissionDenied`` without credentials, ``Unauthenticated`` or ``InvalidRequest`` with wrong ones, each
    as the service does.
    """
    if authorization := request.headers.get("Authorization"):
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated
        return _bearer(token.strip())
    if access_token := request.GET.get("access_token"):
        return _bearer(access_token)
    if key := request.headers.get("X-Goog-Api-Key") or request.GET.get("key"):
        return _key_holder(key) or _refuse_key()
    raise PermissionDenied("unregistered")


def permit(identity: Identity, job: Job, action: Action) -> None:
    """Raise ``PermissionDenied`` unless ``identity`` has a role that allows ``action``; administrators may do all."""
    if not (identity.administrator or _granted(identity, LEAST_ROLE[action]).filter(job=job).exists()):
        code = "owner_only" if action is Action.TRANSFER else "not_yours"
        raise PermissionDenied(code, name=job.name, action=action)


def permit_examples(identity: Identity, job: Job) -> None:
    """Raise ``PermissionDenied`` unless ``identity`` sent the examples of ``job``, and owns the model still: one that
    is given away takes them to nobody.
    """
    permit(identity, job, Action.DELETE)
    if not (identity.administrator or job.sent_by == identity.email.lower()):
        raise PermissionDenied("not_yours", name=job.name, action=Action.READ)


def require_administrator(identity: Identity) -> None:
    """Raise ``PermissionDenied`` unless ``identity`` is an administrator. Only the dashboard's assertions say so."""
    if not identity.administrator:
        raise PermissionDenied("administrators_only")


def visible_to(identity: Identity) -> Q:
    """The jobs whose READ :func:`permit` allows."""
    return Q() if identity.administrator else _in(_granted(identity, Role.READER))


def listed_for(identity: Identity) -> Q:
    """Those of them that are shown unasked: what is merely shared with everyone is not."""
    return Q() if identity.administrator else _in(Permission.objects.filter(_names(identity)))


def held_by(identity: Identity, role: Role) -> Q:
    """The jobs on which ``identity`` itself has exactly ``role``."""
    return _in(Permission.objects.filter(_names(identity), role=role))


def shared_with_everyone() -> Q:
    return _in(Permission.objects.filter(EVERYONE))


def _granted(identity: Identity, role: Role) -> QuerySet[Permission]:
    """What gives ``identity`` ``role`` or more."""
    return Permission.objects.filter(EVERYONE | _names(identity), role__lte=role)


def _names(identity: Identity) -> Q:
    """Permissions of the person, or of a team. Only the dashboard's assertions name teams, so a key is in none."""
    teams = [team.lower() for team in identity.teams]
    user = Q(grantee_type=GranteeType.USER, email=identity.email.lower())
    return user | Q(grantee_type=GranteeType.GROUP, email__in=teams)


def _in(permissions: QuerySet[Permission]) -> Q:
    return Q(pk__in=permissions.values("job"))


def _bearer(token: str) -> Identity:
    if token.count(".") == 2:  # a JWT; our keys hold no dot
        return assertions.verify(token, settings.TUNING_SECRET)
    if found := _key_holder(token):
        return found
    raise Unauthenticated


def _key_holder(key: str) -> Identity | None:
    found = ApiKey.objects.find(key)
    if found is None:
        return None
    found.touch()
    return KeyHolder(email=found.owner, key=found.pk)


def _refuse_key() -> Identity:
    raise InvalidRequest("api_key_invalid", service="generativelanguage.googleapis.com")
