"""A dataset that was read and found valid: its examples as canonical JSONL, and the facts about them.

Canonical: one object a line, ``{"text_input":…,"output":…}`` in this order without spaces, UTF-8, a line feed
after every line. The SHA-256 of those bytes is the dataset's address.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from uuid import uuid4

import orjson

from tuning.datasets.limits import MEBIBYTE, Limits
from tuning.datasets.records import Columns
from tuning.errors import DatasetError, Problem
from tuning.resources import Example

KEPT_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long texts are, in characters."""

    mean: float
    longest: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What can be said of a dataset's examples. ``duplicates`` counts the pairs that stood before already."""

    inputs: Lengths
    outputs: Lengths
    duplicates: int


class Parsed:
    """A valid dataset: ``count`` examples, ``columns`` they stood in, ``sha256`` and ``size`` (bytes) as JSONL."""

    def __init__(
        self,
        jsonl: tempfile.SpooledTemporaryFile[bytes],
        *,
        count: int,
        facts: Facts,
        sha256: str,
        columns: Columns | None,
    ) -> None:
        self._jsonl = jsonl
        self.count = count
        self.facts = facts
        self.sha256 = sha256
        self.size = jsonl.tell()
        self.columns = columns

    @property
    def examples(self) -> Iterator[Example]:
        """All examples in their order, read anew each time."""
        position = 0
        while lines := self._lines_from(position):
            position = self._jsonl.tell()
            yield from map(_example, lines)

    def write_jsonl(self, path: Path) -> str:
        """Store the examples at ``path``, whole or not at all. Returns their SHA-256, in hexadecimal."""
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.{uuid4().hex}")
        try:
            with aside.open("wb") as stored:
                self._jsonl.seek(0)
                shutil.copyfileobj(self._jsonl, stored)
                stored.flush()
                os.fsync(stored.fileno())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        return self.sha256

    def _lines_from(self, position: int) -> list[bytes]:
        self._jsonl.seek(position)
        return self._jsonl.readlines(64 * 1024)


class Collector:
    """Takes pairs one by one, checks them, and makes a dataset of them."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._problems: list[Problem] = []
        self._problem_count = 0
        self._jsonl = tempfile.SpooledTemporaryFile(max_size=4 * MEBIBYTE)  # noqa: SIM115  lives in Parsed
        self._hash = hashlib.sha256()
        self._seen: set[int] = set()
        self._count = 0
        self._inputs = _Measure()
        self._outputs = _Measure()

    def add(self, row: int, text_input: str, output: str) -> None:
        """Take an example, or its problems: ``empty_…``, ``…_too_long``, ``nul_character``, ``lone_surrogate``."""
        before = self._problem_count
        self._check(row, "input", text_input, self._limits.input_characters)
        self._check(row, "output", output, self._limits.output_characters)
        try:
            line = orjson.dumps({"text_input": text_input, "output": output}, option=orjson.OPT_APPEND_NEWLINE)
        except orjson.JSONEncodeError:  # half of a surrogate pair, written as an escape
            return self.reject(Problem("lone_surrogate", row))
        if self._problem_count == 0 == before:
            self._keep(line, text_input, output)
        return None

    def reject(self, problem: Problem) -> None:
        self._problem_count += 1
        if len(self._problems) < KEPT_PROBLEMS:
            self._problems.append(problem)

    def finish(self, columns: Columns | None = None) -> Parsed:
        """The dataset. Raises ``DatasetError`` with what was rejected, or ``no_examples`` where nothing came."""
        if not self._count and not self._problem_count:
            self.reject(Problem("no_examples"))
        if self._problem_count:
            raise DatasetError(self._problems, self._problem_count)
        facts = Facts(self._inputs.lengths(), self._outputs.lengths(), self._count - len(self._seen))
        return Parsed(self._jsonl, count=self._count, facts=facts, sha256=self._hash.hexdigest(), columns=columns)

    def _check(self, row: int, half: str, text: str, limit: int) -> None:
        if not text or text.isspace():
            self.reject(Problem(f"empty_{half}", row))
        elif len(text) > limit:
            self.reject(Problem(f"{half}_too_long", row, {"length": len(text), "limit": limit}))
        if "\0" in text:
            self.reject(Problem("nul_character", row))

    def _keep(self, line: bytes, text_input: str, output: str) -> None:
        self._jsonl.write(line)
        self._hash.update(line)
        self._seen.add(hash(line))
        self._count += 1
        self._inputs.add(len(text_input))
        self._outputs.add(len(output))


def read_jsonl(path: Path, start: int = 0, limit: int | None = None) -> list[Example]:
    """At most ``limit`` examples of a stored dataset, from the one numbered ``start`` (from 0) on."""
    with path.open("rb") as lines:
        stop = None if limit is None else start + limit
        return [_example(line) for line in islice(lines, start, stop)]


def read_rows(path: Path, rows: Collection[int]) -> dict[int, Example]:
    """The examples of a stored dataset by their ``rows``, which count from 1; none for a row beyond its end."""
    wanted = set(rows)
    with path.open("rb") as lines:
        numbered = enumerate(islice(lines, max(wanted, default=0)), start=1)
        return {row: _example(line) for row, line in numbered if row in wanted}


class _Measure:
    def __init__(self) -> None:
        self.count = self.total = self.longest = 0

    def add(self, length: int) -> None:
        self.count += 1
        self.total += length
        self.longest = max(self.longest, length)

    def lengths(self) -> Lengths:
        return Lengths(self.total / self.count, self.longest)


def _example(line: bytes) -> Example:
    return Example(**orjson.loads(line))
