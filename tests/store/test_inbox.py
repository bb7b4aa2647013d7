"""Stored calls: each number once, other content beside the first, leases, pages with their cursor."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.store import inbox
from gateway.store.engine import Row
from gateway.store.ids import id_at
from gateway.store.inbox import NewCallback, Stored
from gateway.store.store import Store
from gateway.store.unit import NewTask
from tests.store.bench import BROKEN, START_MS, Bench, VirtualClock, opened

LEASE_MS = 30_000


def call(identifier: str, event: str = "EV-1", digest: str = "d" * 64, endpoint: str = "a") -> NewCallback:
    return NewCallback(identifier, endpoint, event, digest, b"sealed:" + identifier.encode())


async def due(store: Store, batch: int = 10) -> list[inbox.DueCallback]:
    return await store.run(inbox.take_due, batch, LEASE_MS)


async def test_a_number_is_kept_once(store: Store, bench: Bench) -> None:
    assert await store.keep_callback(call("cbk_1")) == Stored("cbk_1", fresh=True)
    assert await store.keep_callback(call("cbk_2")) == Stored("cbk_1", fresh=False)
    assert await store.keep_callback(call("cbk_3", endpoint="b")) == Stored("cbk_3", fresh=True)
    assert len(await bench.table("SELECT id FROM callbacks")) == 2


async def test_a_thousand_repeats_at_once_are_one(store: Store, bench: Bench) -> None:
    told = await asyncio.gather(*(store.keep_callback(call(f"cbk_{number:04}")) for number in range(1000)))
    assert sum(stored.fresh for stored in told) == 1
    assert len({stored.id for stored in told}) == 1
    assert len(await bench.table("SELECT id FROM callbacks")) == 1


async def test_other_content_under_a_known_number_is_kept_beside_it(store: Store) -> None:
    await store.keep_callback(call("cbk_1"))
    other = call("cbk_2", digest="e" * 64)
    assert await store.keep_callback(other) == Stored("cbk_2", fresh=True, conflict=True)
    assert await store.keep_callback(call("cbk_3", digest="e" * 64)) == Stored("cbk_3", fresh=False, conflict=True)
    kept = {found.id: found.event_id for found in await due(store)}
    assert kept == {"cbk_1": "EV-1", "cbk_2": "EV-1#" + "e" * 16}


async def test_twins_with_other_content_in_one_group(store: Store) -> None:
    one, other = store.keep_callback(call("cbk_1")), store.keep_callback(call("cbk_2", digest="e" * 64))
    first, second = await asyncio.gather(one, other)
    assert first == Stored("cbk_1", fresh=True)
    assert second == Stored("cbk_2", fresh=True, conflict=True)


async def test_calls_are_handed_out_in_order_and_leased(store: Store, clock: VirtualClock) -> None:
    for number in range(5):
        await store.keep_callback(call(f"cbk_{number}", f"EV-{number}"))
        clock.pass_ms(1)
    first = await due(store, 3)
    assert [found.id for found in first] == ["cbk_0", "cbk_1", "cbk_2"]
    assert {found.tries for found in first} == {1}
    assert first[0].call_sealed == b"sealed:cbk_0"
    assert [found.id for found in await due(store)] == ["cbk_3", "cbk_4"]
    assert await due(store) == []
    clock.pass_ms(LEASE_MS)
    again = await due(store)
    assert [(found.id, found.tries) for found in again] == [(f"cbk_{number}", 2) for number in range(5)]


async def test_what_is_settled_is_not_handed_out(store: Store, clock: VirtualClock) -> None:
    for number, state in enumerate(["applied", "duplicate", "unreadable", "orphan", "stored"]):
        await store.keep_callback(call(f"cbk_{number}", f"EV-{number}"))
        await store.write("move_callback", (f"cbk_{number}", state, None, 0))
    clock.pass_ms(1)
    assert {found.id for found in await due(store)} == {"cbk_3", "cbk_4"}


async def test_waiting_orphans_are_not_starved_by_a_flood(store: Store, clock: VirtualClock) -> None:
    await store.keep_callback(call("cbk_orphan", "EV-0"))
    await store.write("move_callback", ("cbk_orphan", "orphan", "not_known", 1000))
    for number in range(50):
        await store.keep_callback(call(f"cbk_{number:02}", f"EV-{number + 1}"))
    clock.pass_ms(1000)
    assert "cbk_orphan" in {found.id for found in await due(store, 5)}


async def test_the_next_due_time_is_the_earliest(store: Store, clock: VirtualClock) -> None:
    row = await store.row("next_callback")
    assert row is not None
    assert row["due_at"] is None
    await store.keep_callback(call("cbk_1"))
    await store.keep_callback(call("cbk_2", "EV-2"))
    await store.write("move_callback", ("cbk_1", "orphan", "x", 2000))
    await store.write("move_callback", ("cbk_2", "stored", None, 9000))
    row = await store.row("next_callback")
    assert row is not None
    assert row["due_at"] == START_MS + 2000


async def test_a_start_gives_back_what_a_dead_process_had(database: Path, clock: VirtualClock) -> None:
    store = await opened(database, clock)
    await store.keep_callback(call("cbk_1"))
    assert len(await due(store)) == 1
    assert await due(store) == []
    await store.close()
    again = await opened(database, clock)
    assert [(found.id, found.tries) for found in await due(again)] == [("cbk_1", 2)]
    await again.close()


async def test_a_page_and_its_cursor_are_one(store: Store, bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    page = [call("cbk_1", "BG1"), call("cbk_2", "BG2"), call("cbk_3", "BG1")]
    told = await store.run(inbox.keep_page, "a", page, "cursor-1", 5000)
    assert [stored.fresh for stored in told] == [True, True, False]
    row = await endpoint(bench)
    assert (row["cursor"], row["poll_at"]) == ("cursor-1", START_MS + 5000)
    bad = [call("cbk_4", "BG4"), call("cbk_4", "BG5")]
    with pytest.raises(BROKEN):
        await store.run(inbox.keep_page, "a", bad, "cursor-2", 5000)
    assert (await endpoint(bench))["cursor"] == "cursor-1"
    assert len(await bench.table("SELECT id FROM callbacks")) == 2
    assert await store.run(inbox.keep_page, "a", [], "cursor-3", 0) == []
    assert (await endpoint(bench))["cursor"] == "cursor-3"


async def endpoint(bench: Bench) -> Row:
    return next(row for row in await bench.store.rows("all_endpoints") if row["name"] == "a")


async def test_nonces_are_new_until_their_time_is_over(store: Store, bench: Bench, clock: VirtualClock) -> None:
    assert await store.write("see_nonce", ("a", "n1", 1000))
    assert not await store.write("see_nonce", ("a", "n1", 1000))
    assert await store.write("see_nonce", ("b", "n1", 1000))
    clock.pass_ms(1000)
    assert await store.write("see_nonce", ("a", "n1", 1000))
    await store.write("drop_nonces", ())
    assert await bench.table("SELECT endpoint FROM nonces") == [("a",)]


async def test_a_memory_ends_with_its_time(store: Store, clock: VirtualClock) -> None:
    await store.write("put_memory", ("a", "token", b"one", 1000))
    await store.write("put_memory", ("a", "file", b"two", None))
    token = await store.row("get_memory", "a", "token")
    assert token is not None
    assert bytes(token["value_sealed"]) == b"one"
    clock.pass_ms(1000)
    assert await store.row("get_memory", "a", "token") is None
    assert await store.row("get_memory", "a", "file") is not None
    await store.write("drop_memory", ("a", "file"))
    assert await store.row("get_memory", "a", "file") is None


LATER_MS = 10_000


async def _orphan(store: Store, identifier: str, wait_ms: int, endpoint: str = "a") -> None:
    """One that was looked at, and waits."""
    await store.keep_callback(call(identifier, f"EV-{identifier}", endpoint=endpoint))
    assert identifier in {found.id for found in await due(store)}
    await store.write("move_callback", (identifier, "orphan", "not_known", wait_ms))


async def _is_due(store: Store) -> set[str]:
    return {found.id for found in await due(store)}


async def test_orphans_are_woken_by_a_number_of_their_platform(store: Store, clock: VirtualClock) -> None:
    await _orphan(store, "cbk_waits", LATER_MS)
    await _orphan(store, "cbk_other", LATER_MS, endpoint="b")
    await store.run(inbox.wake, [("a", id_at("confirmation", START_MS))])
    assert await _is_due(store) == {"cbk_waits"}
    await store.run(inbox.wake, [])
    assert await _is_due(store) == set()


async def test_a_word_is_no_older_than_what_it_is_about(store: Store, clock: VirtualClock) -> None:
    await _orphan(store, "cbk_old", LATER_MS * 60)
    clock.pass_ms(LATER_MS * 12)
    for younger in (id_at("confirmation", clock.ms), f"{id_at('agreement', clock.ms)}/2"):
        await store.run(inbox.wake, [("a", younger)])
        assert await _is_due(store) == set()
    await store.run(inbox.wake, [("a", id_at("referral", clock.ms))])
    assert await _is_due(store) == {"cbk_old"}, (
        "a referral is known by its offer alone, which may come after its recall"
    )


async def test_one_before_a_person_is_woken_while_the_task_is_open(store: Store, clock: VirtualClock) -> None:
    year_ms = 365 * 86_400_000
    numbered = [("a", id_at("confirmation", START_MS))]
    await _orphan(store, "cbk_1", year_ms)
    await store.run(inbox.wake, numbered)
    assert await _is_due(store) == set(), "nobody has it any more"
    await store.write("open_task", NewTask("tsk_1", "orphan_callback", "cbk_1", "a").row("cbk_1", ""))
    await store.run(inbox.wake, numbered)
    assert await _is_due(store) == {"cbk_1"}
    await store.write("move_callback", ("cbk_1", "orphan", "not_known", year_ms))
    await store.write("close_task", ("orphan_callback", "cbk_1", "theirs"))
    await store.run(inbox.wake, numbered)
    assert await _is_due(store) == set()


async def test_one_that_is_woken_while_it_is_looked_at_is_due_again_at_once(store: Store, clock: VirtualClock) -> None:
    await _orphan(store, "cbk_1", 100)
    clock.pass_ms(100)
    assert await _is_due(store) == {"cbk_1"}
    await store.run(inbox.wake, [("a", id_at("confirmation", START_MS))])  # after the look, before its end is written
    await store.write("move_callback", ("cbk_1", "orphan", "not_known", LATER_MS))
    assert await _is_due(store) == {"cbk_1"}
