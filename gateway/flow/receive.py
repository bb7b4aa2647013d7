"""Step 4, receive: a platform calls back. Authenticate over the raw bytes, store them, answer in its dialect; apply later."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime

import orjson
import structlog

from contracts.adapter import InboundCall, Origin, Reply
from contracts.errors import CallbackRejected
from contracts.moments import from_ms
from gateway.flow.moving.fault_points import Reach, nowhere
from gateway.observability.traces import Span
from gateway.registry import Endpoint
from gateway.store.inbox import NewCallback
from gateway.store.places import of_call
from gateway.store.store import Store

log = structlog.get_logger("gateway.receive")


def pack_call(call: InboundCall) -> bytes:
    """The raw call as JSON, to be sealed."""
    return orjson.dumps(
        {
            "method": call.method,
            "path": call.path,
            "headers": [list(header) for header in call.headers],
            "query": call.query,
            "body": base64.b64encode(call.body).decode(),
            "at": call.received_at.isoformat(),
            "origin": call.origin.value,
        }
    )


def unpack_call(packed: bytes) -> InboundCall:
    """What ``pack_call`` made."""
    kept = orjson.loads(packed)
    return InboundCall(
        method=kept["method"],
        path=kept["path"],
        headers=tuple((name, value) for name, value in kept["headers"]),
        body=base64.b64decode(kept["body"]),
        received_at=datetime.fromisoformat(kept["at"]),
        query=kept["query"],
        origin=Origin(kept["origin"]),
    )


class Receiver:
    """The door for platforms."""

    def __init__(
        self,
        store: Store,
        endpoints: dict[str, Endpoint],
        stored: Callable[[], None] = lambda: None,
        reach: Reach = nowhere,
    ) -> None:
        self._store = store
        self._reach = reach
        self._endpoints = endpoints
        self._stored = stored

    def knows(self, endpoint: str) -> bool:
        """Whether the endpoint exists and its platform calls back."""
        found = self._endpoints.get(endpoint)
        return found is not None and found.adapter.info.calls_back

    async def receive(
        self, endpoint: str, method: str, path: str, query: str, headers: tuple[tuple[str, str], ...], body: bytes
    ) -> Reply:
        """The whole step. The answer is given only once the call is durable.

        Raises:
            LookupError: no such endpoint, or one that is not called back.
        """
        if not self.knows(endpoint):
            raise LookupError(endpoint)
        with self._store.tracer.span("callback", kind="server", endpoint=endpoint) as span:
            return await self._receive(endpoint, method, path, query, headers, body, span)

    async def _receive(
        self,
        endpoint: str,
        method: str,
        path: str,
        query: str,
        headers: tuple[tuple[str, str], ...],
        body: bytes,
        span: Span,
    ) -> Reply:
        adapter = self._endpoints[endpoint].adapter
        now = from_ms(self._store.now_ms())
        call = InboundCall(method, path, headers, body, now, query)
        try:
            proven = await adapter.authenticate(call)
        except CallbackRejected as refusal:
            log.warning("callback_rejected", endpoint=endpoint, code=refusal.code)
            self._store.watch.called(endpoint, "rejected")
            span.failed(refusal.code)
            return refusal.reply
        await self._reach("proven")
        identifier = self._store.ids.new("callback")
        sealed = self._store.seal(pack_call(call), of_call(identifier))
        stored = await self._store.keep_callback(
            NewCallback(identifier, endpoint, proven.event_id, proven.digest, sealed)
        )
        log.info(
            "callback", endpoint=endpoint, callback=stored.id, duplicate=not stored.fresh, conflict=stored.conflict
        )
        outcome = "conflict" if stored.conflict else "stored" if stored.fresh else "duplicate"
        self._store.watch.called(endpoint, outcome)
        span.set(outcome=outcome, callback=stored.id)
        if span.traceparent is not None and stored.fresh:
            await self._store.write("add_trace", (stored.id, span.traceparent))
        self._stored()
        await self._reach("kept")
        return await adapter.acknowledge(call, duplicate=not stored.fresh)
