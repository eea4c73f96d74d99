"""What every sentence is made with: its two halves, and how numbers and names stand in it."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

UNKNOWN = (_("Something went wrong"), _("The technical detail says what."))
"""For a code that has no sentence."""
LONGEST = 300
"""Characters of a parameter that a sentence holds."""


@dataclass(frozen=True, slots=True)
class Message:
    """What happened, and what to do about it; ``link`` is where that is done, one of our pages or Google's console."""

    title: str
    advice: str
    link: str = ""
    link_text: str = ""


class Params(dict[str, object]):
    """What a sentence is filled with. A service may leave something out: the sentence then has a dash there."""

    def __missing__(self, name: str) -> str:
        return "–"


def filled(sentence: object, params: Mapping[str, object]) -> str:
    """``sentence`` with what ``params`` hold. What a service says has no more than its place in it."""
    known = {name: value[:LONGEST] if isinstance(value, str) else value for name, value in params.items()}
    return str(sentence) % Params({name: value for name, value in known.items() if value != ""})


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
