"""The rooms of the journey, put together: what the web, the command line and the demo are handed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx
import structlog

from contracts.deadlines import Law
from gateway.bus.memory import MemoryBus
from gateway.flow.alerting.notices import Notices
from gateway.flow.delivering.line import Line
from gateway.flow.delivering.webhooks import Webhooks
from gateway.flow.examining.rehearsal import Rehearsal
from gateway.flow.gauges import Gauges
from gateway.flow.hands import Hands
from gateway.flow.intake import Intake
from gateway.flow.moving.attachments import Attachments
from gateway.flow.moving.context import Contexts
from gateway.flow.moving.envelope import Publisher
from gateway.flow.operating.disclosing import Disclosure
from gateway.flow.printing.press import Press
from gateway.flow.receive import Receiver
from gateway.flow.registering.subscriptions import Subscriptions
from gateway.flow.relay import BrokerRelay
from gateway.flow.statistics import Reporter
from gateway.flow.worker import Bells, Worker
from gateway.observability.metrics import Metrics
from gateway.registry import Endpoint
from gateway.settings import Settings
from gateway.store.store import Store

log = structlog.get_logger("gateway.house")


@dataclass(slots=True)
class House:
    """One process's composition. ``start`` sets the hands to work, ``close`` ends in order."""

    settings: Settings
    store: Store
    endpoints: dict[str, Endpoint]
    lines: dict[str, Line]
    attachments: Attachments
    contexts: Contexts
    intake: Intake
    rehearsal: Rehearsal
    disclosure: Disclosure
    receiver: Receiver
    publisher: Publisher
    bus: MemoryBus
    bells: Bells
    worker: Worker
    hands: Hands
    transport: httpx.AsyncBaseTransport
    webhooks: Webhooks | None = None
    subscriptions: Subscriptions | None = None
    law: Law = field(default_factory=Law)
    broker: BrokerRelay | None = None
    reporter: Reporter | None = None
    notices: Notices | None = None
    metrics: Metrics = field(default_factory=lambda: Metrics(()))
    gauges: Gauges | None = None
    press: Press = field(default_factory=Press)
    leaving: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    def start(self, *, work: bool = True) -> None:
        """Start the loops. Without ``work`` this process only takes in and answers; others, on the same database, deliver."""
        self.store.runner.listen(self.bells.told)
        if work:
            self.worker.start()
        else:
            self.worker.start_hearing()

    async def close(self) -> None:
        """Claim nothing more, let what is in flight end, take leave of all. Whoever does not let us go, or goes wrong, holds up
        none of the others: a database that is away must not keep the process beyond its supervisor's patience."""
        grace_s = self.settings.stop_grace_s
        await _leave("worker", self.worker.stop(grace_s), grace_s + _LEAVE_S)
        ways = [*self.leaving, self.transport.aclose, self.bus.close]
        if self.webhooks is not None:
            ways.append(self.webhooks.close)
        await asyncio.gather(*(_leave(getattr(way, "__qualname__", "leaving"), way(), _LEAVE_S) for way in ways))
        await _leave("store", self.store.close(), _CLOSE_S)


_LEAVE_S = 5.0
_CLOSE_S = 10.0


async def _leave(part: str, leaving: Awaitable[None], seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await leaving
    except Exception as error:
        log.warning("leaving_failed", reason=part, error=type(error).__name__)
