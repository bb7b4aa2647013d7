"""A database that has no room: told in the word of both engines, nothing half-written, well again by itself."""

from __future__ import annotations

import pytest

from gateway.store.engine import Sqlite, StoreUnavailable
from gateway.store.store import Store


async def _pages(store: Store, most: int) -> int:
    """Let the file have so many pages at the most (never fewer than it has); how many it has."""
    runner = store.runner
    assert isinstance(runner, Sqlite)
    await runner.script(lambda connection: connection.execute(f"PRAGMA max_page_count={most}").fetchall())
    found: int = await runner.script(lambda connection: connection.execute("PRAGMA page_count").fetchone()[0])
    return found


async def _fill(store: Store) -> int:
    """Write until there is no room; how many rows were acknowledged."""
    for number in range(10_000):
        try:
            await store.write("see_nonce", ("ids", f"{number:05d}" + "x" * 500, 60_000))
        except StoreUnavailable:
            return number
    raise AssertionError("it was never full")


async def test_a_full_database_acknowledges_nothing_and_is_well_with_room(embedded: Store) -> None:
    store = embedded
    assert await store.can_write()
    pages = await _pages(store, 1)
    kept = await _fill(store)
    with pytest.raises(StoreUnavailable, match="SQLITE_FULL"):
        await store.write("see_nonce", ("ids", "y" * 3000, 60_000))
    runner = store.runner
    assert isinstance(runner, Sqlite)
    rows = await runner.script(lambda connection: connection.execute("SELECT count(*) FROM nonces").fetchone()[0])
    assert rows == kept
    await _pages(store, pages + 10_000)
    assert await store.can_write()
    await store.write("see_nonce", ("ids", "y" * 3000, 60_000))
