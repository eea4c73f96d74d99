"""The conformance table in the documents is the one that is proven."""

from tests.conformance import table


def test_document_has_the_table_of_today() -> None:
    wanted = table.markdown(table.covered())
    assert table.documented() == wanted, "Run: .venv/bin/python -m tests.conformance.table"
