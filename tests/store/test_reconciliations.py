"""Reconciliations in the store: pages with their place, what is named once, leases, and what only comparing needs goes."""

from __future__ import annotations

from dataclasses import replace

from gateway.store import reconciliations
from gateway.store.engine import Row
from gateway.store.journal import AuditEntry
from gateway.store.reconciliations import Progress
from gateway.store.store import Store
from gateway.store.unit import NewTask
from tests.store.bench import START_MS, Bench, VirtualClock

LEASE = 60_000
DAY = 86_400_000


def asked(identifier: str, endpoint: str = "a", day: str | None = None) -> tuple[object, ...]:
    return (identifier, endpoint, day, "listing", START_MS - DAY, START_MS, "op", "running", "theirs", None, None)


def difference(identifier: str, number: int, kind: str = "missing") -> tuple[str | None, ...]:
    return (identifier, f"{kind}:{number}", kind, "absent", f"dlv_{number}", None, None, None, "delivered", "absent")


async def row(store: Store, identifier: str) -> Row:
    found = await store.row("reconciliation", identifier)
    assert found is not None
    return found


async def test_a_day_is_compared_once_and_other_periods_as_often_as_asked(store: Store) -> None:
    first = [await store.run(reconciliations.ask, asked(f"rcn_{n}", day="2026-10-09"), None, 0) for n in range(2)]
    assert first == [True, False]
    assert await store.run(reconciliations.ask, asked("rcn_2", "b", "2026-10-09"), None, 0)
    more = [await store.run(reconciliations.ask, asked(f"rcn_{n}"), None, 0) for n in (3, 4)]
    assert more == [True, True]
    assert [one["id"] for one in await store.rows("newest_reconciliations_of", "a", "z", 9)] == [
        "rcn_4",
        "rcn_3",
        "rcn_0",
    ]


async def test_asking_is_audited_with_it(store: Store) -> None:
    entry = AuditEntry("op", "reconciliation.ask", "rcn_1")
    await store.run(reconciliations.ask, asked("rcn_1", day="2026-10-09"), entry, START_MS)
    await store.run(reconciliations.ask, asked("rcn_2", day="2026-10-09"), entry, START_MS)
    assert [one["target"] for one in await store.rows("audit_after", 0, 9)] == ["rcn_1"]


async def test_one_works_on_it_at_a_time_and_a_dead_ones_lease_ends(store: Store, clock: VirtualClock) -> None:
    await store.run(reconciliations.ask, asked("rcn_1"), None, 0)
    assert [one["id"] for one in await store.rows("due_reconciliations")] == ["rcn_1"]
    assert await store.write("take_reconciliation", ("rcn_1", LEASE))
    assert not await store.write("take_reconciliation", ("rcn_1", LEASE))
    assert await store.rows("due_reconciliations") == []
    clock.pass_ms(LEASE)
    assert await store.write("take_reconciliation", ("rcn_1", LEASE))
    await store.write("end_reconciliation_leases", ())
    assert await store.write("take_reconciliation", ("rcn_1", LEASE))


async def test_a_page_and_the_place_behind_it_are_one(store: Store, bench: Bench) -> None:
    await store.run(reconciliations.ask, asked("rcn_1"), None, 0)
    page = [difference("rcn_1", number) for number in range(3)]
    progress = Progress("theirs", "next", held=5, compared=2, unasked=1)
    assert await store.run(reconciliations.keep_page, "rcn_1", page, progress, LEASE) == 3
    assert await store.run(reconciliations.keep_page, "rcn_1", page[1:], Progress("ours", None, "end"), LEASE) == 0
    found = await row(store, "rcn_1")
    assert (found["phase"], found["place"], found["cursor"]) == ("ours", None, "end")
    assert (found["held"], found["compared"], found["unasked"], found["found"]) == (5, 2, 1, 3)
    assert [one["key"] for one in await store.rows("differences_of", "rcn_1", "missing:0", 9)] == [
        "missing:1",
        "missing:2",
    ]
    counts = {(one["kind"], one["state"]): one["many"] for one in await store.rows("difference_counts", "rcn_1")}
    assert counts == {("missing", "open"): 3}


async def test_an_id_that_a_list_names_twice_is_known(store: Store, bench: Bench) -> None:
    await store.run(reconciliations.ask, asked("rcn_1"), None, 0)
    assert await store.run(reconciliations.see, "rcn_1", ["dlv_1", "dlv_2", "dlv_2"]) == {"dlv_2"}
    assert await store.run(reconciliations.see, "rcn_1", ["dlv_1", "dlv_3"]) == {"dlv_1"}
    assert await store.run(reconciliations.see, "rcn_2", ["dlv_1"]) == set()
    named = await store.runner.read(reconciliations.seen, "rcn_1", ["dlv_1", "dlv_3", "dlv_9"])
    assert named == {"dlv_1", "dlv_3"}
    assert await store.runner.read(reconciliations.seen, "rcn_1", []) == set()
    await store.run(reconciliations.end, "rcn_1", "done", None)
    assert await bench.table("SELECT reconciliation FROM reconciliation_seen") == [("rcn_2",)]


async def test_mending_begins_once_it_is_done(store: Store) -> None:
    await store.run(reconciliations.ask, asked("rcn_1"), None, 0)
    entry = AuditEntry("op", "reconciliation.heal", "rcn_1", "补报")
    order = ("rcn_1", "op", "补报", '["missing"]')
    assert not await store.run(reconciliations.heal, order, entry, START_MS)
    await store.run(reconciliations.end, "rcn_1", "done", None)
    ended = (await row(store, "rcn_1"))["finished_at"]
    assert await store.run(reconciliations.heal, order, entry, START_MS)
    assert not await store.run(reconciliations.heal, order, entry, START_MS)
    found = await row(store, "rcn_1")
    assert (found["state"], found["phase"], found["healer"], found["kinds"]) == ("healing", "mend", "op", '["missing"]')
    await store.run(reconciliations.end, "rcn_1", "done", None)
    assert (await row(store, "rcn_1"))["finished_at"] == ended
    assert len(await store.rows("audit_after", 0, 9)) == 1


async def test_a_task_its_difference_and_its_audit_row_are_one(store: Store) -> None:
    await store.run(reconciliations.ask, asked("rcn_1"), None, 0)
    await store.run(reconciliations.keep_page, "rcn_1", [difference("rcn_1", 1, "foreign")], Progress("ours", None), 0)
    task = NewTask("tsk_1", "contradiction", "a/N1", "a", "not_ours")
    moved = ("rcn_1", "foreign:1", "person", "task")
    entry = AuditEntry("op", "reconciliation.task", "tsk_1")
    await store.run(reconciliations.put_before_person, task.row("rcn_1", ""), moved, entry, START_MS)
    await store.run(
        reconciliations.put_before_person, replace(task, id="tsk_2").row("rcn_1", ""), moved, entry, START_MS
    )
    assert [one["id"] for one in await store.rows("list_tasks", "open", "", "", 9)] == ["tsk_1"]
    (found,) = await store.rows("differences_in", "rcn_1", "person", "", 9)
    assert (found["outcome"], found["mended_at"] is not None) == ("task", True)


async def test_an_old_one_goes_with_all_that_it_found(store: Store, bench: Bench) -> None:
    for number in (1, 2):
        await store.run(reconciliations.ask, asked(f"rcn_{number}"), None, 0)
        page = [difference(f"rcn_{number}", 1)]
        await store.run(reconciliations.keep_page, f"rcn_{number}", page, Progress("ours", None), 0)
    await store.run(reconciliations.end, "rcn_1", "stopped", "KEY")
    assert [one["id"] for one in await store.rows("old_reconciliations", "rcn_9", 9)] == ["rcn_1"]
    await store.run(reconciliations.drop, "rcn_1")
    assert await bench.table("SELECT reconciliation FROM differences") == [("rcn_2",)]
    assert await store.row("reconciliation", "rcn_1") is None


async def test_the_newest_days_open_differences_are_counted(store: Store) -> None:
    for number, day in enumerate(("2026-10-08", "2026-10-09")):
        await store.run(reconciliations.ask, asked(f"rcn_{number}", day=day), None, 0)
        page = [difference(f"rcn_{number}", n) for n in range(number + 1)]
        await store.run(reconciliations.keep_page, f"rcn_{number}", page, Progress("ours", None), 0)
    found = await store.row("newest_daily", "a")
    assert found is not None
    assert (found["id"], found["many"]) == ("rcn_1", 2)
    await store.write("move_difference", ("rcn_1", "missing:0", "healed", "filed_again"))
    found = await store.row("newest_daily", "a")
    assert found is not None
    assert found["many"] == 1
    assert await store.row("newest_daily", "b") is None


async def test_a_list_goes_on_from_one_that_had_ended_before(store: Store, clock: VirtualClock) -> None:
    await store.run(reconciliations.ask, asked("rcn_1"), None, 0)
    await store.run(reconciliations.keep_page, "rcn_1", [], Progress("done", None, "behind"), 0)
    await store.run(reconciliations.end, "rcn_1", "done", None)
    ended = (await row(store, "rcn_1"))["finished_at"]
    assert ended is not None
    before = await store.row("listing_before", "a", ended - 1)
    assert before is None
    found = await store.row("listing_before", "a", ended)
    assert found is not None
    assert found["cursor"] == "behind"


async def test_room_is_what_deliveries_leave(store: Store) -> None:
    await store.write("set_endpoint", ("a", "toy", 3))
    found = await store.row("room_at", "a")
    assert found is not None
    assert (bool(found["paused"]), bool(found["quiet"]), found["slots"], found["live"]) == (False, False, 3, 0)
    await store.write("hush_endpoint", ("a", 5_000))
    found = await store.row("room_at", "a")
    assert found is not None
    assert bool(found["quiet"])
