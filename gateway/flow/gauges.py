"""Gauges for Prometheus: what stands, read at most every 15 seconds and never for more than a fiftieth of the store's time."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from datetime import timedelta
from typing import Final

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from contracts.deliveries import FAILED_STATES, OPEN_STATES
from contracts.moments import in_beijing
from gateway.flow.alerting.channels.wording import RULES
from gateway.flow.alerting.notices import ChannelStanding, Notices
from gateway.flow.relay import BrokerRelay
from gateway.flow.worker import Worker
from gateway.store import standing
from gateway.store.standing import BANDS, OPEN_CALLS, Standing
from gateway.store.store import Store

_KEPT_S: Final = 15.0
_STATES: Final = (*OPEN_STATES, *FAILED_STATES)
_SHARE: Final = 50
"""A look that takes long is kept for so many times its length."""


async def now_standing(store: Store, names: Collection[str]) -> Standing:
    """Look at the store now."""
    now = store.now_ms()
    today = in_beijing(now).date()
    ends = [(today + timedelta(days=days)).isoformat() for _, days in BANDS]
    return await store.runner.read(standing.look, sorted(names), now, ends)


class Gauges(Collector):
    """Remembers the last look. ``refresh`` before the registry is asked."""

    def __init__(
        self,
        store: Store,
        names: Collection[str],
        worker: Worker,
        notices: Notices,
        broker: Callable[[], BrokerRelay | None],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._names = sorted(names)
        self._worker = worker
        self._notices = notices
        self._broker = broker
        self._seconds = seconds
        self._lock = asyncio.Lock()
        self._until = -1.0
        self._at = 0.0
        self._seen: Standing | None = None
        self._channels: list[ChannelStanding] = []
        self._unpublished: int | None = None
        self.topic_quiet: Callable[[], float | None] = lambda: None
        """How long ago the intake topic moved; ``None`` where none is read."""

    async def refresh(self) -> None:
        """Look, unless the last look is fresh enough; many who ask at once cause one look."""
        async with self._lock:
            started = self._seconds()
            if started < self._until:
                return
            self._seen = await now_standing(self._store, self._names)
            self._channels = await self._notices.standing()
            broker = self._broker()
            self._unpublished = None if broker is None else await broker.waiting()
            self._at = self._seconds()
            self._until = self._at + max(_KEPT_S, _SHARE * (self._at - started))

    def describe(self) -> Iterable[Metric]:
        """Names without a look, for the registry's check."""
        return [_gauge(name, ()) for name in TEXTS]

    def collect(self) -> Iterable[Metric]:
        """What was seen."""
        busy, slots = self._worker.slots
        yield _gauge("gateway_worker_slots", ("state",), (("busy",), busy), (("free",), slots - busy))
        yield _gauge("gateway_loops_stuck", (), ((), len(self._worker.stuck())))
        if (quiet := self.topic_quiet()) is not None:
            yield _gauge("gateway_intake_topic_quiet_seconds", (), ((), quiet))
        if self._seen is not None:
            yield from self._standing(self._seen)

    def _standing(self, seen: Standing) -> Iterable[Metric]:
        yield _gauge("gateway_figures_age_seconds", (), ((), self._seconds() - self._at))
        # What is nothing is told as 0: a series that comes and goes is hard to watch.
        by_state: Counter[tuple[str, ...]] = Counter({(n, s): 0 for n in self._names for s in _STATES})
        calls: Counter[tuple[str, ...]] = Counter({(n, s): 0 for n in self._names for s in OPEN_CALLS})
        backlog: Counter[tuple[str, ...]] = Counter({(name, "standard"): 0 for name in self._names})
        for (endpoint, retry_class, state), many in seen.deliveries.items():
            by_state[(endpoint, state)] += many
            if state == "pending":
                backlog[(endpoint, retry_class)] += many
        for (endpoint, word), many in seen.ended.items():
            if word == "delivered":
                by_state[(endpoint, word)] = many
        yield _gauge("gateway_deliveries", ("endpoint", "state"), *by_state.items())
        yield _gauge("gateway_backlog", ("endpoint", "class"), *backlog.items())
        ages = {key: max(seen.now - seen.oldest.get((key[0], key[1]), seen.now), 0) / 1000 for key in backlog}
        yield _gauge("gateway_backlog_oldest_seconds", ("endpoint", "class"), *ages.items())
        calls.update(seen.callbacks)
        yield _gauge("gateway_callbacks", ("endpoint", "state"), *calls.items())
        yield _gauge("gateway_clocks", ("band",), *(((band,), many) for band, many in seen.clocks.items()))
        places = seen.endpoints.items()
        yield _gauge("gateway_endpoint_paused", ("endpoint",), *(((n,), int(paused)) for n, (paused, _, _) in places))
        yield _gauge(
            "gateway_breaker_open", ("endpoint",), *(((n,), int(state != "closed")) for n, (_, state, _) in places)
        )
        yield _gauge("gateway_endpoint_failures", ("endpoint",), *(((n,), failures) for n, (_, _, failures) in places))
        yield _gauge("gateway_tasks_open", (), ((), seen.tasks))
        yield _gauge("gateway_events_unnumbered", (), ((), seen.unnumbered))
        yield _gauge("gateway_events_untallied", (), ((), seen.untallied))
        yield _gauge(
            "gateway_alerts_open",
            ("rule", "severity"),
            *(((rule, severity), seen.alerts[rule]) for rule, severity in RULES.items() if rule != "test"),
        )
        yield _gauge(
            "gateway_alert_notices_waiting", ("channel",), *(((one.name,), one.waiting) for one in self._channels)
        )
        if self._unpublished is not None:
            yield _gauge("gateway_events_unpublished", (), ((), self._unpublished))


TEXTS: Final = {
    "gateway_worker_slots": "Deliveries in flight in this process, and places left",
    "gateway_loops_stuck": "Loops of this process that ended though nobody told them to",
    "gateway_intake_topic_quiet_seconds": "How long ago records of the intake topic were answered, or none were left",
    "gateway_figures_age_seconds": "How old the figures about the store are",
    "gateway_deliveries": "Deliveries by state: open and failed as they stand, delivered as ever counted",
    "gateway_backlog": "Pending deliveries",
    "gateway_backlog_oldest_seconds": "How long the oldest pending delivery waits",
    "gateway_callbacks": "Stored calls that are not dealt with",
    "gateway_clocks": "Running statutory clocks by days left",
    "gateway_endpoint_paused": "1 where an endpoint is paused",
    "gateway_breaker_open": "1 where an endpoint's breaker is open",
    "gateway_endpoint_failures": "Failures in a row",
    "gateway_tasks_open": "Human tasks that are open",
    "gateway_events_unnumbered": "Events that have no cursor yet",
    "gateway_events_untallied": "Numbered events that are not counted yet",
    "gateway_alerts_open": "Alerts that stand",
    "gateway_alert_notices_waiting": "Transitions of alerts that a channel has not been told",
    "gateway_events_unpublished": "Numbered events that are not on the broker",
}
"""Every gauge with its meaning."""


def _gauge(name: str, labels: tuple[str, ...], *samples: tuple[tuple[str, ...], float]) -> GaugeMetricFamily:
    made = GaugeMetricFamily(name, TEXTS[name], labels=labels)
    for values, value in samples:
        made.add_metric(values, value)
    return made
