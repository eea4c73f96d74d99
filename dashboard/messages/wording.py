"""What every sentence is made with: its two halves, and how numbers and names stand in it."""

from dataclasses import dataclass

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

UNKNOWN = (_("Something went wrong"), _("The technical detail says what."))
"""For a code that has no sentence."""


@dataclass(frozen=True, slots=True)
class Message:
    """What happened, and what to do about it."""

    title: str
    advice: str


def written(value: object) -> str:
    """A parameter as it stands in a sentence: numbers with separators, names in quotation marks."""
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(f"“{name}”" for name in value) or gettext("none")
    return str(value)


def written_number(value: float) -> str:
    """A number as people write it: 0.001, not 1e-3."""
    return f"{value:.10f}".rstrip("0").rstrip(".")


def written_loss(value: float) -> str:
    """A loss with as many digits as mean something."""
    return f"{value:.3g}" if abs(value) < 0.1 else f"{value:.2f}"
