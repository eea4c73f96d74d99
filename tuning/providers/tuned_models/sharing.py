"""Sharing and presenting a tuned model where the service speaks the tuned-models API."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from tuning import resources
from tuning.client import TunedModels
from tuning.errors import BadAnswer, InvalidRequest, NotFound
from tuning.providers.sharing import Grantee, Permission, Presentation, Role
from tuning.resources import GranteeType, TunedModel

ROLES = {Role.READER: resources.Role.READER, Role.WRITER: resources.Role.WRITER, Role.OWNER: resources.Role.OWNER}
OUR_ROLES = {theirs: ours for ours, theirs in ROLES.items()}
GRANTEES = {
    Grantee.PERSON: GranteeType.USER,
    Grantee.TEAM: GranteeType.GROUP,
    Grantee.EVERYONE: GranteeType.EVERYONE,
}
OUR_GRANTEES = {theirs: ours for ours, theirs in GRANTEES.items()}
MOST = 5_000
"""Permissions of one model; a service that tells of more is not believed."""
LONGEST_NAME, LONGEST_TEXT = 40, 100_000
"""Characters; a description has no limit in the API, and some in any sense."""
PRESENTED = frozenset({"display_name", "description", "temperature", "top_p", "top_k"})


class Sharing:
    """:class:`tuning.providers.sharing.Sharer` and :class:`tuning.providers.sharing.Editor`."""

    _service: TunedModels

    def permissions(self, model: str) -> Sequence[Permission]:
        told = list(islice(self._service.permissions(model), MOST + 1))
        if len(told) > MOST:
            raise BadAnswer(detail=f"more than {MOST} permissions of one model")
        return [_permission(granted) for granted in told]

    def share(self, model: str, grantee: Grantee, address: str, role: Role) -> Permission:
        asked = resources.Permission(grantee_type=GRANTEES[grantee], email_address=address or None, role=ROLES[role])
        return _permission(self._service.create_permission(model, asked))

    def change_role(self, ref: str, role: Role) -> Permission:
        return _permission(self._service.change_role(ref, ROLES[role]))

    def unshare(self, ref: str) -> None:
        try:
            self._service.delete_permission(ref)
        except NotFound:
            return

    def transfer(self, model: str, address: str) -> None:
        self._service.transfer_ownership(model, address)

    def presentation(self, model: str) -> Presentation:
        return _presentation(self._service.get(model))

    def present(self, model: str, changes: Mapping[str, object]) -> Presentation:
        if strange := changes.keys() - PRESENTED:
            raise InvalidRequest(detail=f"no field of a presentation: {min(strange)}")
        values: dict[str, Any] = dict(changes)
        return _presentation(self._service.patch(model, TunedModel(**values), sorted(changes)))


def _permission(granted: resources.Permission) -> Permission:
    """Raises ``BadAnswer`` for one that gives nothing, or nobody anything."""
    try:
        grantee = OUR_GRANTEES[granted.grantee_type or GranteeType.GRANTEE_TYPE_UNSPECIFIED]
        role = OUR_ROLES[granted.role or resources.Role.ROLE_UNSPECIFIED]
    except KeyError as exc:
        raise BadAnswer(detail=f"a permission of no kind that is known: {granted.name[:80]}") from exc
    return Permission(ref=granted.name, grantee=grantee, role=role, address=(granted.email_address or "").lower())


def _presentation(model: TunedModel) -> Presentation:
    """Raises ``BadAnswer`` for what no service of that API may say."""
    sampling = (model.temperature, model.top_p, model.top_k)
    if len(model.display_name) > LONGEST_NAME or len(model.description) > LONGEST_TEXT:
        raise BadAnswer(detail="a name or a description that is too long")
    if any(value is not None and not 0 <= value < 2**31 for value in sampling):
        raise BadAnswer(detail=f"sampling out of range: {sampling!r:.100}")
    return Presentation(
        display_name=model.display_name,
        description=model.description,
        temperature=model.temperature,
        top_p=model.top_p,
        top_k=model.top_k,
    )
