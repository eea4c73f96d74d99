"""Entries of the audit log as a file, written while they are read."""

import csv
from collections.abc import Iterator

import orjson
from django.http import StreamingHttpResponse

from dashboard.audit.models import Entry, EntryQuerySet

COLUMNS = ("time", "event", "who", "address", "kind", "key", "name", "facts", "sentence")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet takes for a formula."""
AT_ONCE = 2_000
"""Entries held in memory."""


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def as_csv(entries: EntryQuerySet) -> StreamingHttpResponse:
    """A header and a line for each entry. A cell that a spreadsheet would compute has an apostrophe before it."""
    return _file("csv", "text/csv; charset=utf-8", _lines(entries))


def as_json(entries: EntryQuerySet) -> StreamingHttpResponse:
    """A list of objects with the names of :data:`COLUMNS`; what an entry has not is ``null`` or empty."""
    return _file("json", "application/json", _objects(entries))


def _lines(entries: EntryQuerySet) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield str(writer.writerow(COLUMNS))
    for entry in entries.iterator(AT_ONCE):
        said = _said(entry)
        cells = (said[name] for name in COLUMNS)
        texts = (orjson.dumps(cell).decode() if isinstance(cell, dict) else str(cell or "") for cell in cells)
        yield str(writer.writerow(f"'{text}" if text.startswith(FORMULA) else text for text in texts))


def _objects(entries: EntryQuerySet) -> Iterator[bytes]:
    before = b"[\n"
    for entry in entries.iterator(AT_ONCE):
        yield before + orjson.dumps(_said(entry))
        before = b",\n"
    yield b"\n]\n" if before == b",\n" else b"[]\n"


def _said(entry: Entry) -> dict[str, object]:
    said: dict[str, object] = {name: getattr(entry, name) for name in COLUMNS[1:-1]}
    return {"time": entry.time.isoformat(), **said, "sentence": str(entry)}


def _file(suffix: str, content_type: str, pieces: Iterator[str] | Iterator[bytes]) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="audit.{suffix}"', "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(pieces, content_type=content_type, headers=headers)
