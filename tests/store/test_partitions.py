"""Months of the tables that only grow: made ahead by many at once, pruned by every look, and nothing lost beside them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from gateway.security.fields import Sealer
from gateway.store import partitions
from gateway.store.ids import Ids, id_at, made_at
from gateway.store.migrate import migrate_postgres
from gateway.store.months import Month, Part, troubles
from gateway.store.partitions import AHEAD, TABLES
from gateway.store.postgres import _HOT, Postgres
from gateway.store.statements import Statement, load
from gateway.store.store import Store
from gateway.store.unit import Committed, NewMessage
from tests.servers.databases import Server, execute, new_database
from tests.store.bench import KEYS, Bench, VirtualClock
from tests.store.test_postgres import opened

DAY_MS = 86_400_000


def ms(year: int, month: int, day: int = 1, hour: int = 0) -> int:
    return round(datetime(year, month, day, hour, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
async def fresh(postgres: Server) -> str:
    """A migrated database that no other test has filled."""
    dsn = await new_database(postgres)
    await migrate_postgres(dsn)
    return dsn


@asynccontextmanager
async def connected(dsn: str, **settings: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(dsn, server_settings=settings)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def at(dsn: str, clock: Callable[[], int]) -> AsyncIterator[Bench]:
    """A process whose ids are made on that clock."""
    chance = iter(range(1, 1_000_000))
    runner = await Postgres.connect(dsn)
    store = Store(runner, Sealer(KEYS), Ids(clock, lambda size: next(chance).to_bytes(size)), runner.now_ms)
    try:
        yield Bench(store, VirtualClock())
    finally:
        await store.close()


def months_of(parts: Iterable[Part], table: str) -> list[str]:
    return [part.month for part in parts if part.table == table and part.month is not None]


async def default_rows(dsn: str) -> dict[str, int]:
    async with connected(dsn) as connection:
        return {part.table: part.rows for part in await partitions.listed(connection) if part.is_default}


# ---- months


def test_a_month_begins_at_midnight_in_beijing() -> None:
    assert Month.of(ms(2026, 11, 30, 15) + 3_599_999) == Month(2026, 11)
    assert Month.of(ms(2026, 11, 30, 16)) == Month(2026, 12)
    assert Month(2026, 12).begins == ms(2026, 11, 30, 16)
    assert Month(2026, 12).later(1) == Month(2027, 1)
    assert Month(2026, 1).later(-1) == Month(2025, 12)
    assert str(Month(2026, 3)) == "2026-03"


def test_times_beyond_all_calendars_have_no_month() -> None:
    assert Month.of(2**48 - 1) is None
    assert Month.of(-(10**17)) is None


def test_what_should_be_looked_at() -> None:
    def part(name: str, month: str | None, rows: int = 0) -> Part:
        return Part("messages", f"messages_{name}", month, rows, 0)

    now = ms(2026, 11, 15)
    whole = [part("2026_11", "2026-11", 5), part("2026_12", "2026-12"), part("default", None)]
    assert troubles(whole, now) == []
    assert troubles(whole, now + 31 * DAY_MS) == [("messages", "∅ 2027-01")]
    assert troubles([*whole[:2], part("default", None, 3)], now) == [("messages", "DEFAULT: 3")]
    assert troubles([], now) == []


def test_an_id_is_never_before_the_one_it_follows() -> None:
    ids = Ids(lambda: 1_000, lambda size: bytes(size))
    late = id_at("case", 5_000)
    assert made_at(ids.new("message", after=late)) == 5_000
    assert made_at(ids.new("message", after=id_at("case", 10))) == 1_000
    assert made_at(ids.new("message", after="case_1")) == 1_000


# ---- made ahead


async def test_migrating_makes_this_month_and_the_next_three(fresh: str) -> None:
    async with connected(fresh) as connection:
        now = await connection.fetchval("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
        parts = await partitions.listed(connection)
    month = Month.of(now)
    assert month is not None
    wanted = [str(month.later(step)) for step in range(AHEAD + 1)]
    assert {table: months_of(parts, table) for table in TABLES} == dict.fromkeys(TABLES, wanted)
    assert sorted(part.name for part in parts if part.is_default) == ["attempts_default", "messages_default"]
    assert troubles(parts, now) == []


async def test_a_row_that_was_on_its_way_to_default_when_its_month_came_is_kept(fresh: str) -> None:
    then = ms(2033, 3, 10)
    async with connected(fresh) as maker, at(fresh, lambda: then) as bench:
        await maker.execute("BEGIN")
        await maker.execute("CREATE TABLE messages_2033_03 (LIKE messages INCLUDING ALL)")
        low, high = (id_at("message", ms(2033, month, 1)) for month in (3, 4))
        await maker.execute(
            f"ALTER TABLE messages ATTACH PARTITION messages_2033_03 FOR VALUES FROM ('{low}') TO ('{high}')"
        )
        writing = asyncio.create_task(bench.commit(bench.case(id_at("case", then))))
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'messages_default'::regclass"
        async with connected(fresh) as watcher, asyncio.timeout(10):
            while not await watcher.fetchval(waiting):
                await asyncio.sleep(0.01)
        await maker.execute("COMMIT")
        assert isinstance(await writing, Committed)
        assert await maker.fetchval("SELECT count(*) FROM messages_2033_03") == 1


async def test_many_make_the_months_at_once_and_a_second_time_changes_nothing(fresh: str) -> None:
    async def keep(now: int) -> None:
        async with connected(fresh) as connection:
            await partitions.keep(connection, now)

    later = ms(2031, 5, 10)
    await asyncio.gather(*(keep(later) for _ in range(6)))
    async with connected(fresh) as connection:
        parts = await partitions.listed(connection)
        assert await connection.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
    assert {"2031-05", "2031-06", "2031-07", "2031-08"} <= set(months_of(parts, "attempts"))
    await keep(later)
    async with connected(fresh) as connection:
        assert {part.name for part in await partitions.listed(connection)} == {part.name for part in parts}


async def test_a_month_has_every_index_of_its_table(fresh: str) -> None:
    async with connected(fresh) as connection:
        rows = await connection.fetch(
            "SELECT p.relname AS whole, count(i.inhrelid) AS parts, x.indisvalid FROM pg_class p "
            "JOIN pg_index x ON x.indexrelid = p.oid LEFT JOIN pg_inherits i ON i.inhparent = p.oid "
            "WHERE p.relkind = 'I' GROUP BY 1, 3 ORDER BY 1"
        )
    assert [tuple(row) for row in rows] == [
        ("attempts_pkey", AHEAD + 2, True),
        ("messages_pkey", AHEAD + 2, True),
        ("messages_subject", AHEAD + 2, True),
    ]


async def test_a_month_is_made_beside_who_reads_and_writes(fresh: str) -> None:
    """A statement that is open for long holds the making up, for a moment, and then it is left to the next time."""
    async with opened(fresh) as store, connected(fresh) as slow, connected(fresh) as maker:
        bench = Bench(store, VirtualClock())
        await bench.committed(bench.case("case_1", endpoints=()))
        reading = slow.transaction()
        await reading.start()
        await slow.fetch("SELECT count(*) FROM messages")
        making = asyncio.create_task(partitions.keep(maker, ms(2032, 1)))
        for number in range(2, 12):
            async with asyncio.timeout(3):
                await bench.committed(bench.case(f"case_{number}", endpoints=()))
        await asyncio.wait_for(making, 10)
        assert "2032-01" not in months_of(await partitions.listed(maker), "messages")
        await reading.rollback()
        await partitions.keep(maker, ms(2032, 1))
        assert "2032-01" in months_of(await partitions.listed(maker), "messages")


async def test_who_may_not_make_tables_starts_all_the_same_and_is_told_of(fresh: str) -> None:
    await execute(
        fresh,
        "DO $$ BEGIN CREATE ROLE clerk LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO clerk",
    )
    runner = await Postgres.connect(fresh.replace("postgres@", "clerk@"))
    try:
        later = ms(2033, 3)
        await runner.keep_months(later)
        assert troubles(await runner.months(), later) == [
            ("attempts", "∅ 2033-03 2033-04"),
            ("messages", "∅ 2033-03 2033-04"),
        ]
        await migrate_postgres(fresh.replace("postgres@", "clerk@"))
    finally:
        await runner.close()


async def test_tables_that_are_whole_are_left_alone(fresh: str) -> None:
    await execute(
        fresh,
        "CREATE TABLE whole (LIKE messages INCLUDING ALL)",
        "DROP TABLE messages",
        "ALTER TABLE whole RENAME TO messages",
    )
    async with connected(fresh) as connection:
        made = await partitions.keep(connection, ms(2037, 1, 2))
        assert made == ["attempts_2037_01", "attempts_2037_02", "attempts_2037_03", "attempts_2037_04"]
        assert {part.table for part in await partitions.mend(connection)} == {"attempts"}


# ---- what lies in no month


@pytest.mark.parametrize("year", [1971, 2019, 2040, 9000])
async def test_a_clock_that_is_far_off_breaks_nothing(fresh: str, year: int) -> None:
    """The whole journey of a case whose ids lie in no month, begun by a wrong clock and gone on with by a right one."""
    wrong = [ms(year, 6, 15)]
    async with at(fresh, lambda: wrong[0]) as far, opened(fresh) as near:
        bench = Bench(near, VirtualClock())
        await far.endpoints()
        case = far.store.ids.new("case")
        await far.committed(far.case(case))
        claim = await bench.claim_one()
        assert await bench.settle(claim)
        message = near.ids.new("message", after=case)
        row = (message, "case.progressed", case, 1, "upstream", "cor_1", "1.0", b"sealed")
        await bench.committed(
            bench.unit(case, await bench.sequence(case), messages=[NewMessage(*row)], events=[bench.event(about=case)])
        )
        found = [row["id"] for row in await near.rows("messages_of", case)]
        assert found == [claim.message, message]
        assert [row["id"] for row in await near.rows("message", claim.message)] == [claim.message]
        assert [row["number"] for row in await near.rows("attempts_of", claim.delivery)] == [1]
        rows = await default_rows(fresh)
        assert rows["attempts"] == 1
        assert rows["messages"] == (2 if year > 2030 else 1)
        assert [table for table, _ in troubles(await near.runner.months(), near.now_ms())] == ["attempts", "messages"]


async def test_a_message_older_than_its_subject_is_not_kept(fresh: str) -> None:
    async with opened(fresh) as store:
        bench = Bench(store, VirtualClock())
        case = id_at("case", ms(2026, 11, 2))
        unit = bench.case(case, endpoints=())
        message = unit.messages[0]
        old = type(message)(id_at("message", ms(2026, 11, 1)), *[getattr(message, f) for f in message.__slots__[1:]])
        unit.messages = [old]
        with pytest.raises(ValueError, match="older than its subject"):
            await bench.commit(unit)


async def test_what_lies_in_no_month_comes_home_when_the_month_is_made(fresh: str) -> None:
    clock = [ms(2035, 2, 10)]
    async with at(fresh, lambda: clock[0]) as bench:
        await bench.endpoints()
        cases = [bench.store.ids.new("case") for _ in range(20)]
        for case in cases:
            clock[0] += DAY_MS * 4
            await bench.committed(bench.case(case))
        await bench.deliver_all()
        before = {case: await bench.store.rows("messages_of", case) for case in cases}
        assert (await default_rows(fresh))["messages"] == 20
        await bench.store.runner.keep_months(ms(2035, 3, 1))
        left = await default_rows(fresh)
        assert 0 < left["messages"] < 10
        assert left["messages"] == left["attempts"]
        assert {case: await bench.store.rows("messages_of", case) for case in cases} == before
        runner = bench.store.runner
        assert isinstance(runner, Postgres)
        await runner.mend_months()
        assert await default_rows(fresh) == {"messages": 0, "attempts": 0}
        assert {case: await bench.store.rows("messages_of", case) for case in cases} == before


async def test_too_many_are_left_to_a_hand(fresh: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "MOST_MOVED", 3)
    async with at(fresh, lambda: ms(2036, 7, 10)) as bench:
        for _ in range(4):
            await bench.committed(bench.case(bench.store.ids.new("case"), endpoints=()))
        await bench.store.runner.keep_months(ms(2036, 7, 11))
        months = months_of(await bench.store.runner.months(), "messages")
        assert "2036-07" not in months
        assert "2036-08" in months
        assert (await default_rows(fresh))["messages"] == 4
        runner = bench.store.runner
        assert isinstance(runner, Postgres)
        assert "2036-07" in months_of(await runner.mend_months(), "messages")
        assert (await default_rows(fresh))["messages"] == 0


async def test_ids_of_no_form_stay_where_they_are(fresh: str) -> None:
    async with opened(fresh) as store, connected(fresh) as connection:
        bench = Bench(store, VirtualClock())
        for name in ("msg_1", "nonsense", "msg_" + "Z" * 26, id_at("message", ms(2029, 1))):
            unit = bench.case(f"case_{name}"[:20], endpoints=())
            message = unit.messages[0]
            unit.messages = [type(message)(name, *[getattr(message, f) for f in message.__slots__[1:]])]
            await bench.committed(unit)
        await partitions.mend(connection)
        assert (await default_rows(fresh))["messages"] == 3
        assert "2029-01" in months_of(await partitions.listed(connection), "messages")
        for name in ("msg_1", "nonsense"):
            assert await store.row("message", name) is not None


# ---- indexes


async def test_an_index_that_is_missing_is_made_on_every_month(fresh: str) -> None:
    await execute(fresh, "DROP INDEX messages_subject")
    await asyncio.gather(*(migrate_postgres(fresh) for _ in range(3)))
    async with connected(fresh) as connection:
        found = await connection.fetchrow(
            "SELECT (SELECT indisvalid FROM pg_index WHERE indexrelid = 'messages_subject'::regclass) AS valid, "
            "(SELECT count(*) FROM pg_inherits WHERE inhparent = 'messages_subject'::regclass) AS parts"
        )
    assert tuple(found) == (True, AHEAD + 2)


async def test_an_index_that_was_broken_off_between_two_months_is_finished(fresh: str) -> None:
    await execute(
        fresh,
        "DROP INDEX messages_subject",
        "CREATE INDEX messages_subject ON ONLY messages (subject, sequence)",
        "CREATE INDEX messages_default_subject ON messages_default (subject, sequence)",
        "ALTER INDEX messages_subject ATTACH PARTITION messages_default_subject",
    )
    await migrate_postgres(fresh)
    async with connected(fresh) as connection:
        assert await connection.fetchval(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 'messages_subject'::regclass"
        )
        assert not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_index WHERE NOT indisvalid)")


# ---- pruning


@asynccontextmanager
async def three_years(postgres: Server) -> AsyncIterator[Any]:
    """A connection as the engine's are, on 36 months of messages and attempts."""
    dsn = await new_database(postgres)
    await migrate_postgres(dsn)
    async with connected(dsn) as connection:
        for year, month in ((2024, 3), (2024, 7), (2024, 11), (2025, 3), (2025, 7), (2025, 11), (2026, 3), (2026, 7)):
            await partitions.keep(connection, ms(year, month, 15))
    async with connected(dsn, **_HOT) as connection:
        yield connection


async def touched(connection: Any, name: str, *values: object) -> set[str]:
    """The partitions that a statement's generic plan really goes to; that of one row alone begins with those few."""
    statement = load("postgresql")[name]
    found = await ran(connection, name, statement, statement.sql, *values)
    if statement.alone:
        assert await ran(connection, name, statement, statement.alone, *values) == found
    return found


async def ran(connection: Any, name: str, statement: Statement, sql: str, *values: object) -> set[str]:
    await connection.execute(f"PREPARE {name}_run AS {sql}")
    given = ", ".join(
        f"ARRAY['{value}']" if sql == statement.sql and statement.whole else repr(value) for value in values
    )
    rows = await connection.fetch(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE {name}_run({given})")
    await connection.execute(f"DEALLOCATE {name}_run")
    lines = [row[0] for row in rows if "never executed" not in row[0]]
    if sql == statement.alone:
        assert len(lines) == len(rows), rows
    assert not any("Seq Scan" in line for line in lines), lines
    return {
        found for line in lines for found in re.findall(r" on ((?:messages|attempts)_(?:default|\d{4}_\d{2}))", line)
    }


async def test_looks_by_id_go_to_one_month_and_looks_by_case_to_its_own_and_later(postgres: Server) -> None:
    async with three_years(postgres) as connection:
        parts = await partitions.listed(connection)
        assert len(months_of(parts, "messages")) >= 36
        message, delivery = id_at("message", ms(2025, 6, 10)), id_at("delivery", ms(2025, 6, 10))
        for name in ("message", "message_source", "message_version"):
            assert await touched(connection, name, message) == {"messages_2025_06"}, name
        assert await touched(connection, "attempts_of", delivery) == {"attempts_2025_06"}
        newest = months_of(parts, "messages")[-1].replace("-", "_")
        late = id_at("case", Month(*map(int, newest.split("_"))).begins + DAY_MS)
        assert await touched(connection, "messages_of", late) == {f"messages_{newest}", "messages_default"}
        early = await touched(connection, "messages_of", id_at("case", ms(2026, 10, 10)))
        assert "messages_2026_09" not in early
        assert {"messages_2026_10", "messages_default"} <= early


async def test_the_figures_look_for_an_events_message_from_its_case_on(postgres: Server) -> None:
    async with three_years(postgres) as connection:
        case = id_at("case", ms(2026, 10, 10))
        await connection.execute(
            "INSERT INTO events (subject, sequence, id, type, about, organization, data, at, position) "
            "VALUES ($1, 1, 'evt_1', 'case.received', $1, 'O', '{}', 0, 1)",
            case,
        )
        found = await touched(connection, "events_to_tally", 0, 100)
        assert "messages_2026_10" in found
        assert not any(name < "messages_2026_10" for name in found - {"messages_default"}), found


async def test_a_row_is_written_to_its_month_alone(postgres: Server) -> None:
    async with three_years(postgres) as connection:
        await connection.execute("BEGIN")
        await connection.execute(
            "INSERT INTO attempts (delivery, number, trigger, outcome, exchanges, ended_at, duration_ms) "
            "VALUES ($1, 1, 'schedule', 'delivered', 1, 0, 1)",
            id_at("delivery", ms(2025, 6, 10)),
        )
        locked = await connection.fetch(
            "SELECT c.relname FROM pg_locks l JOIN pg_class c ON c.oid = l.relation "
            "WHERE l.pid = pg_backend_pid() AND c.relname LIKE 'attempts%' AND c.relkind IN ('r', 'p')"
        )
        await connection.execute("ROLLBACK")
        assert {row[0] for row in locked} == {"attempts", "attempts_2025_06"}
