"""Who may do what with a tuned model."""

from dataclasses import dataclass
from enum import IntEnum


class GranteeType(IntEnum):
    """To whom a permission is given; the numbers are the proto's."""

    GRANTEE_TYPE_UNSPECIFIED = 0
    USER = 1
    GROUP = 2
    EVERYONE = 3


class Role(IntEnum):
    """What a permission allows; the numbers are the proto's. The smaller the number, the more it allows.

    A reader asks the model, a writer changes and shares it, too, and the owner may also delete it and give it away.
    """

    ROLE_UNSPECIFIED = 0
    OWNER = 1
    WRITER = 2
    READER = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Permission:
    """One grantee's role (``tunedModels/…/permissions/…``). EVERYONE has no e-mail address."""

    name: str = ""
    grantee_type: GranteeType | None = None
    email_address: str | None = None
    role: Role | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PermissionPage:
    permissions: tuple[Permission, ...] = ()
    next_page_token: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferOwnershipRequest:
    """``name`` is the tuned model, as in the path; ``email_address`` its new owner."""

    name: str = ""
    email_address: str = ""
