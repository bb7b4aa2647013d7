"""Holds of endpoints on both engines: pauses by hand, windows by the clock, what each ends, and the rate of what waited."""

from __future__ import annotations

import pytest

from gateway.flow.moving.order import Principal
from gateway.flow.operating.operate import Operator
from gateway.flow.operating.windows import LONGEST_MS, Windows
from gateway.store import pauses
from gateway.store.engine import Row
from tests.store.bench import START_MS, Bench, VirtualClock

OPERATOR = Principal("user:oper01", frozenset({"*"}), frozenset())
HOUR = 3_600_000


async def planned(bench: Bench, starts: int, ends: int, per_minute: int | None = None, endpoint: str = "a") -> str:
    standing = await Operator(bench.store).plan_window(OPERATOR, endpoint, "周六维护", starts, ends, per_minute)
    assert standing.refused is None, standing
    return standing.id


async def held(bench: Bench, endpoint: str = "a") -> Row:
    return next(row for row in await bench.store.rows("all_endpoints") if row["name"] == endpoint)


async def hold(bench: Bench, identifier: str) -> Row:
    row = await bench.store.row("hold", identifier)
    assert row is not None
    return row


async def test_a_window_holds_and_lets_go_by_itself(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    windows = Windows(bench.store)
    window = await planned(bench, START_MS + HOUR, START_MS + 2 * HOUR)
    assert await windows.turn() > 0
    assert not (await held(bench))["paused"]
    clock.pass_ms(HOUR)
    await windows.turn()
    row = await held(bench)
    assert (bool(row["paused"]), row["reason"]) == (True, "周六维护")
    case = await bench.committed(bench.case("case_1"))
    assert await bench.claim() == []
    clock.pass_ms(HOUR - 1)
    await windows.turn()
    assert await bench.claim() == []
    clock.pass_ms(1)
    await windows.turn()
    assert [claim.delivery for claim in await bench.claim()] == [case.deliveries[0].id]
    told = await hold(bench, window)
    assert (told["began_at"], told["ended_at"]) == (START_MS + HOUR, START_MS + 2 * HOUR)
    assert told["ended_by"] == pauses.WINDOW + window


async def test_a_turn_again_changes_nothing(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    first, second = Windows(bench.store), Windows(bench.store)
    window = await planned(bench, START_MS, START_MS + HOUR)
    await first.turn()
    await second.turn()
    before = await hold(bench, window)
    clock.pass_ms(HOUR)
    await first.turn()
    after = await hold(bench, window)
    await second.turn()
    assert before["ended_at"] is None
    assert await hold(bench, window) == after
    events = await bench.table("SELECT type FROM events WHERE type LIKE 'endpoint.%'")
    assert events == []  # nobody waited there


async def test_a_window_leaves_alone_what_a_person_paused(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    operator, windows = Operator(bench.store), Windows(bench.store)
    await operator.pause(OPERATOR, "a", "证书更换")
    await planned(bench, START_MS + 1, START_MS + HOUR)
    clock.pass_ms(1)
    await windows.turn()
    clock.pass_ms(HOUR)
    await windows.turn()
    row = await held(bench)
    assert (bool(row["paused"]), row["reason"]) == (True, "证书更换")
    await operator.resume(OPERATOR, "a", "已更换")
    rows = await bench.store.rows("holds_of", "a", 9)
    by_hand = next(row for row in rows if not row["planned"])
    assert (by_hand["ended_by"], by_hand["end_reason"]) == ("user:oper01", "已更换")


async def test_a_person_ends_a_window_early(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    operator, windows = Operator(bench.store), Windows(bench.store)
    window = await planned(bench, START_MS, START_MS + HOUR)
    await windows.turn()
    assert (await operator.resume(OPERATOR, "a", "提前结束")).refused is None
    clock.pass_ms(HOUR)
    await windows.turn()
    assert not (await held(bench))["paused"]
    assert (await hold(bench, window))["end_reason"] == "提前结束"


async def test_a_window_that_nobody_was_there_for_is_missed(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    window = await planned(bench, START_MS + 1, START_MS + HOUR)
    clock.pass_ms(2 * HOUR)
    await Windows(bench.store).turn()
    told = await hold(bench, window)
    assert (told["began_at"], told["end_reason"]) == (None, "missed")
    assert not (await held(bench))["paused"]


@pytest.mark.parametrize(
    ("starts", "ends", "why"),
    [
        (-HOUR, HOUR, "times"),
        (HOUR, HOUR, "times"),
        (0, LONGEST_MS + 1, "times"),
        (HOUR + 1, 3 * HOUR, "overlap"),
        (HOUR // 2, HOUR + 1, "overlap"),
    ],
)
async def test_what_is_no_window_is_refused(bench: Bench, starts: int, ends: int, why: str) -> None:
    await bench.endpoints()
    await planned(bench, START_MS + HOUR, START_MS + 2 * HOUR)
    standing = await Operator(bench.store).plan_window(OPERATOR, "a", "x", START_MS + starts, START_MS + ends, None)
    assert standing.refused == why
    await planned(bench, START_MS + 2 * HOUR, START_MS + 3 * HOUR)
    await planned(bench, START_MS + HOUR, START_MS + 2 * HOUR, endpoint="b")


async def test_a_window_is_taken_back_before_it_begins_and_not_after(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    operator = Operator(bench.store)
    window = await planned(bench, START_MS + 1, START_MS + HOUR)
    other = await planned(bench, START_MS + HOUR, START_MS + 2 * HOUR)
    assert (await operator.take_back_window(OPERATOR, other, "改期")).refused is None
    clock.pass_ms(1)
    await Windows(bench.store).turn()
    assert (await operator.take_back_window(OPERATOR, window, "太晚")).refused == "state"
    assert not (await operator.take_back_window(OPERATOR, "hld_0", "x")).found
    clock.pass_ms(2 * HOUR)
    await Windows(bench.store).turn()
    assert not (await held(bench))["paused"]
    acts = [row["act"] for row in await bench.store.rows("newest_audit", 2**62, 9)]
    assert acts == ["endpoint.window_back", "endpoint.window", "endpoint.window"]


async def test_what_waited_goes_at_the_rate_that_was_asked_and_in_order(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints("a", slots=99)
    operator = Operator(bench.store)
    await operator.pause(OPERATOR, "a", "维护")
    plain = [(await bench.committed(bench.case(f"case_{n:02}"))).deliveries[0].id for n in range(29)]
    urgent = await bench.follow("case_07", retry_class="statutory", safe_at=START_MS + HOUR)
    await operator.resume(OPERATOR, "a", "维护结束", 60)
    assert await bench.claim(99) == []
    gone: list[tuple[int, str]] = []
    for second in range(40):
        clock.pass_ms(1_000)
        for claim in await bench.claim(99):
            gone.append((second, claim.delivery))
            assert await bench.settle(claim)
        assert len([at for at, _ in gone if at == second]) <= 2  # one, and what it let go
    assert sorted(delivery for _, delivery in gone) == sorted([*plain, urgent])
    assert gone[-1][0] >= 28
    order = [delivery for _, delivery in gone]
    assert order[:2] == [plain[7], urgent]


async def test_a_large_backlog_is_given_times_in_batches(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.flow.operating.windows._BATCH", 4)
    await bench.endpoints("a", slots=99)
    operator = Operator(bench.store)
    await operator.pause(OPERATOR, "a", "维护")
    for number in range(10):
        await bench.committed(bench.case(f"case_{number:02}"))
    await operator.resume(OPERATOR, "a", "维护结束", 60)
    times = await bench.table("SELECT next_at FROM deliveries ORDER BY id")
    assert sorted(at for (at,) in times) == [START_MS + 1_000 * (place + 1) for place in range(10)]
    assert await bench.table("SELECT count(*) FROM lanes WHERE due_at > 0") == [(10,)]
