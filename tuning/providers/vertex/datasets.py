"""Examples as Vertex AI wants them: JSONL of chats of one question and one answer.

https://cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-supervised-tuning-prepare
"""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import orjson

from tuning.providers.base import JobSpec
from tuning.recipes import held_out

IN_MEMORY = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Sent:
    """A file to be sent, and the name that its bytes decide."""

    file: BinaryIO
    sha256: str
    examples: int


@contextmanager
def written(spec: JobSpec) -> Iterator[tuple[Sent, Sent | None]]:
    """The examples that are learnt from, and those that the loss is measured on: a file of their own, or the share of
    the recipe. Which ones these are, the recipe's seed decides, as on a tuning server of ours.
    """
    with ExitStack() as files:
        learnt, measured = _open(files), _open(files)
        count = sum(1 for _ in _rows(spec.dataset))
        apart = set() if spec.validation else _held_out(count, spec.recipe.validation, spec.recipe.seed)
        for number, row in enumerate(_rows(spec.dataset)):
            (measured if number in apart else learnt).write(chat(row))
        for row in _rows(spec.validation) if spec.validation else ():
            measured.write(chat(row))
        yield _sent(learnt), (_sent(measured) if measured.tell() else None)


def chat(row: bytes) -> bytes:
    """A row of ``text_input`` and ``output`` as a line of turns."""
    told = orjson.loads(row)
    turns = (("user", told["text_input"]), ("model", told["output"]))
    return orjson.dumps({"contents": [{"role": role, "parts": [{"text": text}]} for role, text in turns]}) + b"\n"


def _rows(path: Path) -> Iterator[bytes]:
    with path.open("rb") as rows:
        yield from rows


def _held_out(count: int, share: float, seed: int) -> set[int]:
    number = held_out(count, share)
    order = np.random.default_rng((seed, count)).permutation(count)
    return {int(place) for place in order[count - number :]} if number else set()


def _open(files: ExitStack) -> BinaryIO:
    return cast(BinaryIO, files.enter_context(tempfile.SpooledTemporaryFile(IN_MEMORY)))


def _sent(file: BinaryIO) -> Sent:
    file.seek(0)
    digest, examples = hashlib.sha256(), 0
    for line in file:
        digest.update(line)
        examples += 1
    return Sent(file, digest.hexdigest(), examples)
