"""The audit chain: one appender after the other, and every later change of a row is found."""

from __future__ import annotations

import asyncio

import pytest

from gateway.store import journal
from gateway.store.journal import GENESIS, AuditEntry, AuditFlaw, AuditHead, AuditVerdict
from gateway.store.store import Store
from gateway.store.unit import NewTask
from tests.store.bench import START_MS, Bench

ROWS = 6


@pytest.fixture
async def chain(store: Store, bench: Bench) -> Bench:
    for number in range(1, ROWS + 1):
        await store.audit(AuditEntry("op", "delivery.redrive", f"dlv_{number}", f"理由 {number}", '{"step":1}'))
    return bench


async def verdict(bench: Bench, kept: AuditHead | None = None) -> AuditVerdict:
    return await bench.store.runner.read(journal.verify_audit, kept)


async def spoil(bench: Bench, *statements: str) -> None:
    for statement in statements:
        await bench.table(statement)


async def test_an_empty_chain_is_sound(bench: Bench) -> None:
    assert await verdict(bench) == AuditVerdict((), AuditHead(0, GENESIS))
    assert (await verdict(bench, AuditHead(0, GENESIS))).sound


async def test_an_untouched_chain_is_sound_and_holds_its_heads(chain: Bench) -> None:
    found = await verdict(chain)
    assert found.sound
    assert found.head.number == ROWS
    await chain.store.audit(AuditEntry("op", "x", "y"), AuditEntry("op", "x", "z"))
    assert (await verdict(chain, found.head)).sound
    assert (await verdict(chain)).head.number == ROWS + 2


async def test_appenders_at_once_make_one_chain(bench: Bench) -> None:
    await asyncio.gather(*(bench.store.audit(AuditEntry("op", "act", f"t{number}")) for number in range(40)))
    found = await verdict(bench)
    assert found.sound
    assert found.head.number == 40


async def test_a_write_and_its_row_are_one_and_what_changed_nothing_has_none(bench: Bench) -> None:
    store, entry = bench.store, AuditEntry("op", "task.resolve", "tsk_1")
    await store.write("open_task", NewTask("tsk_1", "dead", "dlv_1").row("case_1", ""))
    resolved = [await store.audited("resolve_task", ("tsk_1", "done"), entry) for _ in range(2)]
    assert resolved == [True, False]
    assert await bench.table("SELECT act, target FROM audit") == [("task.resolve", "tsk_1")]


async def test_rows_hold_what_was_said(chain: Bench) -> None:
    rows = await chain.table("SELECT number, at, actor, act, target, reason, data FROM audit")
    assert rows[0] == (1, START_MS, "op", "delivery.redrive", "dlv_1", "理由 1", '{"step":1}')
    assert [row[0] for row in rows] == list(range(1, ROWS + 1))


@pytest.mark.parametrize(
    "change",
    [
        "at = at + 1",
        "actor = 'another'",
        "act = 'delivery.cancel'",
        "target = 'dlv_9'",
        "reason = NULL",
        "reason = '理由 3 '",
        "data = '{}'",
        "hash = previous",
        "previous = (SELECT hash FROM audit WHERE number = 1)",
    ],
)
async def test_a_changed_row_is_found(chain: Bench, change: str) -> None:
    await spoil(chain, f"UPDATE audit SET {change} WHERE number = 3")  # noqa: S608 -- the cases above
    assert (3, AuditFlaw.CHANGED) in (await verdict(chain)).flaws


async def test_a_deleted_row_is_found(chain: Bench) -> None:
    await spoil(chain, "DELETE FROM audit WHERE number IN (1, 4)")
    assert (await verdict(chain)).flaws == ((1, AuditFlaw.MISSING), (4, AuditFlaw.MISSING))


async def test_a_closed_gap_is_found(chain: Bench) -> None:
    await spoil(chain, "DELETE FROM audit WHERE number = 4", "UPDATE audit SET number = number - 1 WHERE number > 4")
    assert (4, AuditFlaw.CHANGED) in (await verdict(chain)).flaws


async def test_reordered_rows_are_found(chain: Bench) -> None:
    await spoil(
        chain,
        "UPDATE audit SET number = 100 WHERE number = 3",
        "UPDATE audit SET number = 3 WHERE number = 5",
        "UPDATE audit SET number = 5 WHERE number = 100",
    )
    assert {(3, AuditFlaw.CHANGED), (5, AuditFlaw.CHANGED)} <= set((await verdict(chain)).flaws)


async def test_a_row_that_was_written_anew_breaks_the_link(chain: Bench) -> None:
    """Whoever recomputes the hash of the row that he changed has its successor against him."""
    rows = {row[0]: row for row in await chain.table("SELECT number, at, hash FROM audit")}
    forged = journal.audit_hash(3, rows[3][1], AuditEntry("op", "x", "dlv_3"), rows[2][2])
    await spoil(
        chain,
        f"UPDATE audit SET act = 'x', reason = NULL, data = '{{}}', hash = {chain.literal(forged)} WHERE number = 3",  # noqa: S608 -- a hash that was made above
    )
    assert (await verdict(chain)).flaws == ((4, AuditFlaw.UNLINKED),)


async def test_a_cut_tail_is_found_by_the_head_kept_elsewhere(chain: Bench) -> None:
    head = (await verdict(chain)).head
    await spoil(chain, "DELETE FROM audit WHERE number > 4")
    assert (await verdict(chain)).sound
    assert (await verdict(chain, head)).flaws == ((ROWS, AuditFlaw.CUT),)


async def test_a_chain_written_anew_is_found_by_the_head_kept_elsewhere(chain: Bench) -> None:
    head = (await verdict(chain)).head
    await spoil(chain, "DELETE FROM audit")
    for number in range(ROWS):
        await chain.store.audit(AuditEntry("op", "harmless", f"dlv_{number}"))
    assert (await verdict(chain)).sound
    assert (await verdict(chain, head)).flaws == ((ROWS, AuditFlaw.CUT),)


async def test_a_long_chain_is_read_in_pages(bench: Bench) -> None:
    await bench.store.audit(*(AuditEntry("op", "act", f"t{number}") for number in range(2500)))
    found = await verdict(bench)
    assert found.sound
    assert found.head.number == 2500
    await spoil(bench, "UPDATE audit SET target = 'x' WHERE number IN (999, 1000, 1001, 2500)")
    assert [number for number, _ in (await verdict(bench)).flaws] == [999, 1000, 1001, 2500]
