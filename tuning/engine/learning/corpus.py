"""Training data: from JSONL to tokens in a file, and from there to packed batches.

The tokens are written once and read where they lie, so that a job's memory does not grow with its dataset.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import orjson
import torch
from numpy.typing import NDArray
from torch import Tensor

from tuning.engine.bases.catalogue import BaseModelEntry
from tuning.engine.bases.prompts import Prompts
from tuning.engine.learning import ops
from tuning.engine.learning.ops import Span
from tuning.engine.staging import staged
from tuning.errors import EngineError
from tuning.recipes import Recipe, held_out

TOKENS, ENDS, FACTS = "tokens.i32", "ends.i64", "facts.json"

ROWS_NAMED = 20
"""Shortened examples that are named by their rows; of more, the number is told."""

JOINED = 128
"""Tokens up to which short examples share one matrix of attention: many small products cost more than a few in vain."""

PIECE = {"cpu": 2_048, "cuda": 16_384}
"""Tokens of a batch that go through the model at once; a larger batch adds up the gradients of its pieces."""


@dataclass(frozen=True, slots=True)
class Example:
    """Tokens, and how many of them are the prompt."""

    tokens: NDArray[np.int32]
    given: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples end to end, without padding. ``labels`` are the tokens to follow the rows ``labelled``."""

    tokens: Tensor
    positions: Tensor
    spans: tuple[Span, ...]
    labelled: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> "Batch":
        tensors = (values.to(device) for values in (self.tokens, self.positions, self.labelled, self.labels))
        tokens, positions, labelled, labels = tensors
        masks = (None if span.mask is None else span.mask.to(device) for span in self.spans)
        spans = tuple(Span(span.start, span.stop, mask) for span, mask in zip(self.spans, masks, strict=True))
        return Batch(tokens, positions, spans, labelled, labels)


class Corpus:
    """The examples in a folder that :func:`tokenise` made."""

    def __init__(self, folder: Path) -> None:
        facts = orjson.loads((folder / FACTS).read_bytes())
        self.shortened: list[int] = facts["shortened"]
        """Rows, counted from 1, whose input was cut to fit; the first of them."""
        self.shortened_count: int = facts["shortened_count"]
        self._ends = np.memmap(folder / ENDS, np.int64, "r").reshape(-1, 2)
        self._tokens = folder / TOKENS

    def __len__(self) -> int:
        return len(self._ends)

    @property
    def token_count(self) -> int:
        return self._tokens.stat().st_size // 4

    def __getitem__(self, number: int) -> Example:
        start = int(self._ends[number - 1, 1]) if number else 0
        middle, end = self._ends[number].tolist()
        # Read, not mapped: the pages of a map that were touched count as the process's own.
        tokens = np.fromfile(self._tokens, np.int32, count=end - start, offset=4 * start)
        return Example(tokens, middle - start)


def tokenise(path: Path, folder: Path, prompts: Prompts, entry: BaseModelEntry, longest: int | None = None) -> Corpus:
    """The examples of a JSONL file of ``text_input``/``output`` rows, their tokens in ``folder``: made unless it is
    there.

    An example may have ``longest`` tokens, else what the base model reads. An input that is too long loses its
    beginning: what is asked usually stands at the end. An output is never cut, for the model would learn to stop in
    the middle.

    Raises ``EngineError``: ``example_too_long`` (an output over the limit), ``no_labels`` (no example at all),
    ``example_invalid``; the first and the last name the row, counted from 1.
    """
    if not folder.exists():
        with staged(folder) as aside, (aside / TOKENS).open("wb") as tokens, (aside / ENDS).open("wb") as ends:
            _Writer(prompts, entry, longest, tokens, ends).write(path, aside / FACTS)
    return Corpus(folder)


class _Writer:
    def __init__(
        self, prompts: Prompts, entry: BaseModelEntry, longest: int | None, tokens: BinaryIO, ends: BinaryIO
    ) -> None:
        self._prompts, self._entry = prompts, entry
        self._longest = min(longest or entry.context_tokens, entry.context_tokens)
        self._tokens, self._ends = tokens, ends
        self._written = 0
        self._shortened: list[int] = []
        self._shortened_count = 0

    def write(self, path: Path, facts: Path) -> None:
        for row, (text, answer) in enumerate(_rows(path), start=1):
            self._add(row, text, answer)
        if not self._written:
            raise EngineError("no_labels")
        told = {"shortened": self._shortened, "shortened_count": self._shortened_count}
        facts.write_bytes(orjson.dumps(told))

    def _add(self, row: int, text: str, answer: str) -> None:
        output = self._prompts.output(answer)
        room = min(self._entry.input_token_limit, self._longest - len(output)) - self._prompts.surroundings
        if len(output) > self._entry.output_token_limit or room <= 0:
            raise EngineError("example_too_long", row=row)
        given = self._prompts.tokens(text)
        if len(given) > room:
            self._shortened_count += 1
            self._shortened += [row] if len(self._shortened) < ROWS_NAMED else []
        prompt = self._prompts.around(given[-room:])
        middle = self._written + len(prompt)
        self._written = middle + len(output)
        self._tokens.write(array("i", [*prompt, *output]).tobytes())
        self._ends.write(array("q", [middle, self._written]).tobytes())


def split(count: int, recipe: Recipe) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers (from 0) of the examples to learn from, and of those held out by the recipe's share."""
    held = held_out(count, recipe.validation)
    if not held:
        return np.arange(count), np.arange(0)
    order = np.random.default_rng((recipe.seed, count)).permutation(count)
    return np.sort(order[:-held]), order[-held:]


def order(count: int, recipe: Recipe, start: int = 0) -> Iterator[int]:
    """The numbers (from 0) of ``count`` examples in the order in which they are learnt, from place ``start`` on: all of
    them in each epoch, each epoch in an order of its own.
    """
    for epoch in range(start // count, recipe.epoch_count):
        places = np.random.default_rng((recipe.seed, epoch)).permutation(count)
        yield from map(int, places[start - epoch * count if epoch == start // count else 0 :])


def pieces(examples: Sequence[Example], device: torch.device, dtype: torch.dtype) -> Iterator[Batch]:
    """``examples`` packed, in pieces that fit through the model at once."""
    for few in _parted(examples, PIECE[device.type]):
        yield pack(few, dtype).to(device)


def pack(examples: Sequence[Example], dtype: torch.dtype) -> Batch:
    """One batch. Only outputs are labelled: the prompt is given, not learnt. A few tokens that nobody looks at make
    its length a round one (:func:`tuning.engine.learning.ops.rounded`).
    """
    lengths = [len(example.tokens) for example in examples]
    filling = ops.rounded(sum(lengths)) - sum(lengths)
    lengths += [filling] if filling else []
    tokens = np.concatenate([*(example.tokens for example in examples), np.zeros(filling, np.int32)])
    ends = np.cumsum(lengths)[: len(examples)].tolist()
    learnt = [
        torch.arange(end - len(example.tokens) + example.given, end) - 1
        for end, example in zip(ends, examples, strict=True)
    ]
    rows, known = torch.cat(learnt), torch.from_numpy(tokens).long()
    return Batch(
        known, torch.cat([torch.arange(length) for length in lengths]), _spans(lengths, dtype), rows, known[rows + 1]
    )


def _spans(lengths: Sequence[int], dtype: torch.dtype) -> tuple[Span, ...]:
    spans, start = [], 0
    for few in _joined(lengths):
        stop = start + sum(few)
        spans.append(Span(start, stop, _mask(few, dtype)))
        start = stop
    return tuple(spans)


def _mask(lengths: Sequence[int], dtype: torch.dtype) -> Tensor | None:
    """Each token sees itself and those before it in its example."""
    tokens = sum(lengths)
    if len(lengths) == 1 and tokens > ops.LONGEST_EXACT:
        return None
    example = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    unseen = (example[:, None] != example).logical_or_(torch.ones(tokens, tokens).triu_(1).bool())
    mask = torch.zeros(ops.rounded(tokens), ops.rounded(tokens), dtype=dtype)
    mask[:, tokens:] = -torch.inf
    mask[:tokens, :tokens].masked_fill_(unseen, -torch.inf)
    return mask


def _joined(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Neighbours together as long as they have at most :data:`JOINED` tokens."""
    few: list[int] = []
    for length in lengths:
        if few and sum(few) + length > JOINED:
            yield few
            few = []
        few.append(length)
    yield few


def _parted(examples: Sequence[Example], most: int) -> Iterator[list[Example]]:
    few: list[Example] = []
    tokens = 0
    for example in examples:
        if few and tokens + len(example.tokens) > most:
            yield few
            few, tokens = [], 0
        few.append(example)
        tokens += len(example.tokens)
    yield few


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
