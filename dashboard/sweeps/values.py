"""What a person writes into a field that takes several values, read as numbers.

    0.0005, 0.001, 0.002      a list; spaces, commas, semicolons and line breaks part its values
    0.0001..0.01 x5           a range of so many values, both ends included ("to", "–" and "…" mean the same as "..")
    1..5                      a range without a number: each whole number, each doubling, or five, by the field
    0,0005; 0,001             with semicolons, a comma is a decimal one
    4, 8, 16..64 x3           lists and ranges together

Values that come twice count once; their order is the order of writing.
"""

import math
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

MOST = 64
"""Values of one field; as many as a sweep may have jobs."""
USUAL = 5
"""Values of a range that says no number, and has no natural one."""

_NUMBER = r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})(?:[eE][+-]?[0-9]{1,2})?"
_RANGE = re.compile(rf"({_NUMBER})\s*(?:\.\.\.?|…|–|to\b)\s*({_NUMBER})(?:\s*[x×*]\s*([0-9]{{1,6}}))?", re.IGNORECASE)
_SINGLE = re.compile(_NUMBER)
_BETWEEN = re.compile(r"[\s,;]*")


class Spacing(StrEnum):
    """How a range is filled. What is multiplied rather than added to (rates, sizes) is spaced by ratios."""

    RATIOS = "ratios"
    """Equal ratios, to three significant digits; five values where no number is said."""
    DOUBLINGS = "doublings"
    """Whole numbers at equal ratios; doubled from the lower end where no number is said."""
    WHOLE = "whole"
    """Whole numbers at equal distances; each of them where no number is said."""


class Unreadable(ValueError):
    """A text that holds no values: ``code`` says why, ``params`` what its sentence needs."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code, params)
        self.code, self.params = code, params


def read(text: str, spacing: Spacing) -> tuple[float, ...]:
    """The values that ``text`` means, whole numbers as ``int``. Raises ``Unreadable``.

    Codes: ``empty``, ``not_a_number`` (``found``), ``not_whole`` (``found``), ``not_positive`` (a range by ratios
    that begins at 0 or below), ``too_many`` (``most``).
    """
    found: dict[float, None] = {}
    for value in _values(_without_decimal_commas(text), spacing):
        found[value] = None
        if len(found) > MOST:
            raise Unreadable("too_many", most=MOST)
    if not found:
        raise Unreadable("empty")
    return tuple(found)


def written(values: tuple[float, ...]) -> str:
    """``values`` as a person would write them; :func:`read` gives them back."""
    return ", ".join(f"{value:.12g}" for value in values)


def _without_decimal_commas(text: str) -> str:
    return re.sub(r"(?<=[0-9]),(?=[0-9])", ".", text) if ";" in text else text


def _values(text: str, spacing: Spacing) -> Iterator[float]:
    place = _gap_end(text, 0)
    while place < len(text):
        said = _RANGE.match(text, place) or _SINGLE.match(text, place)
        after = said.end() if said else place
        following = _gap_end(text, after)
        if said is None or after == following < len(text):
            raise Unreadable("not_a_number", found=re.split(r"[\s;,]", text[place:])[0][:20])
        yield from _range(said, spacing) if said.re is _RANGE else [_number(said[0], spacing)]
        place = following


def _gap_end(text: str, place: int) -> int:
    gap = _BETWEEN.match(text, place)
    return gap.end() if gap else place


def _number(said: str, spacing: Spacing) -> float:
    value = float(said)
    if spacing == Spacing.RATIOS:
        return value
    if not value.is_integer():
        raise Unreadable("not_whole", found=said)
    return int(value)


def _range(match: re.Match[str], spacing: Spacing) -> list[float]:
    """The values between two ends, both included, in the direction in which they were said."""
    first, last = (_number(match[group], spacing) for group in (1, 2))
    count = int(match[3]) if match[3] else None
    low, high = sorted((first, last))
    if spacing != Spacing.WHOLE and low <= 0:
        raise Unreadable("not_positive", found=match[0][:20])
    if count is not None and count > MOST:
        raise Unreadable("too_many", most=MOST)
    values = _filled(low, high, count, spacing)
    return values if first <= last else values[::-1]


def _filled(low: float, high: float, count: int | None, spacing: Spacing) -> list[float]:
    if spacing == Spacing.WHOLE and count is None:
        if high - low >= MOST:
            raise Unreadable("too_many", most=MOST)
        return list(range(int(low), int(high) + 1))
    if spacing == Spacing.DOUBLINGS and count is None:
        doublings = int(math.log2(high / low))
        return [*(low * 2**exponent for exponent in range(doublings + 1)), high]
    return _spaced(low, high, USUAL if count is None else count, spacing)


def _spaced(low: float, high: float, count: int, spacing: Spacing) -> list[float]:
    """``count`` values from ``low`` to ``high``; rounding never moves an end."""
    shares = [place / (count - 1) for place in range(1, count - 1)]
    if spacing == Spacing.WHOLE:
        between: list[float] = [round(low + share * (high - low)) for share in shares]
    else:
        exact = [low * (high / low) ** share for share in shares]
        between = [float(f"{value:.3g}") if spacing == Spacing.RATIOS else round(value) for value in exact]
    ends = [low, high] if count > 1 else [low]
    return [*ends[:1], *(min(max(value, low), high) for value in between), *ends[1:]]
