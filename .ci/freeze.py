"""Writes the first revision anew from the tables. Only until it is released: from then on a change needs a revision of its own.

``python .ci/freeze.py``; tests/store/test_migrate.py tells when it is due.
"""

from __future__ import annotations

import textwrap

from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable, Table

from gateway.store.console_tables import metadata
from gateway.store.migrate import floors
from gateway.store.migrations.versions import r0001_first
from gateway.store.tables import NOW_POSTGRESQL

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy gives it no type
_FIRST_ROWS = "INSERT INTO log (id, position) VALUES (1, 0), (2, 0)"
_TIED = "\0"
"""A space at which no line ends: a column is not torn."""


def _table(table: Table) -> list[str]:
    """The table with as many columns to a line as there is room for, its indexes, and what takes every row no other does."""
    opening, rest = str(CreateTable(table).compile(dialect=_DIALECT)).strip().split("\n", 1)
    columns, _, storage = rest.partition("\n)")
    whole = " ".join(column.strip().replace(" ", _TIED) for column in columns.split("\n"))
    wrapped = textwrap.fill(
        whole, 118, initial_indent="  ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    made = [f"{opening}\n{wrapped.replace(_TIED, ' ')}\n)" + (f"\n{storage.strip()}" if storage.strip() else "")]
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    made += [str(CreateIndex(index).compile(dialect=_DIALECT)) for index in indexes]
    if table.dialect_options["postgresql"]["partition_by"]:
        made.append(f"CREATE TABLE {table.name}_default PARTITION OF {table.name} DEFAULT")
    return made


def main() -> None:
    """Write the file.

    Raises:
        SystemExit: there are later revisions, so this one is released.
    """
    if list(floors()) != [r0001_first.revision]:
        raise SystemExit("the first revision is released: write a new one beside it")
    statements = [NOW_POSTGRESQL]
    for name in sorted(metadata.tables):
        statements += _table(metadata.tables[name])
    statements.append(_FIRST_ROWS)
    path = r0001_first.FILE
    path.write_text(";\n".join(statements) + "\n", "utf-8")
    print(f"{path.name}: {len(metadata.tables)} tables")


if __name__ == "__main__":
    main()
