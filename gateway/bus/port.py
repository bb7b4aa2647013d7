"""The bus's port: what the in-process bus and a broker both promise."""

from __future__ import annotations

from typing import Any, Protocol


class BusUnavailable(Exception):
    """Not every event was acknowledged in time: those that were may come again, all are published again later."""


class EventBus(Protocol):
    """Takes numbered events in order. ``publish`` returns once every event is safe where the bus keeps it; an event may be
    published again after a crash, under the same id. Order holds per ``partitionkey``, at the first sight of each event."""

    @property
    def listened(self) -> bool:
        """Whether anybody may be listening: for nobody, nothing needs to be put into envelopes."""
        ...

    async def publish(self, envelopes: list[dict[str, Any]]) -> None:
        """Publish, in this order.

        Raises:
            BusUnavailable: not all were acknowledged in time.
        """
        ...

    async def close(self) -> None: ...
