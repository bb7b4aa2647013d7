"""One endpoint as the engine uses it (线路): its adapter, what was agreed with its platform, and the way there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

from contracts.adapter import DeliveryClass
from gateway.flow.delivering.exchange import HttpExchange, Limits, Pace
from gateway.flow.delivering.skew import Skew
from gateway.registry import Endpoint


@dataclass(slots=True)
class Line:
    """One endpoint with its agreed limits and pace, and the transport to reach it."""

    endpoint: Endpoint
    limits: Limits
    pace: Pace
    transport: httpx.AsyncBaseTransport
    pass_trace: bool = False
    skew: Skew = field(default_factory=Skew)

    @property
    def name(self) -> str:
        """The endpoint's name."""
        return self.endpoint.name

    def exchange(self, now_ms: Callable[[], int], seconds: float, traceparent: str | None = None) -> HttpExchange:
        """A way out for one attempt, poll or probe. Platforms where a lost answer cannot be healed get a connection of their
        own each time: a reused one may be dead already, and the loss would look like doubt."""
        info = self.endpoint.adapter.info
        keep_alive = info.delivery_class is not DeliveryClass.NEITHER
        deadline = self.pace.now() + seconds
        return HttpExchange(
            self.transport,
            self.limits,
            self.pace,
            now_ms,
            deadline,
            keep_alive,
            status_alone=info.status_alone,
            traceparent=traceparent if self.pass_trace else None,
            heard=self.skew.heard,
        )


def skews(lines: Mapping[str, Line]) -> dict[str, int]:
    """Every platform's clock less ours in ms, where there are answers enough."""
    return {name: line.skew.ms for name, line in lines.items() if line.skew.ms is not None}
