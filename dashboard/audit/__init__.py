"""The audit log: who did what to which object, when, and from where.

Every room writes here what people do in it: ``audit.record(request, "job.cancelled", job)``, in the transaction that
does it. Where another service does it, the entry follows at once. A code's sentence stands in
:data:`dashboard.messages.AUDIT`. Secrets, tokens and texts of examples, prompts or answers are never said here.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.db.models import Model
    from django.http import HttpRequest

Fact = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Thing:
    """An object that is no row here: an API key, a base model of the engine."""

    kind: str
    key: str
    name: str


def record(
    by: "HttpRequest | AbstractBaseUser | None", event: str, about: "Model | Thing | None" = None, **facts: Fact
) -> None:
    """Write down that ``by`` did ``event`` (``noun.verb``) to ``about``. ``None`` is Tuneboard itself.

    Where it came from says the request that is being answered, also where ``by`` is a person. Of an object only its
    kind, key and present name are kept, so it may be gone afterwards: record before it is deleted, for then a row
    has no key any more.
    """
    from dashboard.audit.models import Entry  # noqa: PLC0415 - models load after apps, and every room's import this

    Entry.objects.record(by, event, about, facts)
