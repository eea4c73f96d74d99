"""A row as it stands in a file -> its training pair: which columns, which spelling, which turns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tuning.datasets.source import refuse
from tuning.errors import Problem

SPELLINGS = (
    ("text_input", "output"),
    ("textinput", "output"),
    ("input", "output"),
    ("prompt", "completion"),
    ("user", "assistant"),
)
"""Column names that go together, in lower case."""
INPUTS = ("text_input", "textinput", "input", "prompt", "question", "instruction", "query", "source", "user", "text")
OUTPUTS = ("output", "completion", "answer", "response", "reply", "target", "label", "assistant")
"""Names that mean input or output by themselves, likelier ones first."""
JSON_TYPES = {str: "string", bool: "boolean", int: "number", float: "number", list: "list", dict: "object"}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that hold the two halves of an example, spelled as in the file."""

    text_input: str
    output: str


def guess(names: Sequence[str]) -> Columns | None:
    """The columns that are input and output by their names, whatever their case; ``None`` where no name tells."""
    known = {name.strip().casefold(): name for name in reversed(names)}
    for text_input, output in SPELLINGS:
        if text_input in known and output in known:
            return Columns(known[text_input], known[output])
    inputs, outputs = ([known[name] for name in likely if name in known] for likely in (INPUTS, OUTPUTS))
    return Columns(inputs[0], outputs[0]) if inputs and outputs else None


def shown(text: str, characters: int = 80) -> str:
    """A text out of a file, fit for a page: cut short, and without halves of surrogate pairs."""
    return text[:characters].encode("utf-8", "replace").decode()


class Pairs:
    """Finds the pair in each row: in the columns that were chosen, else in those their names tell."""

    def __init__(self, chosen: Columns | None) -> None:
        self.columns = chosen
        self._chosen = chosen is not None

    def choose_from(self, names: Sequence[str]) -> None:
        """Settle the columns by a table's header.

        Raises ``DatasetError``: ``columns_unknown``, ``column_not_found``, ``duplicate_header``.
        """
        self.columns = columns = self._settled(names)
        for column in (columns.text_input, columns.output):
            if column not in names:
                raise refuse("column_not_found", column=shown(column), names=_listed(names))
            if names.count(column) > 1:
                raise refuse("duplicate_header", column=shown(column))
        self._chosen = True

    def pair(self, row: int, record: object) -> tuple[str, str] | Problem:
        """Problems: ``not_an_object``, ``missing_column``, ``wrong_type``, ``chat_…``.

        Raises ``DatasetError`` ``columns_unknown`` while no row told which columns are which.
        """
        flat = flatten(row, record)
        if isinstance(flat, Problem):
            return flat
        columns = self._columns(flat)
        text_input, output = flat.get(columns.text_input), flat.get(columns.output)
        if isinstance(text_input, str) and isinstance(output, str):
            return text_input, output
        return _no_text(row, columns.output if isinstance(text_input, str) else columns.text_input, flat)

    def _columns(self, record: Mapping[str, object]) -> Columns:
        """Rows of one JSON file may be spelled differently; a choice holds for all of them."""
        columns = self.columns
        if columns and (self._chosen or (columns.text_input in record and columns.output in record)):
            return columns
        names = list(record)
        self.columns = guess(names) or self._settled(names)
        return self.columns

    def _settled(self, names: Sequence[str]) -> Columns:
        columns = self.columns or guess(names)
        if columns is None:
            raise refuse("columns_unknown", names=_listed(names))
        return columns


def _listed(names: Sequence[str]) -> list[str]:
    return [shown(name) for name in names[:20]]


def flatten(row: int, record: object) -> Mapping[str, object] | Problem:
    """``record`` as a flat row; a chat of one question and one answer becomes ``user`` and ``assistant``."""
    if isinstance(record, Problem):
        return record
    if not isinstance(record, dict):
        return Problem("not_an_object", row, {"found": json_type(record)})
    turns = record.get("messages", record.get("contents"))
    return record if not isinstance(turns, list) else _chat(row, turns, "systemInstruction" in record)


def json_type(value: object) -> str:
    return JSON_TYPES.get(type(value), "null")


def _chat(row: int, turns: list[object], system: bool) -> Mapping[str, object] | Problem:
    """OpenAI's ``messages`` and Vertex AI's ``contents``: one turn of the user, one of the model."""
    said = [(turn.get("role"), _said(turn)) for turn in turns if isinstance(turn, dict)]
    roles = [role for role, _ in said]
    if system or "system" in roles or "developer" in roles:
        return Problem("chat_system_turn", row)
    if len(said) != len(turns) or roles not in (["user", "assistant"], ["user", "model"]):
        return Problem("chat_not_one_exchange", row, {"turns": len(turns)})
    return {"user": said[0][1], "assistant": said[1][1]}


def _said(turn: dict[str, object]) -> object:
    """The text of a turn; what is no text is handed on as it is, to be named in the problem."""
    content = turn.get("content", turn.get("parts"))
    if not isinstance(content, list):
        return content
    texts = [part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)]
    return "".join(texts) if texts and len(texts) == len(content) else content


def _no_text(row: int, name: str, record: Mapping[str, object]) -> Problem:
    if name not in record:
        return Problem("missing_column", row, {"column": shown(name)})
    return Problem("wrong_type", row, {"column": shown(name), "found": json_type(record[name])})
