"""How well an answer is what was expected, and how sure a share of good answers is. Pure: texts and numbers in."""

import math
import re
import unicodedata
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

Z = 1.959963984540054
"""The normal distribution's quantile for 95 %."""
PIECES = re.compile(r"\s+|\w+|[^\w\s]")
LONGEST = 20_000
"""Characters of an answer whose differences are looked for."""


@dataclass(frozen=True, slots=True)
class Score:
    """``exact``: the same but for white space at either end. ``normalised``: the same but for case, punctuation and the
    width of gaps, too. ``similarity``: 1 less the share of characters to be changed (Levenshtein), from 0 to 1.
    """

    exact: bool
    normalised: bool
    similarity: float


@dataclass(frozen=True, slots=True)
class Share:
    """``count`` of ``total``, and between which shares it would lie, 95 times of 100, with other examples of the kind:
    the interval of Wilson, Journal of the American Statistical Association 22 (1927), which holds for few as well.
    """

    count: int
    total: int

    @property
    def value(self) -> float:
        """From 0 to 1; of nothing, 0."""
        return self.count / self.total if self.total else 0.0

    @property
    def low(self) -> float:
        return max(self._middle - self._reach, 0.0) if self.count else 0.0

    @property
    def high(self) -> float:
        return min(self._middle + self._reach, 1.0) if self.count < self.total else 1.0

    @property
    def _middle(self) -> float:
        return (self.count + Z**2 / 2) / (self.total + Z**2)

    @property
    def _reach(self) -> float:
        spread = self.count * (self.total - self.count) / self.total + Z**2 / 4
        return Z * math.sqrt(spread) / (self.total + Z**2)


def score(expected: str, answer: str) -> Score:
    """Of one answer."""
    wanted, given = expected.strip(), answer.strip()
    exact = wanted == given
    similarity = Levenshtein.normalized_similarity(wanted, given)
    return Score(exact, exact or _alike(wanted, given), similarity)


def normalised(text: str) -> str:
    """``text`` without case, punctuation and gaps that tell nothing."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = (" " if unicodedata.category(sign).startswith("P") else sign for sign in folded)
    return " ".join("".join(kept).split())


def differences(expected: str, answer: str) -> list[tuple[str, bool]]:
    """``answer`` in pieces, each with whether it differs from what was expected there. Words are told apart, not
    letters; a text that is too long for that is one piece.
    """
    if max(len(expected), len(answer)) > LONGEST:
        return [(answer, False)]
    wanted, given = PIECES.findall(expected.strip()), PIECES.findall(answer)
    pieces = [
        ("".join(given[step.dest_start : step.dest_end]), step.tag != "equal")
        for step in Levenshtein.opcodes(wanted, given)
    ]
    return [(text, differs and not text.isspace()) for text, differs in pieces if text]


def _alike(wanted: str, given: str) -> bool:
    """Whether they are the same once normalised; where nothing is left of them, they are not."""
    told = normalised(wanted)
    return bool(told) and told == normalised(given)
