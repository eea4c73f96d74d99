"""The conformance table: what was proven of each method with each client.

``python -m tests.conformance.table`` writes it into ``docs/api.md``.
"""

import re
from collections.abc import Mapping

from tests.conformance.clients import CLIENTS
from tests.processes import ROOT

DOCUMENT = ROOT / "docs" / "api.md"
START, END = "<!-- conformance -->", "<!-- /conformance -->"

RESOURCES = ["models", "tunedModels", "operations", "permissions", "credentials", "error"]
MARKS = {"passed": "✓", "failed": "✗", "skipped": "–"}

Outcomes = Mapping[tuple[str, str], str]
"""``passed``, ``failed`` or ``skipped`` by client and method."""


def covered() -> dict[tuple[str, str], str]:
    """The table as it should be: every check of every client passed."""
    return {(client.name, method): "passed" for client in CLIENTS for method in client.methods()}


def markdown(outcomes: Outcomes) -> str:
    """A row a method, a column a client; empty where a client has no such method."""
    names = [client.name for client in CLIENTS]
    rows = [["", *names]]
    rows += [[method, *(_mark(outcomes, name, method) for name in names)] for method in _methods(outcomes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [_line(row, widths) for row in rows]
    return "\n".join([lines[0], _line(["-" * width for width in widths], widths), *lines[1:]])


def _methods(outcomes: Outcomes) -> list[str]:
    """Resource by resource, a method's variants below it, in the order of the scenarios; errors by number, last."""
    methods = dict.fromkeys(method for _, method in outcomes)
    first = list(dict.fromkeys(_plain(method) for method in methods))

    def place(method: str) -> tuple[int, str, int]:
        resource = re.split("[. :]", method)[0]
        return RESOURCES.index(resource), method if resource == "error" else "", first.index(_plain(method))

    return sorted(methods, key=place)


def _plain(method: str) -> str:
    """The method of which ``method`` is a variant."""
    return method.partition(": ")[0]


def _mark(outcomes: Outcomes, client: str, method: str) -> str:
    return MARKS.get(outcomes.get((client, method), ""), "")


def _line(cells: list[str], widths: list[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


def documented() -> str:
    """The table in ``docs/api.md``."""
    return DOCUMENT.read_text().partition(START)[2].partition(END)[0].strip()


def document() -> None:
    before, _, rest = DOCUMENT.read_text().partition(START)
    DOCUMENT.write_text(f"{before}{START}\n\n{markdown(covered())}\n\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    document()
