"""Training data: from JSONL to tokens, and from tokens to batches that run on across the ends of epochs."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import orjson
import torch
from numpy.typing import NDArray
from torch import Tensor

from tuning.engine.catalogue import BaseModelEntry
from tuning.engine.prompts import Prompts
from tuning.errors import EngineError

IGNORED = -100
"""The label of a token that is given, not learnt (torch's ``cross_entropy`` leaves it out)."""


@dataclass(slots=True)
class Corpus:
    """Tokenised examples end to end, four bytes a token: 100,000 examples of 200 tokens take 80 MB."""

    tokens: "array[int]" = field(default_factory=lambda: array("i"))
    starts: "array[int]" = field(default_factory=lambda: array("q"))
    outputs: "array[int]" = field(default_factory=lambda: array("q"))
    shortened: int = 0
    """Of how many examples the input was cut to fit the model's context."""

    def __len__(self) -> int:
        return len(self.starts)

    def add(self, prompt: list[int], output: list[int]) -> None:
        self.starts.append(len(self.tokens))
        self.tokens.extend(prompt)
        self.outputs.append(len(self.tokens))
        self.tokens.extend(output)

    def __getitem__(self, number: int) -> tuple[NDArray[np.int32], int]:
        """The tokens of an example, and how many of them are the prompt."""
        end = self.starts[number + 1] if number + 1 < len(self) else len(self.tokens)
        start = self.starts[number]
        return np.array(self.tokens[start:end], dtype=np.int32), self.outputs[number] - start


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples side by side, padded on the right. Shapes are (examples, tokens); labels are not shifted yet."""

    tokens: Tensor
    mask: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> "Batch":
        return Batch(self.tokens.to(device), self.mask.to(device), self.labels.to(device))


def tokenise(path: Path, prompts: Prompts, entry: BaseModelEntry) -> Corpus:
    """The examples of a JSONL file of ``text_input``/``output`` rows.

    An input that is too long loses its beginning: what is asked usually stands at the end. An output is never cut,
    for the model would learn to stop in the middle.

    Raises ``EngineError``: ``example_too_long`` (an output over the limit), ``no_labels`` (no example at all, or none
    with an output), ``example_invalid``; the first and the last name the row, counted from 1.
    """
    corpus = Corpus()
    for row, (text, answer) in enumerate(_rows(path), start=1):
        output = prompts.output(answer)
        if len(output) > entry.output_token_limit:
            raise EngineError("example_too_long", row=row)
        given = prompts.tokens(text)
        room = entry.input_token_limit - prompts.surroundings
        corpus.shortened += len(given) > room
        corpus.add(prompts.around(given[-room:]), output)
    if not len(corpus):
        raise EngineError("no_labels")
    return corpus


def batches(corpus: Corpus, size: int, epochs: int, seed: int) -> Iterator[Batch]:
    """Batches of ``size`` examples out of ``epochs`` runs through all of them, each in an order of its own.

    A batch that begins in one epoch ends in the next, as at the recorded service; the very last may be shorter.
    """
    numbers = _order(len(corpus), epochs, seed)
    while chosen := list(islice(numbers, size)):
        yield collate([corpus[number] for number in chosen])


def collate(examples: list[tuple[NDArray[np.int32], int]]) -> Batch:
    """One batch. Only outputs are labelled: the prompt is given, not learnt."""
    shape = len(examples), max(len(tokens) for tokens, _ in examples)
    tokens, mask = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    labels = torch.full(shape, IGNORED)
    for row, (values, given) in enumerate(examples):
        tokens[row, : len(values)] = torch.from_numpy(values)
        mask[row, : len(values)] = 1
        labels[row, given : len(values)] = torch.from_numpy(values[given:])
    return Batch(tokens, mask, labels)


def _order(count: int, epochs: int, seed: int) -> Iterator[int]:
    for epoch in range(epochs):
        yield from np.random.default_rng((seed, epoch)).permutation(count).tolist()


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    with path.open("rb") as lines:
        for row, line in enumerate(lines, start=1):
            yield _pair(line, row)


def _pair(line: bytes, row: int) -> tuple[str, str]:
    """The row's texts; no part of them may be in the error."""
    try:
        values = orjson.loads(line)
        text, output = values["text_input"], values["output"]
    except (ValueError, LookupError, TypeError):
        raise EngineError("example_invalid", row=row) from None
    if not isinstance(text, str) or not isinstance(output, str):
        raise EngineError("example_invalid", row=row)
    return text, output
