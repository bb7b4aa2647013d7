"""Migrating PostgreSQL: many migrators at once, beside running processes, and what became of indexes that were broken off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar
from unittest import mock

import asyncpg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from gateway.store import storage
from gateway.store.console_tables import metadata
from gateway.store.migrate import SchemaUnknown, migrate_postgres, newest
from tests.servers.databases import Server, execute, new_database
from tests.store.bench import Bench, VirtualClock
from tests.store.shape import CURE, differences, is_partition, shape
from tests.store.test_postgres import opened

T = TypeVar("T")


async def test_migrators_at_once_migrate_once(postgres: Server) -> None:
    dsn = await new_database(postgres)
    told = await asyncio.gather(*(migrate_postgres(dsn) for _ in range(4)))
    assert sorted(told, key=str) == [(newest(), newest())] * 3 + [(None, newest())]
    assert await migrate_postgres(dsn) == (newest(), newest())


async def _seen(dsn: str, look: Callable[[sa.Connection], T]) -> T:
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn))
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(look)
    finally:
        await engine.dispose()


async def test_the_migrated_schema_is_that_of_the_tables(postgres: Server) -> None:
    migrated, laid = await new_database(postgres), await new_database(postgres)
    await migrate_postgres(migrated)
    await _seen(laid, metadata.create_all)
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(laid))
    async with engine.connect() as plain:
        await storage.settle(await plain.execution_options(isolation_level="AUTOCOMMIT"))
    await engine.dispose()
    assert differences(await _seen(migrated, shape), await _seen(laid, shape)) == {}, CURE


async def test_alembic_finds_nothing_to_do_either(dsn: str) -> None:
    def compare(connection: sa.Connection) -> list[object]:
        opts = {"compare_type": True, "include_name": lambda name, kind, _: kind != "table" or not is_partition(name)}
        return list(compare_metadata(MigrationContext.configure(connection, opts=opts), metadata))

    assert await _seen(dsn, compare) == []


async def _older(dsn: str) -> None:
    """Migrate as a package does that knows of no storage: its indexes are there, its tables stand as they were made."""
    with mock.patch.object(storage, "settle", _nothing):
        await migrate_postgres(dsn)
    await execute(
        dsn,
        "CREATE INDEX IF NOT EXISTS deliveries_lane ON deliveries (endpoint, subject, sequence)",
        "ALTER TABLE deliveries RESET (fillfactor)",
        "ALTER TABLE messages ALTER COLUMN document_sealed SET STORAGE EXTENDED",
    )


async def _nothing(_: object) -> None: ...


async def test_how_tables_are_stored_changes_under_those_who_write(postgres: Server) -> None:
    dsn = await new_database(postgres)
    await _older(dsn)
    async with opened(dsn) as store:
        bench, written, over = Bench(store, VirtualClock()), 0, asyncio.Event()
        await bench.endpoints()

        async def write() -> None:
            nonlocal written
            while not over.is_set():
                await bench.committed(bench.case(f"case_{written}"))
                for claim in await bench.claim():
                    await bench.settle(claim)
                await store.load(f"case_{written}")
                written += 1

        writing = asyncio.create_task(write())
        while written < 5:
            await asyncio.sleep(0.01)
        assert await migrate_postgres(dsn) == (newest(), newest())
        before = written
        while written < before + 5:
            await asyncio.sleep(0.01)
        over.set()
        await writing
    laid = await new_database(postgres)
    await migrate_postgres(laid)
    assert differences(await _seen(dsn, shape), await _seen(laid, shape)) == {}


async def test_an_index_that_an_older_package_puts_back_goes_again(postgres: Server) -> None:
    dsn = await new_database(postgres)
    await migrate_postgres(dsn)
    whole = await _seen(dsn, shape)
    await _older(dsn)
    assert await _seen(dsn, shape) != whole
    await asyncio.gather(*(migrate_postgres(dsn) for _ in range(3)))
    await migrate_postgres(dsn)
    assert await _seen(dsn, shape) == whole


async def test_a_table_that_is_held_keeps_its_storage_until_the_next_start(postgres: Server) -> None:
    dsn = await new_database(postgres)
    await _older(dsn)
    holding = await asyncpg.connect(dsn)
    try:
        async with holding.transaction():
            await holding.execute("LOCK TABLE messages IN ACCESS SHARE MODE")
            async with asyncio.timeout(10):
                await migrate_postgres(dsn)
            assert "kept as it is: document_sealed" not in (await _seen(dsn, shape))["messages"]
    finally:
        await holding.close()
    await migrate_postgres(dsn)
    assert "kept as it is: document_sealed" in (await _seen(dsn, shape))["messages"]


async def test_an_older_package_does_not_start_on_a_newer_schema(postgres: Server) -> None:
    dsn = await new_database(postgres)
    await migrate_postgres(dsn)
    await execute(dsn, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaUnknown, match="9999"):
        await migrate_postgres(dsn)


async def test_a_running_process_goes_on_while_a_newer_one_adds_a_column(postgres: Server) -> None:
    """Old and new side by side: a new column under the plans of the old process costs it one more try, no more."""
    dsn = await new_database(postgres)
    await migrate_postgres(dsn)
    async with opened(dsn) as store:
        bench = Bench(store, VirtualClock())
        await bench.endpoints()
        await bench.committed(bench.case("case_1"))
        assert await store.row("matter", "case_1") is not None
        await execute(dsn, "ALTER TABLE matters ADD COLUMN later text", "ALTER TABLE deliveries ADD COLUMN later text")
        assert (await store.row("matter", "case_1"))["later"] is None  # type: ignore[index]  # a row, as above
        assert await store.load("case_1") is not None
        await bench.committed(bench.case("case_2"))
        assert len(await bench.claim()) == 2


async def test_an_index_that_was_broken_off_is_made_again(postgres: Server) -> None:
    dsn = await new_database(postgres)
    await migrate_postgres(dsn)
    whole = await _seen(dsn, shape)
    await execute(
        dsn,
        "DROP INDEX matters_listed",
        # As CREATE INDEX CONCURRENTLY leaves one whose process was killed.
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'deliveries_word'::regclass",
    )
    told = await asyncio.gather(*(migrate_postgres(dsn) for _ in range(3)))
    assert told == [(newest(), newest())] * 3
    assert await _seen(dsn, shape) == whole
    connection = await asyncpg.connect(dsn)
    try:
        assert await connection.fetchval("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0
        assert await connection.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
    finally:
        await connection.close()


async def test_an_index_is_made_while_others_write(postgres: Server) -> None:
    """An open transaction that has written holds the making up, and nobody who writes meanwhile."""
    dsn = await new_database(postgres)
    await migrate_postgres(dsn)
    async with opened(dsn) as store:
        bench = Bench(store, VirtualClock())
        await bench.committed(bench.case("case_1", endpoints=()))
        await execute(dsn, "DROP INDEX matters_listed")
        slow = await asyncpg.connect(dsn)
        writing = slow.transaction()
        await writing.start()
        await slow.execute("UPDATE matters SET version = version + 1")
        making = asyncio.create_task(migrate_postgres(dsn))
        await asyncio.sleep(0.4)
        for number in range(2, 12):
            async with asyncio.timeout(2):
                await bench.committed(bench.case(f"case_{number}", endpoints=()))
        assert not making.done()
        await writing.commit()
        await slow.close()
        assert await asyncio.wait_for(making, 10) == (newest(), newest())
    assert "index matters_listed" in (await _seen(dsn, shape))["matters"]
