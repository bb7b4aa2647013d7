"""The whole engine behind a proxy that breaks at every byte: what left us is told truly, effects are one, deadlines hold."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

import pytest

from gateway.store.casefile import DeliveryRow
from gateway.store.lists import list_deliveries
from tests.faults.proxy import Plan, Proxy
from tests.house import Gateways
from tests.seam.scene import ASKED, ATTEMPT_S, BYTES, IDS, OPERATOR, Scene, until

_NAMES = (IDS, ASKED, BYTES)
_OVERRUN_MS = 500
SENT = (0, 1, 20, 150, 300, 500, 650)
"""Bytes of the request that reach the platform; all requests are longer."""

ANSWERED = (0, 1, 12, 40, 90, 120, 150)
"""Bytes of the answer that come back."""


class Wires:
    """A scene whose platforms are reached through proxies."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.proxies: dict[str, Proxy] = {}
        self._number = 0

    async def open(self) -> None:
        """Put platforms and proxies up, open the house."""
        await self.scene.stand(*_NAMES)
        for name, platform in self.scene.platforms.items():
            proxy = self.proxies[name] = Proxy(platform.port, platform.file_operation)
            await proxy.start()
            self.scene.endpoints[name]["settings"]["base_url"] = proxy.url
        await self.scene.open()

    async def close(self) -> None:
        """Take the proxies down."""
        for proxy in self.proxies.values():
            await proxy.stop()

    async def case(self, plan: Plan | None) -> str:
        """A case whose filing meets the plan at every platform."""
        for proxy in self.proxies.values():
            proxy.plans = [] if plan is None else [plan]
        self._number += 1
        return await self.scene.case(f"370102-LX001-2026-{self._number:05d}")

    async def ended(self, case: str) -> dict[str, DeliveryRow]:
        """Its deliveries once none is under way."""

        async def settled() -> dict[str, DeliveryRow] | None:
            rows = {name: await self.scene.delivery(case, name) for name in _NAMES}
            return None if any(row.state == "pending" for row in rows.values()) else rows

        found: dict[str, DeliveryRow] = await until(settled, "every delivery has ended")
        return found

    def bookings(self, name: str, row: DeliveryRow) -> int:
        """Effects of the delivery at its platform."""
        return self.scene.platforms[name].ids().count(row.id)

    async def attempts_hold_their_deadline(self, rows: dict[str, DeliveryRow]) -> None:
        """No attempt was longer than agreed."""
        for row in rows.values():
            for attempt in await self.scene.attempts(row.id):
                assert attempt["duration_ms"] <= 1000 * ATTEMPT_S + _OVERRUN_MS

    async def recorded_is_sent(self) -> None:
        """What the proxies saw is what the attempts tell."""
        for name, proxy in self.proxies.items():
            told = 0
            for row in await self.scene.house.store.run(list_deliveries, "", name, "", 10_000):
                told += sum(attempt["exchanges"] for attempt in await self.scene.attempts(row["id"]))
            assert told == len([path for path in proxy.requests if path != "/news"]), name


@pytest.fixture
async def wires(gateway: Gateways) -> AsyncIterator[Wires]:
    """Platforms behind proxies."""
    scene = Scene(gateway)
    made = Wires(scene)
    await made.open()
    yield made
    await scene.recorded_is_sent()
    await gateway.close()
    await made.close()
    await scene.end()


async def _sweep(wires: Wires, act: str, place: str, cuts: tuple[int, ...]) -> None:
    for after in cuts:
        rows = await wires.ended(await wires.case(Plan(act, place, after)))
        arrived = place == "reply"
        what = f"{act} {place} after {after}"
        assert rows[IDS].state == rows[ASKED].state == "delivered", what
        assert wires.bookings(IDS, rows[IDS]) == wires.bookings(ASKED, rows[ASKED]) == 1, what
        assert rows[IDS].attempts == rows[ASKED].attempts == 2, what
        assert rows[BYTES].state == "in_doubt", what
        assert wires.bookings(BYTES, rows[BYTES]) == int(arrived), what
        await wires.attempts_hold_their_deadline(rows)
    assert all(proxy.played == len(cuts) for proxy in wires.proxies.values()), (
        "a fault that never happened proves nothing"
    )
    assert len(await wires.scene.tasks("in_doubt")) == len(cuts)
    await wires.recorded_is_sent()


@pytest.mark.parametrize("act", ["cut", "close"])
async def test_a_request_broken_at_any_byte_is_doubt_and_one_effect(wires: Wires, act: str) -> None:
    await _sweep(wires, act, "request", SENT)


@pytest.mark.parametrize("act", ["cut", "close"])
async def test_an_answer_broken_at_any_byte_is_doubt_and_one_effect(wires: Wires, act: str) -> None:
    await _sweep(wires, act, "reply", ANSWERED)


@pytest.mark.parametrize("act", ["stall", "drip"])
async def test_what_stalls_or_drips_ends_with_the_attempt(wires: Wires, act: str) -> None:
    await _sweep(wires, act, "reply", (0, 100))


async def test_no_byte_out_is_no_doubt(wires: Wires) -> None:
    """The port is shut: nothing was sent, nobody is asked, no person is bothered."""
    ports = {name: proxy.port for name, proxy in wires.proxies.items()}
    for proxy in wires.proxies.values():
        await proxy.stop()
    case = await wires.case(None)

    async def tried() -> bool:
        rows = [await wires.scene.delivery(case, name) for name in _NAMES]
        return all(row.attempts >= 2 and row.code == "unreachable" and row.doubt_at is None for row in rows)

    await until(tried, f"two attempts at each of {sorted(ports)}")
    assert await wires.scene.tasks() == []
    assert all(platform.count(platform.file_operation) == 0 for platform in wires.scene.platforms.values())


async def test_a_corrupted_answer_is_never_a_false_outcome(wires: Wires) -> None:
    for after in range(13, 220, 15):  # behind the status: one that says 300 for 200 is believed
        rows = await wires.ended(await wires.case(Plan("corrupt", "reply", after)))
        for name, row in rows.items():
            booked = wires.bookings(name, row)
            assert booked <= 1, f"{name} byte {after}: twice"
            if row.state in ("delivered", "relayed"):
                assert booked == 1, f"{name} byte {after}: {row.state}, and the platform has nothing"
            else:
                assert row.state in ("in_doubt", "rejected"), f"{name} byte {after}"
                assert any(task["about"] == row.id for task in await wires.scene.tasks()), "and a person knows"
        for name in _NAMES:
            if (await wires.scene.endpoint(name))["paused"]:
                await wires.scene.operator.resume(OPERATOR, name, "a broken wire, no broken key")


async def test_swapped_answers_are_not_believed(wires: Wires) -> None:
    for proxy in wires.proxies.values():
        proxy.plans = [Plan("swap"), Plan("swap")]
    cases = [await wires.scene.case(f"370102-LX001-2026-{place:05d}") for place in (101, 102)]
    for case in cases:
        rows = await wires.ended(case)
        for name in (IDS, ASKED):
            assert rows[name].state == "delivered"
            assert wires.bookings(name, rows[name]) == 1
            mine = next(one for one in wires.scene.platforms[name].booked if one.id == rows[name].id)
            assert rows[name].reference == mine.number, "the number is its own, not its neighbour's"
        assert rows[BYTES].state == "in_doubt"
        assert rows[BYTES].code == "not_ours"


async def test_nobody_is_led_elsewhere_and_nothing_is_unpacked(wires: Wires) -> None:
    other = Proxy(wires.scene.ids.port, "file")
    await other.start()
    moved = f"HTTP/1.1 307 Elsewhere\r\nLocation: {other.url}/file\r\nContent-Length: 0\r\n\r\n".encode()
    for proxy in wires.proxies.values():
        proxy.plans = [Plan("say", instead=moved)]
    case = await wires.scene.case()

    async def paused() -> bool:
        return all([(await wires.scene.endpoint(name))["paused"] for name in _NAMES])

    await until(paused, "an address that moved is the operator's")
    assert other.requests == []
    await other.stop()
    packed = gzip.compress(b"[" * 50_000_000)
    bomb = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed
    for proxy in wires.proxies.values():
        proxy.plans = [Plan("say", instead=bomb)]
    for name in _NAMES:
        await wires.scene.operator.resume(OPERATOR, name, "the address stands")
    rows = await wires.ended(case)
    assert [row.state for row in rows.values()] == ["delivered", "delivered", "in_doubt"]
    assert [wires.bookings(name, row) for name, row in rows.items()] == [1, 1, 0]


async def test_an_endless_answer_is_cut(wires: Wires) -> None:
    rows = await wires.ended(await wires.case(Plan("flood")))
    assert rows[IDS].state == rows[ASKED].state == "delivered"
    assert rows[BYTES].state == "in_doubt"
    kept = [step for row in rows.values() for step in await wires.scene.steps(row.id)]
    assert all(len(str(step["reply"])) < 400_000 for step in kept), "no more is kept than the limit"
