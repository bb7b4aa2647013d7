"""The rooms of the journey, put together: what the web, the command line and the demo are handed."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from gateway.bus.memory import MemoryBus
from gateway.flow.context import Contexts
from gateway.flow.deliver import Line
from gateway.flow.envelope import Publisher
from gateway.flow.intake import Intake
from gateway.flow.receive import Receiver
from gateway.flow.rehearsal import Rehearsal
from gateway.flow.subscriptions import Subscriptions
from gateway.flow.toolbox import Attachments
from gateway.flow.webhooks import Webhooks
from gateway.flow.worker import Bells, Worker
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

    def start(self) -> None:
        """Start the loops."""
        self.worker.start()

    async def close(self) -> None:
        """Claim nothing more, let what is in flight end, close the store."""
        await self.worker.stop()
        await self.transport.aclose()
        if self.webhooks is not None:
            await self.webhooks.close()
        await self.bus.close()
        await self.store.close()
