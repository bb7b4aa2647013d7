"""What the tests of the store are built from: a virtual clock, seeded ids, units of one case, claims and their ends."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import asyncpg

from gateway.security.fields import Keys, Sealer
from gateway.store.engine import Sqlite
from gateway.store.ids import Ids
from gateway.store.settlement import AttemptRow, Claim, EndpointEffect, Settlement
from gateway.store.store import Store, open_sqlite
from gateway.store.unit import (
    Committed,
    DeliveryMove,
    NewDelivery,
    NewEvent,
    NewMatter,
    NewMessage,
    Outcome,
    Unit,
)
from tests.servers.databases import table

BROKEN = (sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError, asyncpg.CardinalityViolationError)
"""How the engines refuse rows that break a constraint."""

START_MS = 1_795_000_000_000
LEASE_MS = 60_000
ORGANIZATION = "SD-JN-LX-001"
_OPENED = count()
KEYS = Keys(sealing=(bytes(range(32)),), index=bytes(32))


class VirtualClock:
    """Milliseconds since 1970 that move only when a test says so."""

    def __init__(self) -> None:
        self.ms = START_MS

    def __call__(self) -> int:
        return self.ms

    def pass_ms(self, ms: int) -> None:
        """Let time pass."""
        self.ms += ms


async def opened(path: Path, clock: Callable[[], int], keys: Keys = KEYS) -> Store:
    """The store at ``path`` with seeded ids."""
    random = Random(f"{path} {next(_OPENED)}")
    return await open_sqlite(path, Sealer(keys), Ids(clock, random.randbytes), clock)


class Bench:
    """Makes units and drives claims over one store; endpoints are ``a``, ``b`` and ``c``."""

    def __init__(self, store: Store, clock: VirtualClock) -> None:
        self.store = store
        self.clock = clock

    async def endpoints(self, *names: str, slots: int = 8) -> None:
        """Make endpoints."""
        for name in names or ("a", "b", "c"):
            await self.store.write("set_endpoint", (name, "puppet", slots))

    # ---- units

    def unit(self, subject: str, expected: int | None = None, **parts: Any) -> Unit:
        """A unit of a subject; ``parts`` are its lists."""
        return Unit(subject, ORGANIZATION, expected, **parts)

    def event(self, kind: str = "case.received", about: str = "") -> NewEvent:
        """An event."""
        return NewEvent(self.store.ids.new("event"), kind, about, "{}")

    def message(self, kind: str = "case.submitted", about: str = "") -> NewMessage:
        """A message."""
        return NewMessage(self.store.ids.new("message"), kind, about, 1, "upstream", "cor_1", "1.0", b"sealed")

    def matter(self, identifier: str, kind: str = "case", key: str | None = None) -> NewMatter:
        """A matter under its business key."""
        return NewMatter(identifier, kind, None, key or identifier, "received", "msg_1")

    def send(self, message: NewMessage, endpoint: str = "a", **more: Any) -> NewDelivery:
        """A delivery of a message."""
        more.setdefault("retry_class", "standard")
        return NewDelivery(self.store.ids.new("delivery"), message.id, message.type, message.about, endpoint, **more)

    def case(self, subject: str, endpoints: Iterable[str] = ("a",), **parts: Any) -> Unit:
        """A new case with one message that goes to these endpoints."""
        message = self.message(about=subject)
        unit = self.unit(
            subject,
            matters=[self.matter(subject)],
            messages=[message],
            deliveries=[self.send(message, name) for name in endpoints],
            events=[self.event(about=subject)],
        )
        for name, value in parts.items():
            setattr(unit, name, value)
        return unit

    async def commit(self, unit: Unit) -> Outcome:
        """Commit one unit."""
        return await self.store.commit(unit)

    async def committed(self, unit: Unit) -> Unit:
        """Commit a unit that must win."""
        outcome = await self.store.commit(unit)
        assert isinstance(outcome, Committed), outcome
        return unit

    async def follow(self, subject: str, endpoint: str = "a", kind: str = "case.progressed", **more: Any) -> str:
        """One more message of the subject to one endpoint; returns its delivery's id."""
        message = self.message(kind, subject)
        delivery = self.send(message, endpoint, **more)
        expected = await self.sequence(subject)
        await self.committed(
            self.unit(
                subject,
                expected,
                messages=[message],
                deliveries=[delivery],
                events=[self.event(kind, subject)],
            )
        )
        return delivery.id

    async def move(self, subject: str, *moves: DeliveryMove, **parts: Any) -> Outcome:
        """Move deliveries by other hands than their sender's."""
        expected = await self.sequence(subject)
        return await self.store.commit(
            self.unit(
                subject, expected, delivery_moves=list(moves), events=[self.event("delivery.moved", subject)], **parts
            )
        )

    async def sequence(self, subject: str) -> int:
        """The subject's sequence."""
        row = await self.store.row("subject_of", subject)
        assert row is not None
        return int(row["sequence"])

    async def delivery(self, identifier: str) -> Any:
        """A delivery's row."""
        return await self.store.row("delivery", identifier)

    async def state(self, identifier: str) -> str:
        """A delivery's state."""
        return str((await self.delivery(identifier))["state"])

    async def tasks(self, kind: str = "") -> list[Any]:
        """Open tasks."""
        return await self.store.rows("list_tasks", "open", kind, "", 100)

    async def table(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of any query, for assertions alone."""
        return await table(self.store, sql)

    def literal(self, value: bytes) -> str:
        """Bytes, as the engine writes them in SQL."""
        return f"x'{value.hex()}'" if isinstance(self.store.runner, Sqlite) else f"'\\x{value.hex()}'::bytea"

    # ---- claims

    async def claim(
        self, batch: int = 10, *, lease: int = LEASE_MS, names: Iterable[str] = ("a", "b", "c")
    ) -> list[Claim]:
        """Claim what is due."""
        ready = frozenset(names)
        return await self.store.claim(batch, dict.fromkeys(ready, lease), ready)

    async def claim_one(self) -> Claim:
        """The one delivery that is due."""
        claims = await self.claim()
        assert len(claims) == 1, claims
        return claims[0]

    def settlement(self, claim: Claim, state: str = "delivered", **more: Any) -> Settlement:
        """The end of a claim, with an attempt and an event where the state changed."""
        more.setdefault("attempt", AttemptRow("schedule", state, more.get("code"), 1, 5, None))
        if state != "pending":
            more.setdefault("events", [self.event(f"delivery.{state}", claim.delivery)])
        return Settlement(claim, state, **more)

    async def settle(self, claim: Claim, state: str = "delivered", **more: Any) -> bool:
        """Settle a claim."""
        return await self.store.settle(self.settlement(claim, state, **more))

    async def deliver_all(self) -> list[str]:
        """Claim and deliver until nothing is due; returns the deliveries in the order of their claims."""
        order = []
        while claims := await self.claim():
            for claim in claims:
                order.append(claim.delivery)
                assert await self.settle(claim)
        return order


def failing(breaker_ms: int = 10_000, hush_ms: int = 0) -> EndpointEffect:
    """A failure of the endpoint."""
    return EndpointEffect(hush_ms=hush_ms, failed=True, breaker_ms=breaker_ms)
