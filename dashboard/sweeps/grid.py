"""The jobs of a sweep: every combination of the values, each with a name that tells it from the others."""

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod

from django.utils.translation import gettext, ngettext

from dashboard.templatetags.tuneboard import plain

MOST_JOBS = 64
NAME_LENGTH = 40
SHORTEST_NAME = 8
"""So much of the sweep's own name stays, however long the values are."""

Values = dict[str, float]
"""One combination: a value for each field that takes several."""


def size(listed: Mapping[str, Sequence[float]]) -> int:
    """How many combinations there are."""
    return prod(len(set(values)) for values in listed.values())


def combinations(listed: Mapping[str, Sequence[float]]) -> list[Values]:
    """Each combination once; the first field changes last."""
    once = (tuple(dict.fromkeys(values)) for values in listed.values())
    return [dict(zip(listed, values, strict=True)) for values in product(*once)]


def varied(listed: Mapping[str, Sequence[float]]) -> list[str]:
    """The fields in which the combinations differ."""
    return [name for name, values in listed.items() if len(set(values)) > 1]


def job_name(name: str, values: Values, number: int) -> str:
    """ "Numbers · rate 0.002 · 5 epochs", at most 40 characters; where the values have no room, "Numbers · 17"."""
    end = "".join(f" · {said(field, value)}" for field, value in values.items())
    if len(end) > NAME_LENGTH - SHORTEST_NAME:
        end = f" · {number}"
    return name[: NAME_LENGTH - len(end)].rstrip() + end


def said(field: str, value: float) -> str:
    """A value with the word for what it is: "rate 0.002", "5 epochs"."""
    if field == "epoch_count":
        return ngettext("%(n)s epoch", "%(n)s epochs", int(value)) % {"n": int(value)}
    words = {
        "learning_rate": gettext("rate %(n)s"),
        "batch_size": gettext("batch %(n)s"),
        "rank": gettext("rank %(n)s"),
        "seed": gettext("seed %(n)s"),
    }
    return words[field] % {"n": plain(value)}
