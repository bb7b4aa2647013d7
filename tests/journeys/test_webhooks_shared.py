"""Webhooks of two gateways on one PostgreSQL: whoever numbers, owes, sends or answers the client, each event arrives once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.flow.house import House
from tests.house import Clock, Gateways
from tests.journeys.receiver import Receiver, Upstream, in_order, open_house, until, until_arrived
from tests.servers.databases import Server, database


@pytest.fixture
async def pair(tmp_path: Path, gateway: Gateways, postgres: Server) -> AsyncIterator[tuple[House, House]]:
    """Two houses, on the machine's time: it is the database's, too."""
    gateway.clock = Clock(datetime.now(UTC))
    async with database(postgres) as dsn:
        first = await open_house(gateway, database=dsn)
        yield first, await open_house(gateway, database=dsn)
        await gateway.close()


@pytest.fixture
async def receiver(tmp_path: Path) -> AsyncIterator[Receiver]:
    mock = Receiver(tmp_path / "receiver")
    yield mock
    await mock.close()


async def test_each_event_arrives_once_from_two_gateways(pair: tuple[House, House], receiver: Receiver) -> None:
    first, second = pair
    upstream = await Upstream.join(first)
    other = upstream.at(second)
    every = await upstream.subscribe(receiver, tail="/every")
    narrow = await other.subscribe(receiver, "case.accepted", tail="/narrow")
    await receiver.fault("http", op="case.received", times=3, status=500)
    await asyncio.gather(*((upstream, other)[number % 2].case(number) for number in range(12)))
    feed = await until_arrived(receiver, upstream)

    async def of(identifier: str) -> list[dict[str, Any]]:
        return [entry for entry in await receiver.events() if entry["endpoint"] == identifier]

    async def complete() -> bool:
        return len(await of(narrow["id"])) == 12

    await until(complete, "the filtered ones")
    assert sorted(entry["message_id"] for entry in await of(every["id"])) == sorted(event["id"] for event in feed)
    assert in_order(await of(every["id"]))
    assert await receiver.breaches() == []


async def test_the_other_gateway_obeys_what_one_was_told(
    pair: tuple[House, House], receiver: Receiver, gateway: Gateways
) -> None:
    first, second = pair
    upstream = await Upstream.join(first)
    shown = await upstream.subscribe(receiver)
    await receiver.fault("http", status=503, retry_after="6")
    await upstream.case(1)

    async def refused() -> bool:
        return any(entry["answer"] == 503 for entry in await receiver.journal())

    await until(refused, "the 503")

    async def noted() -> bool:
        rows = await first.store.rows("all_endpoints")
        return any(row["name"] == shown["id"] and row["quiet_until"] > row["now"] for row in rows)

    await until(noted, "the wait is known to all")
    path = f"/v1/webhook-endpoints/{shown['id']}"
    assert (await upstream.at(second).call("POST", f"{path}/test"))["code"] == "endpoint_waits"
    await upstream.at(second).case(2)
    await until_arrived(receiver, upstream)
    new = await upstream.at(second).call("POST", f"{path}/rotate-secret", {"overlap_hours": 0, "compromised": True})
    await receiver.trust(new, retired=[shown["secret"]])
    await asyncio.gather(*((upstream, upstream.at(second))[number % 2].case(number) for number in range(3, 9)))
    await until_arrived(receiver, upstream, "case.*", "clock.*")
    assert await receiver.breaches() == []
