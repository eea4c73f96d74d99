"""With whom a model is shared at its service, and how it presents itself there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Protocol, runtime_checkable


class Role(IntEnum):
    """What somebody may do with a model; the greater, the more. Each may do what the lesser ones may."""

    READER = 1
    """Ask it, see how it came about, take it away."""
    WRITER = 2
    """Change how it presents itself, and share it."""
    OWNER = 3
    """Delete it and give it away. A model has one owner."""


class Grantee(StrEnum):
    """To whom a role is given."""

    PERSON = "person"
    TEAM = "team"
    EVERYONE = "everyone"


@dataclass(frozen=True, kw_only=True, slots=True)
class Permission:
    """One grantee's role. ``address`` is a person's e-mail or a team's group, empty for everyone; ``ref`` is the
    permission's name at the service, opaque to everybody but its provider.
    """

    ref: str
    grantee: Grantee
    role: Role
    address: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Presentation:
    """What a model is called, and how its answers are sampled where a question says nothing of it."""

    display_name: str
    description: str = ""
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None


@runtime_checkable
class Sharer(Protocol):
    """What a provider may be besides: a service that keeps who may do what with a model, and judges by it.

    ``model`` is a tuned model's name. Every method raises ``PermissionDenied`` where this person may not do that, and
    ``NotFound`` where the model or the permission is gone.
    """

    def permissions(self, model: str) -> Sequence[Permission]:
        """Everybody's, the owner's included. Only those who may change them see them."""

    def share(self, model: str, grantee: Grantee, address: str, role: Role) -> Permission:
        """Give a role that nobody has yet there. Raises ``AlreadyExists`` where the grantee has one, and
        ``InvalidRequest`` for the owner's role, or one that the service gives no such grantee.
        """

    def change_role(self, ref: str, role: Role) -> Permission:
        """Raises ``InvalidRequest`` as :meth:`share` does, and for the owner's permission."""

    def unshare(self, ref: str) -> None:
        """Take a role back. Taking back what is gone is no error; raises ``InvalidRequest`` for the owner's."""

    def transfer(self, model: str, address: str) -> None:
        """Make a person the owner; who was it becomes a writer."""


@runtime_checkable
class Editor(Protocol):
    """What a provider may be besides: a service whose models can be presented anew."""

    def presentation(self, model: str) -> Presentation:
        """How ``model`` presents itself now. Raises ``NotFound``."""

    def present(self, model: str, changes: Mapping[str, object]) -> Presentation:
        """Change those fields of :class:`Presentation` that ``changes`` names, and no other; ``None`` has a sampling
        parameter follow the base model again. Raises ``InvalidRequest`` for a value that the service does not take.
        """
