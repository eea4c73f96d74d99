"""Datasets: bytes -> examples, or errors that name the row.

CSV (comma, semicolon or tab; a header row), JSONL and JSON, in UTF-8 or, with its byte order mark, UTF-16. The
two halves of an example are found by their columns' names (``text_input``/``output``, ``input``/``output``,
``prompt``/``completion`` …), in chats of one question and one answer (``messages`` as OpenAI writes them,
``contents`` as Vertex AI does), or in the columns a person chose. Texts are kept exactly as they are.

Problems end as :class:`tuning.errors.DatasetError`. Those of the file:

=====================  ==========================================================================================
empty_file             nothing in it
no_examples            a header, or an empty list, and nothing below it
file_too_large         ``limit`` bytes
spreadsheet            an Excel, OpenDocument or Numbers workbook: to be saved as CSV
binary_file            no text at all
not_utf8               ``line`` (where known): in another encoding, to be saved as UTF-8
too_many_rows          ``limit``
too_many_columns       ``limit``
row_too_long           ``limit`` characters, ``line`` or row: no example is that long
cell_too_long          row, ``limit`` characters
bad_json               ``line``, ``column``, ``reason``; row where known
no_list                a JSON document without a list of examples
columns_unknown        ``names``: no header tells input from output; a person has to choose
column_not_found       ``column`` that was chosen, ``names`` there are
duplicate_header       ``column`` that stands in the header more than once
=====================  ==========================================================================================

Those of a row, of which the first hundred are kept and all are counted:

=====================  ==========================================================================================
empty_input/_output    nothing but white space
input/output_too_long  ``length``, ``limit`` in characters
nul_character          a NUL in a text
lone_surrogate         half of a surrogate pair, written as an escape
missing_column         ``column`` that this row lacks
wrong_type             ``column``, ``found`` (number, boolean, null, list, object): not a string
not_an_object          ``found``, as above, or string
too_many_cells         ``found``, ``expected``: a comma in a text that is not quoted
unbalanced_quotes      a quotation mark that is never closed
bad_quotes             a quotation mark within a text that is not doubled; without a row: in the header
bad_json               ``line``, ``column``, ``reason`` (JSONL)
chat_system_turn       a system turn: pairs of text have no place for one
chat_not_one_exchange  ``turns``: not exactly one question and one answer
=====================  ==========================================================================================

Rows count from 1, the header apart; in JSONL they are the lines.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from tuning.datasets.documents import Document, jsonl_rows
from tuning.datasets.limits import GOOGLE_FILE_BYTES, INPUT_CHARACTERS, OUTPUT_CHARACTERS, Limits
from tuning.datasets.parsed import Collector, Facts, Lengths, Parsed, read_jsonl, read_rows
from tuning.datasets.records import Columns, Pairs, flatten, guess, json_type, shown
from tuning.datasets.source import BLANK, Source, refuse
from tuning.datasets.tables import Table
from tuning.errors import DatasetError, Problem
from tuning.resources import Example

__all__ = [
    "GOOGLE_FILE_BYTES",
    "INPUT_CHARACTERS",
    "OUTPUT_CHARACTERS",
    "Columns",
    "Example",
    "Facts",
    "Header",
    "Lengths",
    "Limits",
    "Parsed",
    "columns_of",
    "from_examples",
    "parse",
    "read_jsonl",
    "read_rows",
]

DEFAULT_LIMITS = Limits()
SAMPLE_ROWS = 5
SAMPLE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Header:
    """The columns a person may choose from.

    ``guess`` is what their names or, of two columns, their order suggest; ``rows`` the first few, cut short.
    """

    names: tuple[str, ...]
    guess: Columns | None
    rows: tuple[tuple[str, ...], ...] = ()


def parse(file: BinaryIO, name: str, columns: Columns | None = None, limits: Limits = DEFAULT_LIMITS) -> Parsed:
    """The dataset that ``file``, called ``name``, holds from where it stands. Raises ``DatasetError``."""
    collector, pairs = Collector(limits), Pairs(columns)
    try:
        for row, record in _rows(Source(file, name, limits), pairs, limits):
            pair = pairs.pair(row, record)
            if isinstance(pair, Problem):
                collector.reject(pair)
            else:
                collector.add(row, *pair)
    except DatasetError as exc:
        collector.reject(exc.problems[0])
    return collector.finish(pairs.columns)


def from_examples(examples: Iterable[Example], limits: Limits = DEFAULT_LIMITS) -> Parsed:
    """The dataset made of ``examples``, held to the same limits as a file. Raises ``DatasetError``."""
    collector = Collector(limits)
    for row, example in enumerate(examples, start=1):
        if row > limits.rows:
            collector.reject(Problem("too_many_rows", None, {"limit": limits.rows}))
            break
        collector.add(row, example.text_input, example.output)
    return collector.finish()


def columns_of(file: BinaryIO, name: str, limits: Limits = DEFAULT_LIMITS) -> Header:
    """The columns of ``file``: a table's header, or the names in a JSON file's first rows. Raises ``DatasetError``."""
    source = Source(file, name, limits)
    rows = Table(source.lines(), limits) if source.format == "csv" else _json_rows(source, limits)
    records = [flatten(row, record) for row, record in islice(rows, SAMPLE_ROWS) if record is not BLANK]
    samples = [record for record in records if not isinstance(record, Problem)]
    found = rows.names if isinstance(rows, Table) else [name for sample in samples for name in sample]
    names = tuple(dict.fromkeys(name for name in found if name and shown(name, len(name)) == name))[: limits.columns]
    in_order = Columns(*names) if len(names) == 2 else None
    return Header(names, guess(names) or in_order, tuple(_sample(row, names) for row in samples))


def _rows(source: Source, pairs: Pairs, limits: Limits) -> Iterator[tuple[int, object]]:
    """The rows that are not blank, as many as there may be."""
    rows = Table(source.lines(), limits) if source.format == "csv" else _json_rows(source, limits)
    if isinstance(rows, Table):
        pairs.choose_from(rows.names)
    for row, record in rows:
        if row > limits.rows:
            raise refuse("too_many_rows", limit=limits.rows)
        if record is not BLANK:
            yield row, record


def _json_rows(source: Source, limits: Limits) -> Iterable[tuple[int, object]]:
    return Document(source.whole(), limits) if source.format == "json" else jsonl_rows(source.lines())


def _sample(record: Mapping[str, object], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(shown(_in_short(record.get(name, "")), SAMPLE_CHARACTERS) for name in names)


def _in_short(value: object) -> str:
    """A cell as text; what is nested is named by its type alone, for it may be nested a thousand times."""
    return json_type(value) if isinstance(value, dict | list) else str(value)
