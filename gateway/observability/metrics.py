"""Figures for Prometheus, one registry for each process: counters and times of the journey, gauges of what stands.

Labels are bounded: endpoints are the configured ones (webhooks are one, ``webhook``), classes, states and types are closed
lists, codes are the first hundred of each figure and then ``other``. No label ever holds a case, a person or an organisation.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from gateway.observability.watch import Watch

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

OTHER: Final = "other"
WEBHOOK: Final = "webhook"
_MOST_CODES: Final = 100

_QUICK: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_EXCHANGE: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_LONG: Final = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 28_800.0, 86_400.0)
_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class _Codes:
    """Lets the first hundred codes through; later ones are all ``other``."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def __call__(self, code: str) -> str:
        plain = code.partition(":")[0][:48]
        if plain in self._known:
            return plain
        if len(self._known) >= _MOST_CODES:
            return OTHER
        self._known.add(plain)
        return plain


class _Counters:
    """The series of one counter by their labels: looked up without the library's lock and checks."""

    def __init__(self, figure: Counter) -> None:
        self._figure = figure
        self._children: dict[tuple[str, ...], Counter] = {}

    def of(self, *labels: str) -> Counter:
        """The series with these labels."""
        child = self._children.get(labels)
        if child is None:
            child = self._children[labels] = self._figure.labels(*labels)
        return child


class _Histograms:
    """The same for a histogram."""

    def __init__(self, figure: Histogram) -> None:
        self._figure = figure
        self._children: dict[tuple[str, ...], Histogram] = {}

    def of(self, *labels: str) -> Histogram:
        """The series with these labels."""
        child = self._children.get(labels)
        if child is None:
            child = self._children[labels] = self._figure.labels(*labels)
        return child


class Metrics(Watch):
    """What this process tells. ``gauges`` are asked at each look; they answer from what they remember."""

    def __init__(self, endpoints: Iterable[str]) -> None:
        self.registry = CollectorRegistry()
        self._endpoints = frozenset(endpoints)
        self._codes: dict[str, _Codes] = {name: _Codes() for name in ("intake", "exchange")}
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)

        def counter(name: str, text: str, *labels: str) -> _Counters:
            return _Counters(Counter(name, text, labels, registry=self.registry))

        def histogram(name: str, text: str, bounds: tuple[float, ...], *labels: str) -> _Histograms:
            return _Histograms(Histogram(name, text, labels, buckets=bounds, registry=self.registry))

        self._taken = counter("gateway_intake", "Documents taken in or refused", "type", "outcome")
        self._taking = histogram("gateway_intake_seconds", "Intake, to the durable commit", _QUICK, "type")
        self._answers = counter("gateway_http_answers", "Answers by status", "status")
        self._exchanges = counter(
            "gateway_exchanges", "Attempts by what became of them", "endpoint", "class", "outcome"
        )
        self._failures = counter("gateway_exchange_failures", "Attempts that were no success", "endpoint", "code")
        self._exchanging = histogram("gateway_exchange_seconds", "One attempt", _EXCHANGE, "endpoint", "class")
        self._delivering = histogram(
            "gateway_delivered_seconds", "From acceptance to delivery", _LONG, "endpoint", "class"
        )
        self._calls = counter("gateway_callbacks_received", "Calls of platforms", "endpoint", "outcome")
        self._applied = counter("gateway_callbacks_applied", "Stored calls looked at", "endpoint", "outcome")
        self._applying = histogram("gateway_callback_seconds", "From a call to its application", _LONG, "endpoint")
        self._commits = histogram("gateway_commit_seconds", "One group commit", _QUICK, "group")
        self._sizes = histogram("gateway_commit_units", "Units in one group commit", _SIZES, "group")
        self._published = Counter("gateway_events_published", "Events safe on the broker", registry=self.registry)
        built = Gauge("gateway_build_info", "1 for the version that runs", ("version",), registry=self.registry)
        built.labels(_version()).set(1)

    def add(self, gauges: Collector) -> None:
        """Ask these too."""
        self.registry.register(gauges)

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self.registry)

    def endpoint(self, name: str) -> str:
        """The endpoint's label: configured ones by name, all webhooks as one."""
        return name if name in self._endpoints else WEBHOOK

    # ---- Watch

    def taken(self, kind: str, outcome: str, seconds: float) -> None:
        self._taken.of(kind, self._codes["intake"](outcome)).inc()
        self._taking.of(kind).observe(seconds)

    def answered(self, status: int) -> None:
        self._answers.of(str(status)).inc()

    def exchanged(self, endpoint: str, retry_class: str, outcome: str, code: str | None, seconds: float) -> None:
        name = self.endpoint(endpoint)
        self._exchanges.of(name, retry_class, outcome).inc()
        self._exchanging.of(name, retry_class).observe(seconds)
        if code is not None:
            self._failures.of(name, self._codes["exchange"](code)).inc()

    def delivered(self, endpoint: str, retry_class: str, seconds: float) -> None:
        self._delivering.of(self.endpoint(endpoint), retry_class).observe(seconds)

    def called(self, endpoint: str, outcome: str) -> None:
        self._calls.of(self.endpoint(endpoint), outcome).inc()

    def applied(self, endpoint: str, outcome: str, seconds: float) -> None:
        self._applied.of(self.endpoint(endpoint), outcome).inc()
        self._applying.of(self.endpoint(endpoint)).observe(seconds)

    def committed(self, group: str, size: int, seconds: float) -> None:
        self._commits.of(group).observe(seconds)
        self._sizes.of(group).observe(size)

    def published(self, events: int) -> None:
        self._published.inc(events)


def _version() -> str:
    try:
        return version("mediation-gateway")
    except PackageNotFoundError:
        return "unknown"
