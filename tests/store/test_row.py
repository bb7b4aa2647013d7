"""What a row's columns are said to hold is what the tables hold."""

from __future__ import annotations

from itertools import combinations
from typing import Final, get_args

from gateway.store import console_tables, row
from gateway.store.tables import metadata

GROUPS: Final[dict[tuple[type, bool], frozenset[str]]] = {
    (str, False): frozenset(get_args(row.TextColumn)),
    (str, True): frozenset(get_args(row.OptionalTextColumn)),
    (int, False): frozenset(get_args(row.NumberColumn)),
    (int, True): frozenset(get_args(row.OptionalNumberColumn)),
    (bool, False): frozenset(get_args(row.FlagColumn)),
    (bytes, False): frozenset(get_args(row.BytesColumn)),
    (bytes, True): frozenset(get_args(row.OptionalBytesColumn)),
}
VARYING: Final = frozenset(get_args(row.VaryingColumn))


def test_a_column_of_a_table_stands_under_its_type() -> None:
    assert console_tables.jobs.metadata is metadata
    for table in metadata.tables.values():
        for column in table.columns:
            said = GROUPS[column.type.python_type, bool(column.nullable)]
            assert column.name in said | VARYING, f"{table.name}.{column.name}"


def test_a_column_whose_type_is_one_in_all_tables_is_not_left_open() -> None:
    held: dict[str, set[tuple[type, bool]]] = {}
    for table in metadata.tables.values():
        for column in table.columns:
            held.setdefault(column.name, set()).add((column.type.python_type, bool(column.nullable)))
    of_statements = {"organization"}  # of a delivery whose subject has no matter there is none
    assert {name for name in VARYING if len(held.get(name, ())) == 1} == of_statements


def test_a_column_stands_once() -> None:
    groups = [*GROUPS.values(), VARYING]
    assert [one & other for one, other in combinations(groups, 2) if one & other] == []
