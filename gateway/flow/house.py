"""The rooms of the journey, put together: what the web, the command line and the demo are handed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx

from contracts.deadlines import Law
from gateway.bus.memory import MemoryBus
from gateway.flow.alerting.notices import Notices
from gateway.flow.context import Contexts
from gateway.flow.deliver import Line
from gateway.flow.envelope import Publisher
from gateway.flow.gauges import Gauges
from gateway.flow.intake import Intake
from gateway.flow.printing.press import Press
from gateway.flow.receive import Receiver
from gateway.flow.rehearsal import Rehearsal
from gateway.flow.relay import BrokerRelay
from gateway.flow.statistics import Reporter
from gateway.flow.subscriptions import Subscriptions
from gateway.flow.toolbox import Attachments
from gateway.flow.webhooks import Webhooks
from gateway.flow.worker import Bells, Worker
from gateway.observability.metrics import Metrics
from gateway.registry import Endpoint
from gateway.settings import Settings
from gateway.store.store import Store


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
    receiver: Receiver
    publisher: Publisher
    bus: MemoryBus
    bells: Bells
    worker: Worker
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
        """Claim nothing more, let what is in flight end, close the store."""
        await self.worker.stop(self.settings.stop_grace_s)
        for leaving in self.leaving:
            await leaving()
        await self.transport.aclose()
        if self.webhooks is not None:
            await self.webhooks.close()
        await self.bus.close()
        await self.store.close()
