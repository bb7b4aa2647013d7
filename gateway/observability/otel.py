"""Tracing by OpenTelemetry's SDK: the one room that imports it (extra ``otel``). Exporter, sampler and resource by OTEL_…"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from typing import Final

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from gateway.observability.traces import QUIET, Kind, OpenSpan, Span, Tracer, current, read_traceparent

log = structlog.get_logger("gateway.traces")

_SCOPE: Final = "mediation-gateway"
_KINDS: Final = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}
_EXPORTERS: Final = "opentelemetry_traces_exporter"


def configured(environment: Mapping[str, str]) -> Tracer:
    """A tracer with the exporters that ``OTEL_TRACES_EXPORTER`` names; ``otlp`` speaks ``OTEL_EXPORTER_OTLP_PROTOCOL``
    (http/protobuf). Each reads its own variables. ``QUIET`` where none of them is installed."""
    protocol = environment.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or environment.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    otlp = "otlp_proto_grpc" if protocol == "grpc" else "otlp_proto_http"
    provider = TracerProvider(resource=Resource.create({} if "OTEL_SERVICE_NAME" in environment else _NAMED))
    names = [name.strip() for name in (environment.get("OTEL_TRACES_EXPORTER") or "otlp").split(",")]
    made = 0
    for name in names:
        found = [*entry_points(group=_EXPORTERS, name=otlp if name == "otlp" else name)]
        if not found:
            log.warning("traces_missing", code=name, reason="no such exporter is installed")
            continue
        provider.add_span_processor(BatchSpanProcessor(found[0].load()()))
        made += 1
    return OtelTracer(provider) if made else QUIET


_NAMED: Final = {"service.name": _SCOPE}


class OtelTracer(Tracer):
    """Spans through a provider of one's own: the process's global one is left alone."""

    on = True

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer(_SCOPE)

    def span(
        self,
        name: str,
        *,
        parent: str | None = None,
        links: Sequence[str] = (),
        kind: Kind = "internal",
        **attributes: str | int | float | bool,
    ) -> Span:
        """See ``Tracer``."""
        above = parent or current()
        linked = [Link(found) for found in map(_context_of, links) if found is not None]
        known = None if above is None else _context_of(above)
        made = self._tracer.start_span(
            name,
            Context() if known is None else trace.set_span_in_context(NonRecordingSpan(known), Context()),
            kind=_KINDS[kind],
            attributes={f"gateway.{key}": value for key, value in attributes.items()},
            links=linked,
            record_exception=False,
            set_status_on_exception=False,
        )
        return _Recorded(made)

    def close(self) -> None:
        """See ``Tracer``."""
        self._provider.shutdown()


class _Recorded(OpenSpan):
    def __init__(self, span: trace.Span) -> None:
        context = span.get_span_context()
        super().__init__(f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}")
        self._span = span

    def set(self, **attributes: str | int | float | bool) -> None:
        self._span.set_attributes({f"gateway.{key}": value for key, value in attributes.items()})

    def failed(self, code: str) -> None:
        self._span.set_status(Status(StatusCode.ERROR, code))

    def end(self) -> None:
        self._span.end()


def _context_of(traceparent: str) -> SpanContext | None:
    if read_traceparent(traceparent) is None:
        return None
    _, trace_id, span_id, flags = traceparent.split("-")
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
