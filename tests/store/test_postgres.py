"""PostgreSQL's own promises: several processes, a server that comes and goes, a commit whose answer is lost."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from gateway.security.fields import Sealer
from gateway.store.console_tables import metadata
from gateway.store.engine import CommitUnknown, Operation, StoreUnavailable
from gateway.store.ids import Ids
from gateway.store.inbox import NewCallback, Stored
from gateway.store.lists import list_deliveries
from gateway.store.migrate import migrate_postgres
from gateway.store.postgres import _HOT, Postgres
from gateway.store.settlement import Claim, FrozenWire
from gateway.store.statements import load
from gateway.store.store import Store, open_postgres
from gateway.store.unit import Committed, DeliveryMove, Unit
from tests.bus.listening import until
from tests.servers.cut import When, Wire
from tests.servers.databases import Server, new_database
from tests.servers.postgres import PostgresServer, own_server
from tests.store.bench import KEYS, Bench, VirtualClock
from tests.store.test_statements import ALLOWED, HOT, SMALL


def machine_ms() -> int:
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[Store]:
    """One process's store."""
    store = await open_postgres(dsn, Sealer(KEYS), Ids(machine_ms, os.urandom))
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
async def one(dsn: str) -> AsyncIterator[Bench]:
    async with opened(dsn) as store:
        yield Bench(store, VirtualClock())


@pytest.fixture
async def other(dsn: str) -> AsyncIterator[Bench]:
    async with opened(dsn) as store:
        yield Bench(store, VirtualClock())


@pytest.fixture
def mortal() -> Iterator[PostgresServer]:
    """A durable server of this test's own."""
    server = own_server()
    yield server
    server.remove()


# ---- plans

GROWING = frozenset(metadata.tables) - set(SMALL)

SCANNED = {
    "end_leases": "SQLite's alone, at the start",
    "end_polls": "the same",
    "end_callback_leases": "the same",
    "end_paper_leases": "the same",
    "end_job_leases": "the same",
}
"""What walks through a growing table all the same."""


_PARENTS = (
    "SELECT c.relname, p.relname FROM pg_inherits i "
    "JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent"
)
"""Partitions, and their indexes, by the names of the whole."""


async def plans(dsn: str) -> dict[str, str]:
    """The generic plan of every statement, as the engine's sessions make it; all of them prepare. Partitions go by the name of
    their table, and so do their indexes."""
    found = {}
    connection = await asyncpg.connect(dsn, server_settings=_HOT)
    try:
        texts = [(name, one, one.sql) for name, one in load("postgresql").items()]
        texts += [(f"{name} alone", one, one.alone) for name, one, _ in texts if one.alone]
        for name, statement, sql in texts:
            prepared = name.replace(" ", "_") + "_plan"
            await connection.execute(f"PREPARE {prepared} AS {sql}")
            # Of an id that is NULL every month would be left out of the plan before it is shown.
            values = ", ".join("NULL" if sql == statement.sql else "'case_1'" for _ in statement.fields)
            rows = await connection.fetch(f"EXPLAIN (COSTS OFF) EXECUTE {prepared}{f'({values})' if values else ''}")
            found[name] = "\n".join(row[0] for row in rows)
        parents = dict(await connection.fetch(_PARENTS))
        assert sum(parent == "messages" for parent in parents.values()) > 3, "plans are looked at over several months"
        for name, plan in found.items():
            found[name] = re.sub(
                r"\b(messages|attempts)_\w+", lambda part: parents.get(part.group(), part.group()), plan
            )
    finally:
        await connection.close()
    return found


async def test_no_plan_walks_through_what_grows_and_the_hot_ones_use_their_index(postgres: Server) -> None:
    dsn = await new_database(postgres)  # a used one may have been analysed while empty, where every plan costs nothing
    await migrate_postgres(dsn)
    found = await plans(dsn)
    walked = {name: set(re.findall(r"Seq Scan on (\w+)", plan)) & GROWING for name, plan in found.items()}
    allowed = SCANNED.keys() | {name for name, _ in ALLOWED}
    assert {name: found[name] for name, tables in walked.items() if tables and name not in allowed} == {}
    carried = {name: HOT[name.removesuffix(" alone")] for name in found if name.removesuffix(" alone") in HOT}
    assert "messages_of alone" in carried
    missed = {
        name: found[name]
        for name, indexes in carried.items()
        if not all(re.search(rf"\b{index}\b", found[name]) for index in indexes)
    }
    assert missed == {}


# ---- safety of the server


async def test_a_careless_server_is_told_on(postgres: Server, mortal: PostgresServer) -> None:
    careless = PostgresServer().start()
    try:
        runner = await Postgres.connect(careless.dsn())
        reasons = await runner.unsafe()
        await runner.close()
    finally:
        careless.remove()
    assert [reason.rpartition("with ")[2].partition("=")[0] for reason in reasons] == [
        "fsync",
        "full_page_writes",
        "synchronous_commit",
    ]
    runner = await Postgres.connect(mortal.dsn())
    assert await runner.unsafe() == []
    await runner.close()


async def test_no_server_is_told(mortal: PostgresServer) -> None:
    dsn = mortal.dsn()
    mortal.stop()
    with pytest.raises(StoreUnavailable):
        await Postgres.connect(dsn)
    mortal.start()
    with pytest.raises(StoreUnavailable, match="InvalidCatalogName"):
        await Postgres.connect(mortal.dsn("nobody_made_this"))


# ---- the clock


async def test_time_is_the_databases(one: Bench) -> None:
    row = await one.store.row("next_callback")
    assert row is not None
    assert abs(one.store.now_ms() - row["now"]) < 2000


async def test_a_machine_whose_clock_is_wrong_goes_by_the_database(one: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    true = machine_ms()
    wrong = time.time() + 7200
    monkeypatch.setattr(time, "time", lambda: wrong)
    assert abs(one.store.now_ms() - true) < 2000
    assert any("60 s apart" in reason for reason in await one.store.runner.unsafe())


# ---- several processes


async def test_two_processes_never_claim_the_same(one: Bench, other: Bench) -> None:
    await one.endpoints(slots=256)
    await asyncio.gather(*(one.committed(one.case(f"case_{number:03}")) for number in range(200)))
    claims: list[Claim] = []

    async def work(bench: Bench) -> None:
        async with asyncio.timeout(30):
            while len(claims) < 200:
                claims.extend(await bench.claim(7))

    await asyncio.gather(work(one), work(other), work(one), work(other))
    assert len(claims) == 200
    assert len({claim.delivery for claim in claims}) == 200


async def test_slots_are_the_endpoints_over_all_processes(one: Bench, other: Bench) -> None:
    await one.endpoints(slots=5)
    await asyncio.gather(*(one.committed(one.case(f"case_{number:03}")) for number in range(60)))
    taken = await asyncio.gather(*(bench.claim(10) for bench in (one, other) * 6))
    assert sum(map(len, taken)) == 5


async def test_an_endpoint_that_is_well_is_not_locked_by_a_settlement(one: Bench, other: Bench) -> None:
    """Else every other claimer would go round it until the settlement's commit."""
    await one.endpoints("a", slots=50)
    await asyncio.gather(*(one.committed(one.case(f"case_{number}")) for number in range(2)))
    first = (await one.claim(1))[0]
    seen: list[Claim] = []

    def settle_and_look(claims: list[Claim]) -> Operation[None]:
        from gateway.store import claim as engine
        from gateway.store.settlement import EndpointEffect

        result = one.settlement(claims[0], effect=EndpointEffect(failed=False))
        yield from engine.settle([result], one.store.ids)
        yield "hold", [()]

    runner = one.store.runner
    assert isinstance(runner, Postgres)

    async def inside() -> None:
        async with runner._open().acquire() as connection, connection.transaction():
            steps, found = settle_and_look([first]), None
            while True:
                name, rows = steps.send(found) if found is not None else next(steps)
                if name == "hold":
                    seen.extend(await other.claim(5))
                    return
                found = await runner._execute(connection, runner._statements[name], rows)

    await inside()
    assert len(seen) == 1


async def test_what_another_process_commits_is_heard_at_once(one: Bench, other: Bench) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    own: list[str] = []
    one.store.runner.listen(told.put_nowait)
    other.store.runner.listen(own.append)
    assert await asyncio.wait_for(told.get(), 5) == ""
    await asyncio.sleep(0.1)
    await other.endpoints()
    await other.committed(other.case("case_1"))
    assert await asyncio.wait_for(told.get(), 5) == "due"
    await other.store.keep_callback(NewCallback("cbk_1", "a", "E1", "d" * 64, b"x"))
    assert await asyncio.wait_for(told.get(), 5) == "call"
    assert own == [""], "a process is not told what it did itself"


async def test_operations_that_lock_crosswise_both_succeed(one: Bench, other: Bench) -> None:
    await one.committed(one.case("case_1", endpoints=()))
    await one.committed(one.case("case_2", endpoints=()))
    begun = asyncio.Event()
    tries = 0

    def cross(first: str, second: str) -> Operation[str]:
        nonlocal tries
        tries += 1
        yield "lock_subject", [(first,)]
        begun.set()
        yield "slow", [()]
        yield "lock_subject", [(second,)]
        return first

    for bench in (one, other):
        assert isinstance(bench.store.runner, Postgres)
        statement = bench.store.runner._statements["log_position"]
        bench.store.runner._statements["slow"] = type(statement)("slow", "SELECT pg_sleep(0.1)", False, True, ())
    told = await asyncio.gather(one.store.run(cross, "case_1", "case_2"), other.store.run(cross, "case_2", "case_1"))
    assert list(told) == ["case_1", "case_2"]
    assert tries == 3


# ---- a server that comes and goes


async def test_a_server_that_crashes_under_load_loses_nothing_acknowledged(mortal: PostgresServer) -> None:
    await migrate_postgres(mortal.dsn())
    acknowledged: set[str] = set()
    heard: list[str] = []
    async with opened(mortal.dsn()) as store, opened(mortal.dsn()) as second:
        store.runner.listen(heard.append)
        benches = [Bench(found, VirtualClock()) for found in (store, second)]
        await benches[0].endpoints(slots=256)
        over = False

        async def post(bench: Bench, name: str) -> None:
            number = 0
            while not over:
                number += 1
                unit = bench.case(f"case_{name}_{number}")
                assert isinstance(await bench.commit(unit), Committed)
                acknowledged.add(unit.deliveries[0].id)

        done: list[str] = []

        async def deliver(bench: Bench) -> None:
            while not over or len(done) < len(acknowledged):
                claims = await bench.claim(20, lease=2_000)
                for claim in claims:
                    if await bench.settle(claim):
                        done.append(claim.delivery)
                if not claims:
                    await asyncio.sleep(0.02)

        work = [
            asyncio.create_task(post(bench, f"{place}{hand}"))
            for place, bench in enumerate(benches)
            for hand in range(4)
        ]
        work += [asyncio.create_task(deliver(bench)) for bench in benches]
        for _ in range(3):
            await asyncio.sleep(0.4)
            before = len(acknowledged)
            await asyncio.to_thread(mortal.crash)
            await asyncio.to_thread(mortal.start)
            await until(lambda: len(acknowledged) > before + 8, lambda: asyncio.sleep(0.01), 10, "it flows again")  # noqa: B023 -- awaited here
        over = True
        async with asyncio.timeout(20):
            await asyncio.gather(*work)
        kept = await store.run(list_deliveries, "", "", "", 100_000)
        assert {row["id"] for row in kept} == acknowledged
        assert {row["state"] for row in kept} == {"delivered"}
        # The first time, and after each crash.
        await until(lambda: heard.count("") >= 4, lambda: asyncio.sleep(0.05), 5, "the listener is back")
    assert len(acknowledged) > 50


async def test_a_server_away_is_told_within_patience(mortal: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """And once for each group: one that cannot begin is not halved."""
    await migrate_postgres(mortal.dsn())
    runner = await Postgres.connect(mortal.dsn(), patience_s=0.5)
    begun, run = iter(range(1_000)), runner.run
    monkeypatch.setattr(runner, "run", lambda *asked: run(*asked) if next(begun) >= 0 else None)
    store = Store(runner, Sealer(KEYS), Ids(machine_ms, os.urandom), runner.now_ms)
    bench = Bench(store, VirtualClock())
    mortal.stop()
    units = [bench.case(f"case_{number}", endpoints=()) for number in range(40)]
    told = await asyncio.gather(*(store.commit(unit) for unit in units), return_exceptions=True)
    assert {type(one) for one in told} == {StoreUnavailable}
    assert 0 < next(begun) <= runner.writers
    mortal.start()
    assert await asyncio.gather(*(store.commit(unit) for unit in units)) == [Committed(1)] * 40
    await store.close()


# ---- a commit whose answer is lost


@pytest.fixture
async def wire(dsn: str) -> AsyncIterator[Wire]:
    async with Wire(int(dsn.rpartition(":")[2].partition("/")[0])) as opened_wire:
        yield opened_wire


@pytest.fixture
async def far(dsn: str, wire: Wire) -> AsyncIterator[Bench]:
    """A process at the other end of the wire."""
    through = f"{dsn.rpartition(':')[0]}:{wire.port}/{dsn.rpartition('/')[2]}"
    async with opened(through) as store:
        yield Bench(store, VirtualClock())


WHENS: tuple[When, ...] = ("before", "after")


@pytest.mark.parametrize("when", WHENS)
async def test_a_lost_commit_is_neither_lost_nor_doubled(far: Bench, one: Bench, wire: Wire, when: When) -> None:
    await far.endpoints()
    units: list[Unit] = [far.case(f"case_{number}") for number in range(12)]
    wire.lose_commit(when)
    told = await asyncio.gather(*(far.commit(unit) for unit in units))
    assert wire.lost == 1
    assert told == [Committed(1)] * 12
    assert {len(await one.store.rows("events_of", unit.subject)) for unit in units} == {1}


@pytest.mark.parametrize("when", WHENS)
async def test_a_lost_claim_is_ours_or_nobodys(far: Bench, one: Bench, wire: Wire, when: When) -> None:
    await far.endpoints()
    await far.committed(far.case("case_1"))
    wire.lose_commit(when)
    claims = await far.claim()
    assert wire.lost == 1
    if when == "before":
        assert claims == []
        claims = await far.claim()
    assert [claim.lost for claim in claims] == [0]
    assert await one.claim() == []
    assert await far.settle(claims[0])


@pytest.mark.parametrize("when", WHENS)
async def test_a_lost_settlement_holds_once(far: Bench, one: Bench, wire: Wire, when: When) -> None:
    await far.endpoints()
    await far.committed(far.case("case_1"))
    claim = await far.claim_one()
    wire.lose_commit(when)
    assert await far.settle(claim)
    assert wire.lost == 1
    assert await one.state(claim.delivery) == "delivered"
    assert len(await one.store.rows("attempts_of", claim.delivery)) == 1
    assert await one.claim() == []


@pytest.mark.parametrize("when", WHENS)
async def test_a_lost_freeze_holds(far: Bench, one: Bench, wire: Wire, when: When) -> None:
    await far.endpoints()
    await far.committed(far.case("case_1"))
    claim = await far.claim_one()
    wire.lose_commit(when)
    assert await far.store.freeze(FrozenWire(claim, "op", "1", b"wire"))
    assert wire.lost == 1
    assert bytes((await one.delivery(claim.delivery))["wire_sealed"]) == b"wire"


@pytest.mark.parametrize("when", WHENS)
async def test_a_lost_call_is_kept_once_and_is_new(far: Bench, one: Bench, wire: Wire, when: When) -> None:
    wire.lose_commit(when)
    kept = await far.store.keep_callback(NewCallback("cbk_1", "a", "E1", "d" * 64, b"x"))
    assert wire.lost == 1
    assert kept == Stored("cbk_1", fresh=True)
    assert len(await one.store.rows("list_callbacks", "stored", "", 10)) == 1


@pytest.mark.parametrize("when", WHENS)
async def test_a_lost_hand_on_a_delivery_is_known(far: Bench, one: Bench, wire: Wire, when: When) -> None:
    await far.endpoints()
    unit = await far.committed(far.case("case_1"))
    delivery = unit.deliveries[0].id
    wire.lose_commit(when)
    assert isinstance(await far.move("case_1", DeliveryMove(delivery, "a", "pending", "cancelled")), Committed)
    assert wire.lost == 1
    assert await one.state(delivery) == "cancelled"


async def test_what_nobody_can_repeat_is_told_as_unknown(far: Bench, wire: Wire) -> None:
    wire.lose_commit("after")
    with pytest.raises(CommitUnknown):
        await far.store.write("set_mark", ("x", 7))
    row = await far.store.row("read_mark", "x")
    assert row is not None
    assert row["position"] == 7


async def test_a_commit_nobody_can_be_asked_about_is_told_as_unknown(
    far: Bench, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the server says to the question: whoever waits is told, and the next one is served."""

    def refused(*_: object) -> Operation[bool]:
        yield from ()
        raise asyncpg.DeadlockDetectedError

    await far.endpoints()
    await far.committed(far.case("case_1"))
    claim = await far.claim_one()
    monkeypatch.setattr(far.store._settles, "_proof", refused)
    wire.lose_commit("before")
    with pytest.raises(CommitUnknown):
        async with asyncio.timeout(20):
            await far.settle(claim)
    monkeypatch.undo()
    assert await far.settle(claim)


async def test_a_servers_own_bounds_are_waited_out(dsn: str, one: Bench) -> None:
    """A lock that its administrator lets nobody wait for so long, a statement that is cancelled: neither is the operation's
    fault, and what has been read of a platform's answer is kept."""
    await one.endpoints()
    await one.committed(one.case("case_1"))
    claim = await one.claim_one()
    holder = await asyncpg.connect(dsn)
    for bound in ("lock_timeout", "statement_timeout"):
        await holder.execute(f"ALTER DATABASE {dsn.rsplit('/', 1)[1]} SET {bound} = '200ms'")
    async with opened(dsn) as bounded:
        await holder.execute("BEGIN")
        await holder.execute("SELECT 1 FROM lanes FOR UPDATE")
        settling = asyncio.ensure_future(bounded.settle(one.settlement(claim)))
        await asyncio.sleep(0.7)
        assert not settling.done()
        await holder.execute("ROLLBACK")
        async with asyncio.timeout(15):
            assert await settling
    await holder.close()
    assert await one.state(claim.delivery) == "delivered"


async def test_cut_connections_are_replaced(far: Bench, wire: Wire) -> None:
    await far.endpoints()
    for number in range(5):
        wire.cut_all()
        await far.committed(far.case(f"case_{number}"))
    assert len(await far.claim(10)) == 5
