"""JSON and JSONL: one object a line, or the first list in a document."""

import re
from collections.abc import Iterator
from json import JSONDecodeError, JSONDecoder
from typing import Any

import orjson

from tuning import commas
from tuning.datasets.limits import Limits
from tuning.datasets.source import BLANK, Lines, refuse
from tuning.errors import DatasetError, Problem

WRAPPING = 10_000
"""Tokens that may stand before a document's list: enough for every request body, too few to be kept busy."""
SLICE = 4096
"""Characters decoded at a time; most objects are shorter."""

_SPACE = re.compile(r"[ \t\r\n]*+")
_decode = JSONDecoder().raw_decode


def jsonl_rows(lines: Lines) -> Iterator[tuple[int, object]]:
    """The values of JSONL, numbered as its lines are; ``BLANK`` for a blank line."""
    lines.begin_row()
    for line in lines:
        yield lines.number, _loads(line, lines.number) if not line.isspace() else BLANK
        lines.begin_row()


class Document:
    """The elements of a document's first list, numbered from 1.

    A list alone, ``{"examples": [...]}`` or a whole create request of the tuned-models API, trailing commas of
    the tutorials included. Elements are decoded one at a time, so that a hostile document cannot fill the
    memory. Raises ``DatasetError``: ``bad_json``, ``no_list``, ``row_too_long``.
    """

    def __init__(self, text: str, limits: Limits) -> None:
        self._text = commas.blanked(text)
        self._longest = limits.row_characters

    def __iter__(self) -> Iterator[tuple[int, object]]:
        row, position = 0, self._list_start()
        alone = self._skip(0) == position
        position = self._skip(position + 1)
        while not self._at("]", position):
            row += 1
            value, position = self._value(position, row)
            yield row, value
            position = self._next_element(self._skip(position), row)
        if alone and self._skip(position + 1) != len(self._text):
            raise self._bad(self._skip(position + 1), None, "unexpected text after the list")

    def _list_start(self) -> int:
        position = self._skip(0)
        for _ in range(WRAPPING):
            if self._at("[", position):
                return position
            if position == len(self._text):
                break
            wraps = self._at(("{", "}", ",", ":"), position)
            position = self._skip(position + 1 if wraps else self._value(position, None)[1])
        raise refuse("no_list")

    def _next_element(self, position: int, row: int) -> int:
        if self._at("]", position):
            return position
        if not self._at(",", position):
            raise self._bad(position, row, "',' or ']' expected")
        return self._skip(position + 1)

    def _value(self, position: int, row: int | None) -> tuple[Any, int]:
        """The value at ``position`` and where it ends, decoding no more text than it needs."""
        for size in (SLICE, 16 * SLICE, self._longest):
            window = self._text[position : position + size]
            whole = position + size >= len(self._text)
            try:
                value, end = _decode(window)
            except JSONDecodeError as exc:
                if whole or not _cut_short(exc):
                    raise self._bad(position + exc.pos, row, exc.msg) from exc
            except (ValueError, RecursionError) as exc:  # numbers of thousands of digits, thousands of brackets
                raise self._bad(position, row, str(exc)) from exc
            else:
                if whole or end < size:
                    return value, position + end
        raise refuse("row_too_long", row, limit=self._longest)

    def _bad(self, position: int, row: int | None, reason: str) -> DatasetError:
        line = self._text.count("\n", 0, position) + 1
        column = position - self._text.rfind("\n", 0, position)
        return refuse("bad_json", row, line=line, column=column, reason=reason)

    def _at(self, token: str | tuple[str, ...], position: int) -> bool:
        return self._text.startswith(token, position)

    def _skip(self, position: int) -> int:
        match = _SPACE.match(self._text, position)
        return match.end() if match else position


def _cut_short(exc: JSONDecodeError) -> bool:
    """Whether decoding may have failed for want of text. Literals and escapes are shorter than 16 characters."""
    return exc.msg.startswith("Unterminated string") or exc.pos > len(exc.doc) - 16


def _loads(line: str, number: int) -> object:
    try:
        return orjson.loads(line.rstrip())
    except orjson.JSONDecodeError as exc:
        return Problem("bad_json", number, {"line": number, "column": exc.colno, "reason": exc.msg})
