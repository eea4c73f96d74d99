"""What a job learns from and what it is judged by."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuning.engine import Log, Sampled, TuneSpec
from tuning.engine.bases import catalogue
from tuning.engine.bases.prompts import Prompts
from tuning.engine.learning.corpus import Corpus, Example, split, tokenise

SAMPLE_TOKENS = 64
"""A sample answer is cut off here: it shows how the model speaks, not all that it says."""


class Selection(Sequence[Example]):
    """Some examples of a corpus, read when they are wanted."""

    def __init__(self, corpus: Corpus, numbers: NDArray[np.int64]) -> None:
        self._corpus, self._numbers = corpus, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, place: int) -> Example:  # type: ignore[override]  # no slices are wanted
        return self._corpus[int(self._numbers[place])]


@dataclass(frozen=True, slots=True)
class Question:
    """A held-out prompt to be answered at each epoch's end. ``row`` counts the held-out examples from 1."""

    row: int
    example: Example
    prompts: Prompts

    @property
    def tokens(self) -> list[int]:
        return list(self.example.tokens[: self.example.given].tolist())

    @property
    def end(self) -> int:
        return self.prompts.end[-1]

    def answered(self, step: int, epoch: int, answer: list[int]) -> Sampled:
        known = self.prompts
        asked = self.tokens[len(known.before) : self.example.given - len(known.after)]
        expected = self.example.tokens[self.example.given : -len(known.end)].tolist()
        texts = [known.text(tokens) for tokens in (asked, expected, answer)]
        return Sampled(step=step, epoch=epoch, row=self.row, prompt=texts[0], expected=texts[1], answer=texts[2])


@dataclass(frozen=True, slots=True)
class Data:
    """The examples to learn from, those held out, and the held-out prompts that are answered."""

    learnt: Selection
    held: Selection
    questions: tuple[Question, ...]


def read(spec: TuneSpec) -> Generator[Log, None, Data]:
    """The job's examples as tokens, in its work folder. Raises what ``corpus.tokenise`` does."""
    entry = catalogue.entry(spec.base, spec.models)
    prompts = Prompts(catalogue.prepared(spec.base, spec.models), entry.prompt_format)

    def tokens(path: Path, name: str) -> Generator[Log, None, Corpus]:
        corpus = tokenise(path, spec.work / name, prompts, entry, spec.recipe.longest)
        yield Log("info", f"{len(corpus):,} examples, {corpus.token_count:,} tokens")
        if corpus.shortened:
            yield Log("warning", _shortened(corpus))
        return corpus

    corpus = yield from tokens(spec.examples, "examples")
    if spec.held_out:
        held_corpus = yield from tokens(spec.held_out, "validation")
        learnt, held = Selection(corpus, np.arange(len(corpus))), Selection(held_corpus, np.arange(len(held_corpus)))
    else:
        learnt, held = (Selection(corpus, numbers) for numbers in split(len(corpus), spec.recipe))
    few = range(min(spec.recipe.samples, len(held)))
    return Data(learnt, held, tuple(Question(row + 1, held[row], prompts) for row in few))


def _shortened(corpus: Corpus) -> str:
    rows = ", ".join(map(str, corpus.shortened))
    more = "" if corpus.shortened_count == len(corpus.shortened) else " …"
    told = "inputs are longer than the model can read and lost their beginning"
    return f"{corpus.shortened_count:,} {told}: rows {rows}{more}"
