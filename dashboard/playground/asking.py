"""A question to a model, and what comes of it: piece by piece where its service tells it so."""

import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field

from dashboard.accounts.models import User
from dashboard.library import uses
from dashboard.messages import FINISH_REASONS, Message, explain
from dashboard.playground.offers import Target
from tuning.errors import ServiceError
from tuning.providers import Piece, Prompt, Provider, Streamer


@dataclass(kw_only=True, slots=True)
class Turn:
    """A prompt and what came of it: an answer, the reason why there is none, or both where it broke off."""

    target: Target
    prompt: Prompt
    answer: str = ""
    end: Piece = field(default_factory=lambda: Piece(text=""))
    """How the answer ended, and what it came to."""
    seconds: float = 0.0
    refusal: Message | None = None
    detail: str = ""

    @property
    def finish_reason(self) -> str:
        """In words, or the service's own where there are none for it."""
        return str(FINISH_REASONS.get(self.end.finish_reason, self.end.finish_reason))

    def told_to(self, user: User) -> Generator[str, None, None]:
        """Put the question in the name of ``user``: what is added to the answer, as it comes. Then the turn is whole.

        Closing the generator hangs up.
        """
        begun = time.monotonic()
        try:
            provider = self.target.connection.open_for(user)
            with closing(_pieces(provider, self.target.model, self.prompt)) as pieces:
                for piece in pieces:
                    self._add(piece)
                    yield piece.text
            if self.target.is_tuned:
                uses.note(self.target.connection, self.target.model)
        except ServiceError as error:
            self.refusal, self.detail = explain(error), error.detail
        self.seconds = time.monotonic() - begun

    def _add(self, piece: Piece) -> None:
        """What it came to may be told after how it ended."""
        self.answer += piece.text
        self.end = Piece(
            text="",
            finish_reason=piece.finish_reason or self.end.finish_reason,
            prompt_tokens=piece.prompt_tokens or self.end.prompt_tokens,
            answer_tokens=piece.answer_tokens or self.end.answer_tokens,
        )


def _pieces(provider: Provider, model: str, prompt: Prompt) -> Generator[Piece, None, None]:
    """The answer in pieces; in one where the service gives it whole."""
    if isinstance(provider, Streamer):
        yield from provider.stream(model, prompt)
        return
    whole = provider.generate(model, prompt)
    counts = {"prompt_tokens": whole.prompt_tokens, "answer_tokens": whole.answer_tokens}
    yield Piece(text=whole.text, finish_reason=whole.finish_reason, **counts)
