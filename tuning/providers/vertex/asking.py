"""Questions to base models and to tuned models' endpoints."""

from collections.abc import Generator, Iterator
from pathlib import Path

import orjson

from tuning.client.google_cloud import LONG_TIMEOUT, GoogleCloud, Told
from tuning.errors import BadAnswer
from tuning.providers.base import Answer, Prompt, Tally
from tuning.providers.streaming import Piece
from tuning.providers.vertex import names, reading
from tuning.providers.vertex.datasets import chat

COUNTED_AT_ONCE = 500_000
"""Bytes of examples whose tokens are counted with one request."""


class Asking:
    """:meth:`tuning.providers.Provider.generate`, :class:`tuning.providers.Streamer`,
    :class:`tuning.providers.TokenCounter`.
    """

    _service: GoogleCloud
    _parent: str

    def generate(self, model: str, prompt: Prompt) -> Answer:
        path = f"v1/{self._asked(model)}:generateContent"
        told = self._service.tell("POST", path, _question(prompt), timeout=LONG_TIMEOUT)
        with reading.answers():
            text, reason = _said(told)
            asked, answered = _counted(told)
        if not reason:
            raise BadAnswer(detail="an answer without an end")
        return Answer(text=text, finish_reason=reason, prompt_tokens=asked, answer_tokens=answered)

    def stream(self, model: str, prompt: Prompt) -> Generator[Piece, None, None]:
        path = f"v1/{self._asked(model)}:streamGenerateContent"
        reason = ""
        for told in self._service.events_of(path, _question(prompt)):
            with reading.answers():
                text, reason = _said(told)
                asked, answered = _counted(told)
            yield Piece(text=text, finish_reason=reason, prompt_tokens=asked, answer_tokens=answered)
        if not reason:
            raise BadAnswer(detail="the stream ended before the answer did")

    def tally(self, base_model: str, dataset: Path) -> Tally:
        """The longest example is the one that has most bytes: a request for each would be one too many."""
        path = f"v1/{self._asked(base_model)}:countTokens"
        examples = tokens = 0
        longest: bytes = b""
        for rows in _batches(dataset):
            tokens += self._count(path, rows)
            examples += len(rows)
            longest = max([longest, *rows], key=len)
        return Tally(examples=examples, tokens=tokens, longest=self._count(path, [longest]) if longest else 0)

    def _count(self, path: str, rows: list[bytes]) -> int:
        contents = [content for row in rows for content in orjson.loads(row)["contents"]]
        with reading.answers():
            return reading.number(self._service.tell("POST", path, {"contents": contents})["totalTokens"])

    def _asked(self, model: str) -> str:
        """What a question is put to: an endpoint, or one of Google's models by its short name."""
        if names.PUBLISHED.fullmatch(model):
            return f"{self._parent}/publishers/google/models/{model}"
        return names.endpoint(model)


def _batches(dataset: Path) -> Iterator[list[bytes]]:
    with dataset.open("rb") as lines:
        while rows := lines.readlines(COUNTED_AT_ONCE):
            yield [chat(row) for row in rows]


def _question(prompt: Prompt) -> Told:
    said = {
        "temperature": prompt.temperature,
        "topP": prompt.top_p,
        "topK": prompt.top_k,
        "maxOutputTokens": prompt.max_output_tokens,
    }
    config = {name: value for name, value in said.items() if value is not None}
    contents = [{"role": "user", "parts": [{"text": prompt.text}]}]
    return {"contents": contents, **({"generationConfig": config} if config else {})}


def _said(told: Told) -> tuple[str, str]:
    """The text, thoughts apart, and why it ended, if it did. A question that is refused has no candidates."""
    candidates = told.get("candidates", [])
    if not candidates:
        return "", reading.text(reading.record(told, "promptFeedback").get("blockReason"))
    parts = reading.record(candidates[0], "content").get("parts", [])
    text = "".join(reading.text(part.get("text")) for part in parts if not part.get("thought"))
    return text, reading.text(candidates[0].get("finishReason"))


def _counted(told: Told) -> tuple[int, int]:
    usage = reading.record(told, "usageMetadata")
    return reading.number(usage.get("promptTokenCount")), reading.number(usage.get("candidatesTokenCount"))
