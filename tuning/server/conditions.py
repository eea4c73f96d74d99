"""What the last bits of a job's losses depend on beside its recipe and its examples."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version

from django.conf import settings


def here() -> dict[str, str]:
    """This machine's part of it, as :class:`tuning.server.models.Job` keeps it."""
    return {"computed_by": settings.VERSION, "computed_with": _engine()}


@cache
def _engine() -> str:
    """The library that computes the losses, which is looked up and not loaded."""
    try:
        return f"torch {version('torch')}"
    except PackageNotFoundError:
        return ""
