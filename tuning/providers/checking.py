"""Whether a connection works, told line by line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from tuning.errors import ServiceError


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing that was looked at. ``code`` names it, for instance ``reachable``, ``signed_in``, ``scope``, ``api`` or
    ``bucket``; the dashboard has a sentence for each, for when it is well and for when it is not.

    ``link`` is where it is put right: a page of the service's console. ``detail`` names what was looked at, such as the
    API, the scope or the bucket; never a secret. ``error`` is what the service said: it tells why more exactly.
    """

    code: str
    ok: bool
    link: str = ""
    detail: str = ""
    error: ServiceError | None = None


@runtime_checkable
class Checker(Protocol):
    """What a provider may be besides: a service that can say what is missing before anything is started."""

    def check(self) -> Sequence[Check]:
        """Look at everything a job will need, and leave nothing behind. What is missing is a check that is not ok;
        checks that cannot be made because of it are left out. Raises nothing but bugs.
        """
