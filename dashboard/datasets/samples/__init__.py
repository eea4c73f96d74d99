"""The datasets that come along, each one click away from being used."""

from dataclasses import dataclass
from pathlib import Path

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Sample:
    """A file beside this module. ``slug`` names it in addresses."""

    slug: str
    title: str | Promise
    description: str | Promise
    file: str

    @property
    def path(self) -> Path:
        return FOLDER / self.file


SAMPLES = (
    Sample(
        "next-number",
        _("Next number"),
        _("15 numbers and the number that follows each, from the Gemini API’s tuning tutorial. Tunes in seconds."),
        "next-number.csv",
    ),
    Sample(
        "support-intents",
        _("Support intents"),
        _(
            "400 messages to a shop’s support, and for each the one word that says what it is about: "
            "delivery, refund, billing … Tunes in a few minutes."
        ),
        "support-intents.jsonl",
    ),
)
