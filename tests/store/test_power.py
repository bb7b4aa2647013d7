"""What a power cut may take: a claim under which nothing can have left, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.store.engine import Operation, Sqlite
from gateway.store.migrate import migrate_postgres
from gateway.store.settlement import FrozenWire
from gateway.store.store import Store
from tests.servers.databases import clocked
from tests.servers.postgres import PostgresServer, own_server
from tests.store.bench import KEYS, Bench, VirtualClock


def renew() -> Operation[str]:
    """An operation that writes."""
    yield "set_mark", [("power", 1)]
    return "renewed"


async def test_a_result_that_something_rests_on_is_told_as_any_other(store: Store) -> None:
    asked: list[object] = []

    def firm(result: object) -> bool:
        asked.append(result)
        return True

    assert await store.runner.run_loosely(firm, renew) == "renewed"
    assert await store.runner.run_loosely(lambda _: False, renew) == "renewed"
    assert isinstance(store.runner, Sqlite) or asked == ["renewed"]
    row = await store.row("read_mark", "power")
    assert row is not None
    assert row["position"] == 1


async def test_an_error_of_a_loose_operation_reaches_whoever_asked(store: Store) -> None:
    def fails() -> Operation[None]:
        yield "set_mark", [("power", 7)]
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await store.runner.run_loosely(lambda _: False, fails)
    assert await store.row("read_mark", "power") is None


async def tried(bench: Bench) -> None:
    """A delivery whose first attempt failed: its wire is kept, and it is due again."""
    await bench.endpoints()
    await bench.committed(bench.case("case_1"))
    claim = await bench.claim_one()
    assert await bench.store.freeze(FrozenWire(claim, "op", "1", b"wire"))
    assert await bench.settle(claim, "pending")


async def test_sqlite_syncs_every_commit(embedded: Store, clock: VirtualClock) -> None:
    bench, runner = Bench(embedded, clock), embedded.runner
    assert isinstance(runner, Sqlite)
    said: list[str] = []
    await runner.script(lambda connection: connection.set_trace_callback(said.append))
    await bench.endpoints()
    await bench.committed(bench.case("case_1"))
    assert await bench.claim_one()
    assert [line for line in said if "synchronous" in line] == []
    assert await runner.script(lambda connection: connection.execute("PRAGMA synchronous").fetchone()[0]) == 2


@pytest.fixture
async def server() -> AsyncIterator[PostgresServer]:
    """Nothing but a commit that is synced brings its log to the disk."""
    made = own_server(wal_writer_delay="10s", autovacuum="off", bgwriter_delay="10s", checkpoint_timeout="1h")
    yield made
    made.remove()


@pytest.mark.parametrize("rest", ["a wire that was kept before", "the commit that keeps it"])
async def test_postgresql_keeps_a_claim_under_which_something_left(
    server: PostgresServer, clock: VirtualClock, rest: str
) -> None:
    await migrate_postgres(server.dsn())
    store = await clocked(server.dsn(), clock, KEYS)
    bench = Bench(store, clock)
    if rest == "the commit that keeps it":
        await bench.endpoints()
        await bench.committed(bench.case("case_1"))
        claim = await bench.claim_one()
        assert await store.freeze(FrozenWire(claim, "op", "1", b"wire"))
    else:
        await tried(bench)
        claim = await bench.claim_one()
    server.crash()
    server.start()
    await store.row("log_position")  # the broken connections are found out
    assert await bench.table("SELECT token, tries FROM lanes") == [(claim.token, claim.tries)]
    await store.close()


async def test_a_claim_that_the_power_cut_took_is_made_again_as_if_it_had_never_been(
    server: PostgresServer, clock: VirtualClock
) -> None:
    await migrate_postgres(server.dsn())
    store = await clocked(server.dsn(), clock, KEYS)
    bench = Bench(store, clock)
    await bench.endpoints()
    await bench.committed(bench.case("case_1"))
    first = await bench.claim_one()
    server.crash()
    server.start()
    again = await bench.claim_one()
    assert (again.delivery, again.tries, again.lost) == (first.delivery, 1, 0)
    assert not await store.freeze(FrozenWire(first, "op", "1", b"wire")), "whoever still holds it sends nothing"
    await store.close()
