"""What keeps entries in the database itself, whichever program writes to it.

No entry changes; one goes only when an entry says that those up to its key were removed. A later migration that
rebuilds the table on SQLite (``AlterField`` does) loses them and calls :func:`place` again.
"""

from django.db.backends.base.base import BaseDatabaseWrapper

SQLITE = [
    """
    CREATE TRIGGER audit_entry_no_change BEFORE UPDATE ON audit_entry
    BEGIN SELECT RAISE(ABORT, 'entries of the audit log never change'); END
    """,
    """
    CREATE TRIGGER audit_entry_no_loss BEFORE DELETE ON audit_entry
    WHEN NOT EXISTS (SELECT 1 FROM audit_entry WHERE swept_to >= OLD.id)
    BEGIN SELECT RAISE(ABORT, 'entries of the audit log stay until they are swept'); END
    """,
]
POSTGRESQL = [
    """
    CREATE FUNCTION audit_entry_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM audit_entry WHERE swept_to >= OLD.id) THEN
        RETURN OLD;
      END IF;
      RAISE EXCEPTION 'entries of the audit log never change, and stay until they are swept';
    END $$
    """,
    """
    CREATE TRIGGER audit_entry_kept BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_entry_kept()
    """,
]
REMOVALS = {
    "sqlite": [
        "DROP TRIGGER IF EXISTS audit_entry_no_change",
        "DROP TRIGGER IF EXISTS audit_entry_no_loss",
    ],
    "postgresql": [
        "DROP TRIGGER IF EXISTS audit_entry_kept ON audit_entry",
        "DROP FUNCTION IF EXISTS audit_entry_kept",
    ],
}
PLACINGS = {"sqlite": SQLITE, "postgresql": POSTGRESQL}


def place(connection: BaseDatabaseWrapper) -> None:
    """Put the triggers in place, anew where they are; other databases have the model's own refusal alone."""
    remove(connection)
    _execute(connection, PLACINGS.get(connection.vendor, []))


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers away."""
    _execute(connection, REMOVALS.get(connection.vendor, []))


def _execute(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
