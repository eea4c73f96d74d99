"""How much a person may have: jobs at once, and bytes of datasets.

Everybody may have what the settings say (``JOBS_AT_ONCE``, ``STORAGE_LIMIT_MB``; 0 sets no limit), unless an
administrator said otherwise of somebody. What is there already stays when a limit is lowered: only more is refused.
"""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Sum

from dashboard.accounts.models import User
from dashboard.people.models import MEBIBYTE, Allowance
from tuning.errors import Exhausted


@dataclass(frozen=True, slots=True)
class Quota:
    """How much somebody has, and may have; ``None``: as much as they like."""

    used: int
    limit: int | None


def jobs_of(person: User) -> Quota:
    """Jobs that are queued or running."""
    return Quota(person.jobs.unfinished().count(), _limit(_said_of(person), "jobs", settings.JOBS_AT_ONCE))


def storage_of(person: User) -> Quota:
    """Bytes of all versions of their datasets."""
    limit = _limit(_said_of(person), "storage_mb", settings.STORAGE_LIMIT_MB)
    return Quota(_stored(person), None if limit is None else limit * MEBIBYTE)


def admit_jobs(owner: User, more: int = 1, *, made: int = 0) -> None:
    """Raise ``Exhausted`` unless ``owner`` may have so many more jobs at once, of which ``made`` are there already.

    To be called in the transaction that makes them: it makes others of the same person wait.
    """
    limit = _limit(_said_of(owner), "jobs", settings.JOBS_AT_ONCE)
    if limit is None:
        return
    User.objects.select_for_update().get(pk=owner.pk)
    used = owner.jobs.unfinished().count() - made
    if used + more > limit:
        raise Exhausted("jobs_quota", used=used, limit=limit, more=more)


def admit_bytes(owner: User, more: int) -> None:
    """Raise ``Exhausted`` unless ``owner`` may keep so many more bytes. To be called as :func:`admit_jobs` is."""
    limit = _limit(_said_of(owner), "storage_mb", settings.STORAGE_LIMIT_MB)
    if limit is None:
        return
    User.objects.select_for_update().get(pk=owner.pk)
    if (used := _stored(owner)) + more > limit * MEBIBYTE:
        raise Exhausted("storage_quota", used=_megabytes(used), limit=f"{limit:,}", more=_megabytes(more))


def _stored(person: User) -> int:
    return person.datasets.aggregate(bytes=Sum("versions__size"))["bytes"] or 0


def _said_of(person: User) -> Allowance | None:
    return Allowance.objects.filter(person=person).first()


def _limit(said: Allowance | None, name: str, usual: int) -> int | None:
    """``None`` where there is no limit, which 0 says."""
    own: int | None = getattr(said, name, None)
    return (usual if own is None else own) or None


def _megabytes(size: int) -> str:
    return f"{size / MEBIBYTE:,.1f}"
