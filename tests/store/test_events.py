"""Events: positions without a hole, in the order of their commit, and readers by mark and organisation."""

from __future__ import annotations

import asyncio

from gateway.store import journal
from gateway.store.store import Store
from tests.store.bench import Bench


async def numbered(store: Store, limit: int = 500) -> int:
    return await store.run(journal.number, limit)


async def test_nothing_is_read_before_it_is_numbered(store: Store, bench: Bench) -> None:
    await bench.committed(bench.case("case_1"))
    assert await store.runner.read(journal.after, 0, 10) == []
    assert await numbered(store) == 1
    assert await numbered(store) == 0
    event = (await store.runner.read(journal.after, 0, 10))[0]
    assert (event.subject, event.sequence, event.position, event.organization) == ("case_1", 1, 1, "SD-JN-LX-001")


async def test_positions_have_no_hole_and_keep_each_subjects_order(store: Store, bench: Bench) -> None:
    async def write(subject: str) -> None:
        await bench.committed(bench.case(subject))
        for _ in range(5):
            expected = await bench.sequence(subject)
            await bench.committed(bench.unit(subject, expected, events=[bench.event(), bench.event()]))

    async def number() -> None:
        for _ in range(12):
            await numbered(store, 3)
            await asyncio.sleep(0)

    await asyncio.gather(*(write(f"case_{place}") for place in range(6)), number(), number())
    while await numbered(store, 7):
        pass
    events = await store.runner.read(journal.after, 0, 1000)
    assert [event.position for event in events] == list(range(1, 6 * 11 + 1))
    for place in range(6):
        own = [event.sequence for event in events if event.subject == f"case_{place}"]
        assert own == list(range(1, 12))
    assert await bench.table("SELECT position FROM log WHERE id = 1") == [(66,)]


async def test_pages_after_a_mark_hold_everything_once(store: Store, bench: Bench) -> None:
    for place in range(25):
        await bench.committed(bench.case(f"case_{place:02}"))
    await numbered(store)
    mark, seen = 0, []
    while page := await store.runner.read(journal.after, mark, 4):
        seen += [event.id for event in page]
        assert page[-1].position is not None
        mark = page[-1].position
    assert len(seen) == len(set(seen)) == 25


async def test_an_owner_sees_its_own_alone_and_pages_over_several_organisations(store: Store, bench: Bench) -> None:
    for place in range(12):
        unit = bench.case(f"case_{place:02}")
        unit.organization = ("SD-A", "SD-B", "SD-C")[place % 3]
        await bench.committed(unit)
    await numbered(store)
    assert await store.runner.read(journal.owned_after, (), 0, 10) == []
    mark, seen = 0, []
    while page := await store.runner.read(journal.owned_after, ("SD-A", "SD-C"), mark, 3):
        seen += [(event.position, event.organization) for event in page]
        assert page[-1].position is not None
        mark = page[-1].position
    assert [organization for _, organization in seen] == ["SD-A", "SD-C"] * 4
    assert [position for position, _ in seen] == sorted(position for position, _ in seen if position is not None)


async def test_a_consumers_mark_is_kept(store: Store) -> None:
    assert await store.row("read_mark", "bus") is None
    await store.write("set_mark", ("bus", 5))
    await store.write("set_mark", ("bus", 9))
    assert [row["position"] for row in await store.rows("read_mark", "bus")] == [9]
    assert await store.row("read_mark", "other") is None
