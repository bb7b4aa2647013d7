"""The runner: one process, one writer, whole transactions, groups that lose only their bad unit."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.store.engine import Group, Operation, Row, Sqlite, StoreLocked, many
from gateway.store.migrate import migrate_sqlite
from gateway.store.store import Store
from gateway.store.unit import Committed
from tests.store.bench import BROKEN, Bench, VirtualClock, opened


async def test_a_second_process_is_refused(database: Path, clock: VirtualClock) -> None:
    store = await opened(database, clock)
    with pytest.raises(StoreLocked):
        await opened(database, clock)
    await store.close()
    again = await opened(database, clock)
    await again.close()


async def test_another_program_may_not_migrate_under_an_open_store(embedded: Store, database: Path) -> None:
    """It finds nothing to do; the running process goes on."""
    migrate_sqlite(database)
    assert await embedded.row("log_position") is not None


async def test_writes_are_durable_and_readers_use_the_same_connection(embedded: Store) -> None:
    assert isinstance(embedded.runner, Sqlite)
    pragmas = await embedded.runner.script(
        lambda connection: {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    )
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


async def test_an_operation_that_fails_leaves_nothing(store: Store, bench: Bench) -> None:
    def half() -> Operation[None]:
        yield "set_mark", [("bus", 7)]
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        await store.run(half)
    assert await store.row("read_mark", "bus") is None
    await store.write("set_mark", ("bus", 8))
    mark = await store.row("read_mark", "bus")
    assert mark is not None
    assert mark["position"] == 8


async def test_a_statement_without_rows_does_nothing(store: Store) -> None:
    assert await store.run(many, "set_mark", []) == []


async def test_a_bad_unit_fails_alone(bench: Bench) -> None:
    await bench.endpoints()
    good = [bench.case(f"case_{number:02}") for number in range(20)]
    bad = bench.case("case_bad")
    bad.deliveries.append(bad.deliveries[0])
    units = [*good[:7], bad, *good[7:]]
    outcomes = await asyncio.gather(*(bench.commit(unit) for unit in units), return_exceptions=True)
    assert isinstance(outcomes[7], BROKEN)
    assert [outcome for outcome in outcomes if not isinstance(outcome, Committed)] == [outcomes[7]]
    assert await bench.store.row("matter", "case_bad") is None
    assert await bench.store.row("subject_of", "case_bad") is None
    assert len(await bench.table("SELECT id FROM subjects")) == 20


async def test_a_unit_without_an_event_for_its_message_is_refused(bench: Bench) -> None:
    unit = bench.case("case_1")
    unit.events.clear()
    with pytest.raises(ValueError, match="event"):
        await bench.commit(unit)
    assert await bench.table("SELECT id FROM messages") == []


async def test_work_goes_on_when_the_caller_is_cancelled(bench: Bench) -> None:
    task = asyncio.create_task(bench.commit(bench.case("case_1", endpoints=())))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert isinstance(await bench.commit(bench.case("case_2", endpoints=())), Committed)
    async with asyncio.timeout(5):
        while await bench.store.row("matter", "case_1") is None:  # another writer may still be at it
            await asyncio.sleep(0.01)


async def test_groups_hold_at_most_their_size(store: Store) -> None:
    sizes = []

    def count(units: list[int]) -> Operation[list[int]]:
        sizes.append(len(units))
        yield "log_position", [()]
        return units

    group = Group(store.runner, count, size=10)
    assert await asyncio.gather(*(group.put(number) for number in range(35))) == list(range(35))
    assert max(sizes) == 10
    assert sum(sizes) == 35


async def test_close_waits_for_what_is_queued(database: Path, clock: VirtualClock) -> None:
    store = await opened(database, clock)
    bench = Bench(store, clock)
    waiting = asyncio.gather(*(bench.commit(bench.case(f"case_{number}", endpoints=())) for number in range(30)))
    await asyncio.sleep(0)
    await store.close()
    assert all(isinstance(outcome, Committed) for outcome in await waiting)
    again = await opened(database, clock)
    assert len(await Bench(again, clock).table("SELECT id FROM matters")) == 30
    await again.close()


async def test_operations_that_wait_share_one_commit_and_a_bad_one_spoils_nothing(embedded: Store) -> None:
    def half() -> Operation[None]:
        yield "set_mark", [("half", 7)]
        raise RuntimeError("in the middle")

    runner = embedded.runner
    assert isinstance(runner, Sqlite)
    said: list[str] = []
    gate = threading.Event()
    await runner.script(lambda connection: connection.set_trace_callback(said.append))
    held = asyncio.ensure_future(runner.script(lambda connection: gate.wait(10)))
    await asyncio.sleep(0.05)
    asked = [embedded.write("set_mark", ("one", 1)), embedded.run(half), embedded.write("set_mark", ("two", 2))]
    waiting = asyncio.gather(*asked, return_exceptions=True)
    await asyncio.sleep(0.05)
    gate.set()
    await held
    found = await waiting
    await runner.script(lambda connection: connection.set_trace_callback(None))
    assert isinstance(found[1], RuntimeError)
    assert [await embedded.row("read_mark", name) is not None for name in ("one", "half", "two")] == [True, False, True]
    assert sum(line == "COMMIT" for line in said) == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(-(2**63), 2**63 - 1), min_size=2))
async def test_a_batch_is_kept_as_row_by_row(embedded: Store, marks: dict[str, int]) -> None:
    """Whatever the texts hold: quotes, signs of every plane, U+0000."""
    await embedded.write("set_mark", *marks.items())
    for name, place in marks.items():
        row = await embedded.row("read_mark", name)
        assert row is not None
        assert row["position"] == place


@pytest.mark.parametrize("error", [ValueError("x"), asyncio.CancelledError()])
async def test_whoever_waits_in_a_group_is_told_of_whatever_ends_it(
    embedded: Store, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    async def die(operation: object, *arguments: object) -> None:
        raise error

    monkeypatch.setattr(embedded.runner, "run", die)
    group: Group[int, Row] = Group(embedded.runner, lambda units: many("set_mark", []))
    waiting = [asyncio.ensure_future(group.put(number)) for number in range(3)]
    async with asyncio.timeout(2):
        told = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(one) for one in told] == [type(error)] * 3
