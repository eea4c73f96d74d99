"""Bytes -> text: how much is read, whether it is text at all, and in which of the formats."""

import codecs
import io
import re
from pathlib import PurePath
from typing import BinaryIO, Literal

import orjson

from tuning.datasets.limits import Limits
from tuning.errors import DatasetError, Problem

Format = Literal["csv", "jsonl", "json"]

HEAD = 64 * 1024
"""Bytes looked at before a format is chosen."""
SPREADSHEETS = frozenset({".xlsx", ".xlsm", ".xls", ".ods", ".numbers"})
ZIP, COMPOUND = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
"""First bytes of what spreadsheet programs save: zip archives, and before 2007 compound files."""
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

BLANK = object()
"""Stands for a row with nothing in it: counted, and otherwise passed over."""

_UNDECODED = re.compile("[\udc80-\udcff]")


def refuse(code: str, row: int | None = None, **params: object) -> DatasetError:
    """The error that ends the reading of a file."""
    return DatasetError([Problem(code, row, params)])


class Source:
    """A file opened as text. ``head`` is its first text, ``format`` what it seems to be.

    Raises ``DatasetError``: ``empty_file``, ``file_too_large``, ``spreadsheet``, ``binary_file``, ``not_utf8``.
    """

    def __init__(self, file: BinaryIO, name: str, limits: Limits) -> None:
        raw = io.BufferedReader(_Capped(file, limits.file_bytes), HEAD)
        head = raw.peek(HEAD)
        self._limits = limits
        self._text = io.TextIOWrapper(raw, encoding=_encoding(head, name), errors="surrogateescape", newline="")
        self.head = head.decode(self._text.encoding, errors="ignore")
        if not self.head.strip() and len(head) < HEAD:
            raise refuse("empty_file")
        self.format: Format = _format(name, self.head)

    def lines(self) -> "Lines":
        return Lines(self._text, self._limits.row_characters)

    def whole(self) -> str:
        """All of the text at once."""
        try:
            text = self._text.read()
        except UnicodeDecodeError as exc:
            raise refuse("not_utf8") from exc
        if found := _UNDECODED.search(text):
            raise refuse("not_utf8", line=text.count("\n", 0, found.start()) + 1)
        return text


class Lines:
    """The lines of a text with their ends, as far as one row of it may run."""

    def __init__(self, text: io.TextIOWrapper, row_characters: int) -> None:
        self._text = text
        self._limit = row_characters
        self._taken = 0
        self.number = 0
        """Lines read so far."""
        self.last = ""

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        """The next line. Raises ``DatasetError``: ``row_too_long``, ``not_utf8``."""
        self.last = line = self._read()
        self.number += 1
        self._taken += len(line)
        if self._taken > self._limit:
            raise refuse("row_too_long", line=self.number, limit=self._limit)
        if not line.isascii() and _UNDECODED.search(line):
            raise refuse("not_utf8", line=self.number)
        return line

    def begin_row(self) -> None:
        self._taken = 0

    def _read(self) -> str:
        try:
            line = self._text.readline(self._limit + 1)
        except UnicodeDecodeError as exc:
            raise refuse("not_utf8", line=self.number + 1) from exc
        if not line:
            raise StopIteration
        return line


class _Capped(io.RawIOBase):
    """Passes on what ``file`` holds, and refuses it as soon as it is too large or no text."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file = file
        self._limit = limit
        self._left = limit
        self._wide = False
        if file.seekable() and _size(file) > limit:
            raise refuse("file_too_large", limit=limit)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._file.read(len(buffer))
        if self._left == self._limit:
            self._wide = data.startswith(UTF16)
        self._left -= len(data)
        if self._left < 0:
            raise refuse("file_too_large", limit=self._limit)
        if not self._wide and b"\0" in data and not data.startswith((ZIP, COMPOUND)):
            raise refuse("binary_file")
        buffer[: len(data)] = data
        return len(data)


def _size(file: BinaryIO) -> int:
    """Bytes from here to the end."""
    here = file.tell()
    end = file.seek(0, io.SEEK_END)
    file.seek(here)
    return end - here


def _encoding(head: bytes, name: str) -> str:
    """UTF-16 where a byte order mark says so, else UTF-8."""
    if PurePath(name).suffix.lower() in SPREADSHEETS or head.startswith(COMPOUND) or _is_workbook(head):
        raise refuse("spreadsheet")
    if head.startswith(ZIP):
        raise refuse("binary_file")
    if head.startswith(codecs.BOM_UTF32_LE):
        raise refuse("not_utf8", line=1)
    return "utf-16" if head.startswith(UTF16) else "utf-8-sig"


def _is_workbook(head: bytes) -> bool:
    return head.startswith(ZIP) and (b"xl/" in head or b"opendocument.spreadsheet" in head)


def _format(name: str, head: str) -> Format:
    """By its name where that tells, else by its first characters."""
    suffix, start = PurePath(name).suffix.lower(), head.lstrip()
    jsonish = suffix in {".json", ".jsonl", ".ndjson"}
    if suffix in {".csv", ".tsv"} or not (jsonish or start.startswith(("{", "["))):
        return "csv"
    if start.startswith("["):
        return "json"
    return "jsonl" if suffix in {".jsonl", ".ndjson"} or _starts_with_record(start) else "json"


def _starts_with_record(text: str) -> bool:
    """Whether the first line is an object of its own, with more to follow or nothing nested in it."""
    first, _, rest = text.partition("\n")
    try:
        record = orjson.loads(first)
    except orjson.JSONDecodeError:
        return False
    return isinstance(record, dict) and (bool(rest.strip()) or all(isinstance(value, str) for value in record.values()))
