"""Answers that are read while they are made."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from tuning.providers.base import Prompt


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """What was added to an answer. How it ended, and what it came to, stands in the last piece; see
    :class:`tuning.providers.Answer`.
    """

    text: str
    finish_reason: str = ""
    prompt_tokens: int = 0
    answer_tokens: int = 0


@runtime_checkable
class Streamer(Protocol):
    """What a provider may be besides: a service whose answers can be read piece by piece."""

    def stream(self, model: str, prompt: Prompt) -> Generator[Piece, None, None]:
        """As :meth:`Provider.generate`, but while the answer is made. Closing the generator hangs up.

        What fails half-way is raised after the pieces that came before; an answer that breaks off is ``BadAnswer``.
        """
