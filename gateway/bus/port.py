"""The bus's port: what the in-process bus and a broker both promise."""

from __future__ import annotations

from typing import Any, Protocol


class EventBus(Protocol):
    """Takes numbered events in order. ``publish`` returns once every event is safe where the bus keeps it; an event may be
    published again after a crash, under the same id. Order holds per ``partitionkey``."""

    async def publish(self, envelopes: list[dict[str, Any]]) -> None: ...

    async def close(self) -> None: ...
