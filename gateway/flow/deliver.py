"""Step 3, deliver: claim what is due, let the adapter translate and send, settle what became of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Protocol

import structlog

from contracts.adapter import DeliveryClass, Json, Receipt, Wire
from contracts.errors import AdapterError, EndpointError, EndpointGone, RetryableError
from gateway.flow.delivering import wires
from gateway.flow.delivering.exchange import EndpointWaits, HttpExchange, pack_steps
from gateway.flow.delivering.line import Line
from gateway.flow.delivering.settlement import QUARANTINE_AFTER, Attempted, Judge
from gateway.flow.moving.context import Contexts
from gateway.flow.moving.fault_points import Reach, nowhere
from gateway.observability.traces import current
from gateway.registry import AnyAdapter
from gateway.store import claim as claims
from gateway.store.engine import StoreUnavailable, many
from gateway.store.places import of_steps, of_wire
from gateway.store.settlement import Claim, FrozenWire, Settlement
from gateway.store.store import Store
from gateway.store.webhooks import CLASSES, is_webhook

log = structlog.get_logger("gateway.deliver")

_SETTLE_AGAIN_S = 0.5
_AHEAD = 2
"""Claims of an endpoint for each request that may be out at once: the next ones are translated while those are on their way."""
_FAIR = 0.5
"""The part of an attempt's time within which its requests must have had their turn; the rest is the platform's."""

_GONE = timedelta(days=365)
"""Until the subscription is taken up again, with a line of its own."""


class Subscribers(Protocol):
    """Webhooks as endpoints that come and go while the house runs."""

    lease_ms: int
    """How long one claim for a webhook is held."""

    async def line(self, claim: Claim) -> Line | None:
        """The line to the claim's webhook as it stands; ``None``: it is gone or disabled.

        Raises:
            EndpointError: its keys cannot be read.
            EndpointWaits: nothing but its handshake may go there now.
        """
        ...

    async def event(self, claim: Claim) -> Json:
        """The published event that the claim owes."""
        ...


class _Leases(dict[str, int]):
    """Lease of each endpoint; webhooks share one."""

    def __init__(self, configured: dict[str, int], webhooks: int) -> None:
        super().__init__(configured)
        self._webhooks = webhooks

    def __missing__(self, endpoint: str) -> int:
        if not is_webhook(endpoint):
            raise KeyError(endpoint)
        return self._webhooks

    def __contains__(self, endpoint: object) -> bool:
        return super().__contains__(endpoint) or (isinstance(endpoint, str) and is_webhook(endpoint))


class Deliverer:
    """Takes due deliveries and brings each to its next state. One attempt is one exchange is one row."""

    def __init__(
        self,
        store: Store,
        lines: dict[str, Line],
        contexts: Contexts,
        judge: Judge,
        *,
        lease_margin_s: float,
        subscribers: Subscribers | None = None,
        changed: Callable[[], None] = lambda: None,
        reach: Reach = nowhere,
    ) -> None:
        self._store = store
        self._lines = lines
        self._contexts = contexts
        self._judge = judge
        self._changed = changed
        self._reach = reach
        self._margin_ms = round(lease_margin_s * 1000)
        self._leaving = False
        self._here: Counter[str] = Counter()
        self._subscribers = subscribers
        leases = {
            name: round(1000 * max(line.limits.deadline_s, line.limits.deadline_files_s)) + self._margin_ms
            for name, line in lines.items()
        }
        self._leases = leases if subscribers is None else _Leases(leases, subscribers.lease_ms + self._margin_ms)

    async def take(self, most: int, flying: int = 0, patience_ms: int = 0) -> list[Claim]:
        """Claim at most so many due deliveries, while so many are in flight; of an endpoint's no more than this process can
        send soon: what waits here for its turn would be kept from the others."""
        room = {name: _AHEAD * line.pace.at_once - self._here[name] for name, line in self._lines.items()}
        taken = await self._store.claim(most, self._leases, self._leases, flying, patience_ms, room)
        self._here.update(claim.endpoint for claim in taken)
        return taken

    async def take_probes(self, flying: int = 0) -> list[Claim]:
        """Claim what is due of webhooks that are not verified or not healthy."""
        if self._subscribers is None:
            return []
        return await self._store.claim_probes(self._subscribers.lease_ms + self._margin_ms, flying)

    async def acquit(self, claim: Claim) -> None:
        """A claim on trial has lived on: it is none of those that kill."""
        await self._store.run(claims.acquit, claim)

    def leave(self) -> None:
        """The process ends in order: who is cancelled from here on writes down what had gone out, and gives back what had not.
        Without this word a cancelled claim ends as a killed process's does."""
        self._leaving = True

    async def give_back(self, claim: Claim) -> None:
        """Nothing went out under this claim: it is due again at once, and counts for nothing."""
        await self._store.run(claims.give_back, [claim])
        log.info("given_back", delivery=claim.delivery, endpoint=claim.endpoint, type=claim.type)

    @asynccontextmanager
    async def _unsent(self, claim: Claim) -> AsyncIterator[None]:
        """Whoever is cut off in here has nothing on the wire."""
        try:
            yield
        except asyncio.CancelledError:
            if self._leaving:
                await self.give_back(claim)
            raise

    async def bring(self, claim: Claim) -> None:
        """Deliver one claim and write its outcome. Whatever the adapter and its platform do becomes one.

        Raises:
            StoreUnavailable: the store stayed away. The claim ends with its lease, as a dead process's does.
        """
        try:
            await self._bring(claim)
        finally:
            self._here[claim.endpoint] -= 1

    async def _bring(self, claim: Claim) -> None:
        tracer = self._store.tracer
        async with self._unsent(claim):
            await self._reach("claimed")
            parent, links = await _traced(self._store, claim) if tracer.on else (None, ())
        with tracer.span(
            "deliver",
            parent=parent,
            links=links,
            kind="client",
            endpoint=claim.endpoint,
            type=claim.type,
            message=claim.message,
            delivery=claim.delivery,
            attempt=claim.tries,
        ) as span:
            async with self._unsent(claim):
                settlement = await self._outcome(claim)
            if settlement is None:
                return
            if claim.retry_class in CLASSES:
                settlement = self._judge.of_webhook(settlement)
            settlement.trace = span.traceparent
            await self._reach("before_settle")
            held = await self._settled(settlement)
            span.set(outcome=settlement.state if held else "stale")
            if settlement.code is not None:
                span.failed(settlement.code)
        await self._reach("settled")
        if held:
            self._tell(settlement)
        log.info(
            "delivery",
            delivery=claim.delivery,
            endpoint=claim.endpoint,
            type=claim.type,
            state=settlement.state if held else "stale",
            code=settlement.code,
            tries=claim.tries,
        )
        self._changed()

    def _tell(self, settlement: Settlement) -> None:
        """Whoever watches hears how an attempt ended; of one that made none there is nothing to say."""
        claim, watch = settlement.claim, self._store.watch
        if settlement.attempt is not None:
            seconds = settlement.attempt.duration_ms / 1000
            watch.exchanged(claim.endpoint, claim.retry_class, settlement.state, settlement.code, seconds)
        if settlement.state == "delivered":
            watch.delivered(claim.endpoint, claim.retry_class, (self._store.now_ms() - claim.created_at) / 1000)

    async def _settled(self, settlement: Settlement) -> bool:
        """Write the outcome. While the store does not take it, it is held back to the lease's end: what we know need not
        be asked for, nor stand before a person."""
        until = settlement.claim.claimed_at + self._leases[settlement.claim.endpoint]
        while True:
            try:
                return await self._store.settle(settlement)
            except Exception as error:  # nothing that goes wrong here changes what the platform has said
                if self._store.now_ms() >= until:
                    raise
                log.warning("settlement_held", delivery=settlement.claim.delivery, error=type(error).__name__)
                await asyncio.sleep(_SETTLE_AGAIN_S)

    async def _outcome(self, claim: Claim) -> Settlement | None:
        try:
            line = self._lines.get(claim.endpoint) or await self._line_to(claim)
        except EndpointError as error:
            return self._judge.paused(claim, error, None)
        except EndpointWaits as waits:
            return self._judge.not_yet(claim, waits.wait_ms, claim.doubt_at)
        if line is None:
            return self._judge.gone(claim)
        info, limits = line.endpoint.adapter.info, line.limits
        doubt_at = claim.doubt_at
        if claim.lost > 0:
            # A restart ends leases early: the dead claim's filing may have left a moment ago, whatever was in doubt before it.
            doubt_at = claim.claimed_at
            claim = replace(claim, doubt_at=doubt_at)
        if claim.crashes + claim.lost >= QUARANTINE_AFTER:
            return self._judge.quarantined(claim, doubt_at)
        if doubt_at is not None:
            if info.delivery_class is DeliveryClass.NEITHER:
                return self._judge.in_doubt(claim, "claim_died", None, self._store.now_ms())
            # A clock that was set back must not make anybody wait for the other.
            doubt_at = min(doubt_at, claim.claimed_at)
            lag_ms = round(limits.lookup_lag_s * 1000) - (claim.claimed_at - doubt_at)
            if info.delivery_class is DeliveryClass.QUERYABLE and lag_ms > 0:
                return self._judge.not_yet(claim, lag_ms, doubt_at)
        return await self._attempt(claim, line, ask_first=doubt_at is not None)

    async def _line_to(self, claim: Claim) -> Line | None:
        return None if self._subscribers is None else await self._subscribers.line(claim)

    async def _attempt(self, claim: Claim, line: Line, *, ask_first: bool) -> Settlement | None:
        started = line.pace.now()
        adapter, info = line.endpoint.adapter, line.endpoint.adapter.info
        try:
            wire = await self._wire(claim, line)
        except StoreUnavailable:  # nothing went out: a claim that died here would put a needless doubt before a person
            return self._judge.not_yet(claim, round(_SETTLE_AGAIN_S * 1000), claim.doubt_at)
        except AdapterError as error:
            return self._judge.failed(claim, info, line.limits, error, None, self._store.now_ms())
        if wire is None:
            log.warning("claim_taken_over", delivery=claim.delivery, endpoint=claim.endpoint)
            return None
        seconds = min(line.limits.deadline_files_s if wire.files else line.limits.deadline_s, self._left_s(claim))
        exchange = line.exchange(self._store.now_ms, seconds, current())
        exchange.turn_by = started + _FAIR * seconds
        ask = ask_first and info.delivery_class is DeliveryClass.QUERYABLE
        found: Receipt | AdapterError
        try:
            async with asyncio.timeout(seconds):
                receipt = await adapter.lookup(wire, exchange) if ask else None
                found = receipt or await adapter.send(wire, exchange)
        except AdapterError as error:
            found = error
            self._hush(claim, line, error)
        except EndpointWaits as waits:
            return self._judge.not_yet(claim, waits.wait_ms, claim.doubt_at)
        except asyncio.CancelledError:
            if not self._leaving or not exchange.steps:
                raise
            how = self._told(claim, exchange, started, ask=ask)
            now = self._store.now_ms()
            return self._judge.cut_off(claim, info, line.limits, how, now, doubt=exchange.filed or ask)
        except TimeoutError:
            found = RetryableError("timeout", "the attempt's deadline is over", maybe_accepted=exchange.filed)
        except Exception as error:  # whatever an adapter does, it stays inside its attempt
            log.error("adapter_failed", endpoint=claim.endpoint, delivery=claim.delivery, error=type(error).__name__)
            found = RetryableError(f"adapter_failed:{type(error).__name__}", maybe_accepted=exchange.filed)
        await self._reach("answered")
        if ask and isinstance(found, RetryableError) and not exchange.filed:
            found.maybe_accepted = True  # the doubt sticks until the platform has answered the question
        how = self._told(claim, exchange, started, ask=ask)
        if isinstance(found, Receipt):
            return self._judge.delivered(claim, line.limits, found, how)
        return self._judge.failed(claim, info, line.limits, found, how, self._store.now_ms())

    def _told(self, claim: Claim, exchange: HttpExchange, started: float, *, ask: bool) -> Attempted:
        sealed = self._store.seal(pack_steps(exchange.steps), of_steps(claim.delivery, claim.tries))
        duration = round(1000 * (exchange.pace.now() - started))
        return Attempted("lookup" if ask else "schedule", duration, len(exchange.steps), sealed)

    def _left_s(self, claim: Claim) -> float:
        """Seconds until nothing more may be sent under this claim: half the margin before its lease's end. A process that was
        stopped between claim and filing would file beside its successor."""
        until = claim.claimed_at + self._leases[claim.endpoint] - self._margin_ms // 2
        return max(until - self._store.now_ms(), 0) / 1000

    @staticmethod
    def _hush(claim: Claim, line: Line, error: AdapterError) -> None:
        """A webhook's receiver that wants to be left alone is, at once: also by what waits for its turn already."""
        if claim.retry_class not in CLASSES:
            return
        if isinstance(error, EndpointGone):
            line.pace.hush(_GONE.total_seconds())
        elif isinstance(error, RetryableError) and error.retry_after is not None:
            line.pace.hush(error.retry_after.total_seconds())

    async def _wire(self, claim: Claim, line: Line) -> Wire | None:
        """The frozen wire; translated and frozen now, where this is the first time. ``None``: the claim was taken over."""
        place = of_wire(claim.delivery)
        if claim.wire_sealed is not None:
            return wires.unpack(self._store.unseal(claim.wire_sealed, place))
        translate = await self._translator(claim, line.endpoint.adapter)
        try:
            wire = translate()
        except AdapterError:
            raise
        except Exception as error:
            log.error(
                "translation_failed", endpoint=claim.endpoint, delivery=claim.delivery, error=type(error).__name__
            )
            raise RetryableError(f"translation_failed:{type(error).__name__}") from error
        frozen = FrozenWire(claim, wire.operation, wire.mapping, self._store.seal(wires.pack(wire), place))
        held = await self._store.freeze(frozen)
        await self._reach("translated")
        return wire if held else None

    async def _translator(self, claim: Claim, adapter: AnyAdapter) -> Callable[[], Wire]:
        if self._subscribers is not None and adapter.info.events:
            return partial(adapter.announce, await self._subscribers.event(claim))
        message, context = await self._contexts.of_claim(claim)
        return partial(adapter.translate, message, context)


async def _traced(store: Store, claim: Claim) -> tuple[str | None, tuple[str, ...]]:
    """Where an attempt hangs in its trace: below the step that made its message (of a webhook: its event), linked to the
    attempt before it."""
    rows = await store.runner.read(many, "traces_of", [(claim.message,), (claim.delivery,)])
    found = {row["thing"]: row["traceparent"] for row in rows}
    before = found.get(claim.delivery)
    return found.get(claim.message), () if before is None else (before,)
