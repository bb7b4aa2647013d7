"""The first schema, as it was when it was released: ``r0001_first.sql``, whatever has become of the tables since."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

FILE = Path(__file__).with_suffix(".sql")
_SQLITE = ((" BYTEA", " BLOB"), (" BIGSERIAL", " BIGINT"), (" SERIAL", " INTEGER"), (' COLLATE "C"', ""))
"""What PostgreSQL's words are on SQLite, which orders texts by code points as it is."""


def upgrade() -> None:
    """Create every table, the one row that orders event positions, and the audit chain's lock."""
    bind = op.get_bind()
    for statement in FILE.read_text("utf-8").split(";\n"):
        if bind.dialect.name == "postgresql":
            bind.exec_driver_sql(statement)
        elif "FUNCTION now_ms" not in statement and " PARTITION OF " not in statement:  # the process registers its own
            plain = statement.partition("\nWITH (")[0].partition("\nPARTITION BY ")[0]
            for ours, theirs in _SQLITE:
                plain = plain.replace(ours, theirs)
            bind.exec_driver_sql(plain)


def downgrade() -> None:
    """Data that a court relies on is never dropped by a command."""
    raise NotImplementedError("there is no way back before the first schema")
