"""Every statement prepares against the migrated tables, and none walks through a table that grows."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store.statements import Statement, load
from gateway.store.tables import metadata

STATEMENTS = load("sqlite")

SMALL = {
    "endpoints": "as many rows as there are platforms and subscriptions",
    "log": "two rows",
    "marks": "a row for each consumer",
    "webhook_endpoints": "a row for each subscription of an upstream system",
    "clients": "a row for each key of an upstream system or an operator",
    "users": "a row for each person who may sign in",
}
"""Tables that do not grow with the cases: these may be walked through."""

ALLOWED = {
    ("end_leases", "lanes"): "once, at the start; a lane's row goes with its last open delivery",
    ("hasten_lanes", "lanes"): "the same, where the clock was set back",
    ("last_audit", "audit"): "the primary key backwards, one row",
    ("newest_message", "messages"): "the same",
    ("number_events", "events"): "the partial index of what has no position yet, up to the batch",
    ("number_quietly", "events"): "the same",
    ("count_unnumbered", "events"): "the partial index of what has no position yet, up to the limit",
    ("untold_tasks", "tasks"): "the partial index of what is not told yet, up to the batch",
    ("open_alerts", "alerts"): "the partial index of what is open",
    ("open_holds", "holds"): "the partial index of what is open, up to the limit",
    ("asked_corrections", "corrections"): "the partial index of what is asked, up to the limit",
    ("job_marks", "jobs"): "the primary key backwards, up to the limit",
}
"""What walks through an index or a table all the same, and why that is bounded or rare."""

HOT = {
    "rehead": ("deliveries_open", "deliveries_safe"),
    "claim": ("lanes_safe", "lanes_due"),
    "count_live": ("lanes_live",),
    "open_endpoints": ("lanes_due", "lanes_safe"),
    "next_due": ("lanes_due", "lanes_safe"),
    "waiting_on": ("deliveries_waiting",),
    "blocked_by": ("deliveries_waiting",),
    "repoint": ("deliveries_waiting",),
    "find_matter": ("matters_business_key",),
    "number_events": ("events_new",),
    "number_quietly": ("events_new",),
    "events_after": ("events_position",),
    "owned_events_after": ("events_owned",),
    "due_callbacks": ("callbacks_due",),
    "next_callback": ("callbacks_due",),
    "due_papers": ("papers_due",),
    "paper_due": ("papers_due",),
    "overdue_words": ("deliveries_word",),
    "deliveries_of": ("deliveries_subject",),
    "messages_of": ("messages_subject",),
    "list_clocks": ("clocks_due",),
    "list_tasks": ("tasks_listed",),
    "untold_tasks": ("tasks_untold",),
    "list_owned": ("matters_listed",),
    "cases_numbered": ("matters_source_no",),
    "ledger_cases_of": ("matters_listed",),
    "ledger_mediators": ("matters_listed",),
    "ledger_referrals": ("matters_listed",),
    "ledger_limits": ("clocks_subject",),
    "ledger_delivered": ("deliveries_subject",),
    "standing_of": ("deliveries_state",),
    "standing_between": ("deliveries_state",),
    "callbacks_in": ("callbacks_state",),
    "clocks_before": ("clocks_due",),
    "due_notices": ("alert_notices_due",),
}
"""The index that carries a statement: a changed ``WHERE`` of a partial one would silently fall out of the plan."""


@pytest.fixture(scope="module")
def connection(migrated: Path) -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(f"file:{migrated}?mode=ro", uri=True)
    opened.create_function("now_ms", 0, lambda: 1)
    opened.create_function("pg_notify", 2, lambda channel, payload: None)
    yield opened
    opened.close()


def plan(connection: sqlite3.Connection, statement: Statement) -> list[str]:
    values = (None,) * len(statement.fields)
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement.sql}", values)]


_OF_A_TABLE = re.compile(r"SCAN (?!given|json_each|CONSTANT)")


def walked(statement: Statement, steps: list[str]) -> Iterator[str]:
    """The tables that a plan scans."""
    names: dict[str, str] = {
        alias: table for table, alias in re.findall(r"\b(?:FROM|JOIN)\s+(\w+)\s+(?!WHERE\b|ON\b)(\w+)", statement.sql)
    }
    for step in steps:
        found = re.match(r"SCAN (\w+)", step)
        if found is not None:
            name = names.get(found[1], found[1])
            if name in metadata.tables:
                yield name


@pytest.mark.parametrize("name", STATEMENTS)
def test_prepares_and_walks_through_nothing_that_grows(name: str, connection: sqlite3.Connection) -> None:
    steps = plan(connection, STATEMENTS[name])
    scanned = {table for table in walked(STATEMENTS[name], steps) if table not in SMALL}
    assert {(name, table) for table in scanned} <= ALLOWED.keys(), steps


@pytest.mark.parametrize("name", [name for name, one in STATEMENTS.items() if one.listed])
def test_a_batch_walks_through_what_a_row_walks_through(name: str, connection: sqlite3.Connection) -> None:
    """The list of rows is the outer loop, whatever the planner thinks of its length, and gets no index of its own."""
    steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {STATEMENTS[name].listed}", ("[]", 0))]
    assert not [step for step in steps if "AUTOMATIC" in step], steps
    alone = plan(connection, STATEMENTS[name])
    assert [step for step in steps if _OF_A_TABLE.match(step)] == [step for step in alone if _OF_A_TABLE.match(step)]


@pytest.mark.parametrize("name", HOT)
def test_is_carried_by_its_index(name: str, connection: sqlite3.Connection) -> None:
    steps = "\n".join(plan(connection, STATEMENTS[name]))
    for index in HOT[name]:
        assert re.search(rf"INDEX {index}\b", steps), steps


def test_every_allowance_is_needed(connection: sqlite3.Connection) -> None:
    for name, table in ALLOWED:
        assert table in set(walked(STATEMENTS[name], plan(connection, STATEMENTS[name]))), name


def test_the_claim_reads_its_due_times_from_the_index(connection: sqlite3.Connection) -> None:
    steps = plan(connection, STATEMENTS["claim"])
    assert "SEARCH lanes USING INDEX lanes_due (endpoint=? AND due_at<?)" in steps


def test_fields_are_those_of_the_text() -> None:
    for statement in STATEMENTS.values():
        used = {int(place) for place in re.findall(r"\?(\d+)", statement.sql)}
        assert used == set(range(1, len(statement.fields) + 1)), statement.name


def test_nothing_of_the_other_engine_is_left() -> None:
    for statement in STATEMENTS.values():
        for sql in (statement.sql, statement.listed):
            assert "SKIP LOCKED" not in sql
            assert "FOR UPDATE" not in sql
        assert "FROM given" not in statement.sql
        assert not re.search(r":[a-z]", statement.sql)


@pytest.mark.parametrize("name", load("postgresql"))
def test_the_other_engine_gets_its_columns_as_arrays(name: str) -> None:
    statement = load("postgresql")[name]
    places = {int(place) for place in re.findall(r"\$(\d+)", statement.sql)}
    assert places == set(range(1, len(statement.fields) + 1))
    assert statement.whole == ("unnest(" in statement.sql)


def test_every_statement_of_the_files_is_read() -> None:
    room = Path(load.__code__.co_filename).parent
    text = "\n".join(path.read_text("utf-8") for path in sorted(room.glob("*.sql")))
    assert sorted(STATEMENTS) == sorted(re.findall(r"^-- name: (\w+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", ["standing_of", "standing_between"])
def test_what_stands_is_counted_on_the_index_alone(name: str, connection: sqlite3.Connection) -> None:
    steps = "\n".join(plan(connection, STATEMENTS[name]))
    assert re.search(r"COVERING INDEX deliveries_state", steps), steps
