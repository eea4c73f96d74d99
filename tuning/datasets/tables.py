"""CSV: a header row, then rows of cells separated by comma, semicolon or tab (RFC 4180, read strictly)."""

import csv
from collections.abc import Iterator
from itertools import chain

from tuning.datasets.limits import Limits
from tuning.datasets.source import BLANK, Lines, refuse
from tuning.errors import DatasetError, Problem

DELIMITERS = (",", ";", "\t")


class Table:
    """The rows below a header, each a dict of its cells. ``names`` is the header as it stands.

    Raises ``DatasetError``: ``too_many_columns``, ``bad_quotes``, ``cell_too_long`` and those of ``Lines``.
    """

    def __init__(self, lines: Lines, limits: Limits) -> None:
        self._lines = lines
        first = _first_line(lines, limits.columns)
        try:
            self._reader = csv.reader(chain([first], lines), delimiter=_delimiter(first), strict=True)
            self.names = next(self._reader, [])
        except csv.Error as exc:
            raise refuse("bad_quotes") from exc
        if len(self.names) > limits.columns:
            raise refuse("too_many_columns", limit=limits.columns)

    def __iter__(self) -> Iterator[tuple[int, object]]:
        row = 0
        while True:
            row += 1
            self._lines.begin_row()
            start = self._lines.number
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as exc:
                yield row, self._unreadable(row, start, str(exc))
            else:
                yield row, self._record(row, cells) if any(cells) else BLANK

    def _record(self, row: int, cells: list[str]) -> dict[str, str] | Problem:
        if len(cells) > len(self.names) and any(cells[len(self.names) :]):
            return Problem("too_many_cells", row, {"found": len(cells), "expected": len(self.names)})
        return dict(zip(self.names, cells, strict=False))

    def _unreadable(self, row: int, start: int, reason: str) -> Problem:
        """csv tells its errors apart by their texts alone; the reader goes on with the next line."""
        if "field limit" in reason:
            runs_on = self._lines.number > start + 1
            raise refuse("unbalanced_quotes" if runs_on else "cell_too_long", row, limit=csv.field_size_limit())
        return Problem("unbalanced_quotes" if "end of data" in reason else "bad_quotes", row)


def _first_line(lines: Lines, columns: int) -> str:
    try:
        return next((line for line in lines if not line.isspace()), "")
    except DatasetError as exc:
        if max(map(lines.last.count, DELIMITERS)) >= columns:
            raise refuse("too_many_columns", limit=columns) from exc
        raise


def _delimiter(first: str) -> str:
    """The separator that cuts the header into the most cells; a comma where they are equal."""
    return max(DELIMITERS, key=lambda delimiter: len(next(csv.reader([first], delimiter=delimiter), [])))
