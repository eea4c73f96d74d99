"""What the engine's tests do with children: run them to their end, ask them, wait for what is coming."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tuning.engine import AnswerSpec, CountSpec, Ending, EngineAnswer, Event, Piece, Ready
from tuning.engine.answering import answers
from tuning.engine.children import Child, start_inference

Pair = tuple[str, str]

NUMBERS: list[Pair] = [
    ("1", "2"),
    ("3", "4"),
    ("-3", "-2"),
    ("twenty two", "twenty three"),
    ("two hundred", "two hundred one"),
    ("ninety nine", "one hundred"),
    ("8", "9"),
    ("-98", "-97"),
    ("1,000", "1,001"),
    ("10,100,000", "10,100,001"),
    ("thirteen", "fourteen"),
    ("eighty", "eighty one"),
    ("one", "two"),
    ("three", "four"),
    ("seven", "eight"),
]
"""The tutorial's fifteen examples: each is answered by the next number."""


@dataclass(frozen=True)
class Desk:
    """An inference child to be asked, greedily unless told otherwise."""

    child: Child
    ready: Ready
    base: str

    def ask(self, prompt: str, adapter: Path | None = None, timeout: float = 60, **changes: object) -> EngineAnswer:
        question = self._question(prompt, adapter, **changes)
        return answers.ask(self.ready.address, self.ready.key, question, timeout)

    def stream(
        self, prompt: str, adapter: Path | None = None, timeout: float = 60, **changes: object
    ) -> Generator[Piece | Ending, None, None]:
        question = self._question(prompt, adapter, **changes)
        return answers.stream(self.ready.address, self.ready.key, question, timeout)

    def count(self, prompt: str) -> int:
        return answers.count(self.ready.address, self.ready.key, CountSpec(base=self.base, prompt=prompt))

    def _question(self, prompt: str, adapter: Path | None, **changes: object) -> AnswerSpec:
        question = AnswerSpec(
            base=self.base, adapter=adapter, prompt=prompt, max_output_tokens=24, temperature=0.0, top_p=1.0, top_k=0
        )
        return replace(question, **changes)


@contextmanager
def serving(models: Path, adapters: Path, base: str) -> Iterator[Desk]:
    """An inference child over ``models`` and ``adapters``."""
    child = start_inference(models, adapters, threads=2)
    try:
        (ready,) = child.events(timeout=30)
        assert isinstance(ready, Ready)
        yield Desk(child, ready, base)
    finally:
        child.stop()


def finished(child: Child, within: float = 60) -> tuple[list[Event], int]:
    """All a child says until it ends, and its exit code."""
    events: list[Event] = []
    try:
        until(lambda: events.extend(child.events(0.1)) or child.exit_code is not None, within)
    finally:
        child.stop()
    assert child.exit_code is not None
    return events, child.exit_code


def until(condition: Callable[[], bool], within: float = 20) -> None:
    """Wait for ``condition``, at most so many seconds."""
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
