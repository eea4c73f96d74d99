"""With whom a tuned model is shared, and whose it is. Who may call these decides :mod:`tuning.server.access`.

A model has exactly one owner. The role is given away whole (:func:`transfer`) and cannot be granted, changed or taken
like the others, so neither a writer nor a slip leaves a model without an owner. Everyone may be a reader only: a
stranger who could edit would hardly be what somebody meant.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from tuning import resources
from tuning.assertions import same_in_any_spelling
from tuning.errors import AlreadyExists, InvalidRequest
from tuning.resources import GranteeType, Role
from tuning.server.creation import check_length
from tuning.server.models import Job, Permission

EMAIL_CHARACTERS = 254


def share(job: Job, asked: resources.Permission) -> Permission:
    """Give a role on ``job`` to a person, to a team or to everyone; without a type to a person.

    A GROUP's address is the name of a team, as the dashboard's assertions say who is in which; API keys speak for a
    person alone. Raises ``InvalidRequest``, or ``AlreadyExists`` where the grantee has a role.
    """
    granted = Permission(job=job, role=_grantable(asked.role), grantee_type=asked.grantee_type or GranteeType.USER)
    granted.email = _grantee(GranteeType(granted.grantee_type), asked.email_address)
    if granted.grantee_type == GranteeType.EVERYONE:
        granted.public_id = Permission.EVERYONE
        _check_everyone(granted, granted.role)
    try:
        with transaction.atomic():
            granted.save(force_insert=True)
    except IntegrityError as exc:
        raise AlreadyExists("permission_exists", grantee=granted.email or Permission.EVERYONE, name=job.name) from exc
    return granted


def change_role(permission: Permission, role: Role | None) -> None:
    """Raises ``InvalidRequest`` for the owner's permission, and for a role that cannot be given so."""
    _check_not_owner(permission)
    new = _grantable(role)
    _check_everyone(permission, new)
    # The owner's permission may have become this one at this moment.
    if Permission.objects.filter(pk=permission.pk).exclude(role=Role.OWNER).update(role=new):
        permission.role = new


def unshare(permission: Permission) -> None:
    """Take ``permission`` back. Raises ``InvalidRequest`` for the owner's."""
    _check_not_owner(permission)
    Permission.objects.filter(pk=permission.pk).exclude(role=Role.OWNER).delete()


def transfer(job: Job, email: str) -> None:
    """Make the person with address ``email`` the owner; the old one becomes a writer. Raises ``InvalidRequest``.

    To be called in one transaction with the question whether the caller is the owner.
    """
    person: dict[str, Any] = {"grantee_type": GranteeType.USER, "email": _address("email_address", email)}
    if job.permissions.filter(role=Role.OWNER).exclude(**person).update(role=Role.WRITER):
        job.permissions.update_or_create(**person, defaults={"role": Role.OWNER})


def _grantable(role: Role | None) -> Role:
    if not role:
        raise InvalidRequest("nothing_given", field="permission.role")
    if role is Role.OWNER:
        raise InvalidRequest("owner_fixed")
    return role


def _grantee(kind: GranteeType, address: str | None) -> str:
    """The checked address in its one spelling; of everyone none."""
    match kind:
        case GranteeType.USER:
            return _address("permission.email_address", address or "")
        case GranteeType.GROUP:
            return _team(address or "")
        case _ if address:
            raise InvalidRequest("out_of_range", field="permission.email_address", value=address[:80], rule="absent")
    return ""


def _address(field: str, text: str) -> str:
    address = same_in_any_spelling(text)
    check_length(field, address, EMAIL_CHARACTERS)
    try:
        validate_email(address)
    except ValidationError as exc:
        raise InvalidRequest("out_of_range", field=field, value=f'"{text[:80]}"', rule="an e-mail address") from exc
    return address


def _team(text: str) -> str:
    name, field = same_in_any_spelling(text), "permission.email_address"
    check_length(field, name, EMAIL_CHARACTERS)
    if not name or not name.isprintable():
        raise InvalidRequest("out_of_range", field=field, value=f'"{text[:80]}"', rule="a team's name")
    return name


def _check_everyone(permission: Permission, role: int) -> None:
    if permission.grantee_type == GranteeType.EVERYONE and role != Role.READER:
        raise InvalidRequest("out_of_range", field="permission.role", value=Role(role).name, rule="READER for everyone")


def _check_not_owner(permission: Permission) -> None:
    if permission.role == Role.OWNER:
        raise InvalidRequest("owner_fixed")
