"""What a database's schema is, in words that two databases of one engine can be compared by."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

Shape = dict[str, dict[str, Any]]

CURE = (
    "The tables are not what the revisions make. Before the first release: python .ci/freeze.py. After it: write the next "
    "revision in gateway/store/migrations/versions (the rules: gateway.store.migrate)."
)
"""For whoever has changed a table."""


def shape(connection: sa.Connection) -> Shape:
    """Each table's columns, keys, indexes with their conditions, checks and storage; in no order, since a column that was added
    later stands last. What it is partitioned by counts, its partitions do not: they come with time."""
    seen = sa.inspect(connection)
    parts: dict[str, str] = {}
    if connection.dialect.name == "postgresql":
        parts = {str(row[0]): str(row[1]) for row in connection.execute(sa.text(_PARTITIONED))}
    wanted = [name for name in seen.get_table_names() if name != "alembic_version" and not is_partition(name)]
    found = {name: _table(seen, name) | {"partitioned by": parts.get(name)} for name in wanted}
    if connection.dialect.name == "postgresql":
        for table, column in connection.execute(sa.text(_AS_IT_IS)):
            if table in found:
                found[table][f"kept as it is: {column}"] = True
        for table, options in connection.execute(sa.text(_OPTIONS)):
            if table in found:
                found[table]["options"] = sorted(options or ())
    return found


_PARTITIONED = "SELECT c.relname, pg_get_partkeydef(c.oid) FROM pg_class c WHERE c.relkind = 'p'"
_AS_IT_IS = (
    "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
    "WHERE c.relnamespace = to_regnamespace(current_schema()) AND c.relkind IN ('r', 'p') AND a.attstorage = 'e'"
)
"""Columns that PostgreSQL does not try to compress."""

_OPTIONS = (
    "SELECT c.relname, c.reloptions FROM pg_class c "
    "WHERE c.relnamespace = to_regnamespace(current_schema()) AND c.relkind = 'r'"
)


def is_partition(name: str) -> bool:
    """Whether a table is a month of another, or what has no month there."""
    return re.fullmatch(r"(?:messages|attempts)_(?:default|\d{4}_\d{2})", name) is not None


def _table(seen: sa.Inspector, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {f"column {column['name']}": _column(column) for column in seen.get_columns(name)}
    found["primary key"] = seen.get_pk_constraint(name)["constrained_columns"]
    for index in seen.get_indexes(name):
        condition = {
            key: str(value) for key, value in index.get("dialect_options", {}).items() if key.endswith("_where")
        }
        found[f"index {index['name']}"] = (index["unique"], index["column_names"], condition)
    for check in seen.get_check_constraints(name):
        found[f"check {check['name']}"] = check["sqltext"]
    if seen.dialect.name == "postgresql":
        found["storage"] = seen.get_table_options(name)
    return found


def _column(column: Any) -> tuple[object, ...]:
    kind = column["type"]
    return str(kind), getattr(kind, "collation", None), column["nullable"], column["default"]


def differences(made: Shape, wanted: Shape) -> dict[str, object]:
    """What one has and the other has not, or has otherwise: (made, wanted)."""
    ours = {f"{table} {part}": value for table, parts in made.items() for part, value in parts.items()}
    theirs = {f"{table} {part}": value for table, parts in wanted.items() for part, value in parts.items()}
    return {
        key: (ours.get(key), theirs.get(key)) for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)
    }
