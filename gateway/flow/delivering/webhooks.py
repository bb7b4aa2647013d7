"""Webhooks as the engine uses them: endpoints that come and go while the house runs, their lines made when they are needed."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import httpx
import orjson

from contracts.adapter import Json, Tools
from contracts.errors import EndpointError
from contracts.moments import from_ms
from contracts.webhook import KINDS, Kind, PrivateKey, Secret
from gateway.flow.delivering.exchange import EndpointWaits, Limits, Pace
from gateway.flow.delivering.line import Line
from gateway.flow.moving.envelope import Publisher, source_numbers
from gateway.registry import AnyAdapter, Endpoint
from gateway.security.fields import SealBroken
from gateway.store.health import HANDSHAKE
from gateway.store.journal import event_of
from gateway.store.places import of_address, of_keys, of_old_keys
from gateway.store.settlement import Claim
from gateway.store.store import Store
from gateway.store.webhooks import SLOTS, Handshake, Webhook, webhook_of

_MOST_LINES = 4096


@dataclass(frozen=True, slots=True)
class Address:
    """Where a webhook leads, and what its client calls it."""

    url: str
    description: str = ""


class Webhooks:
    """Opens and seals the rows, makes their adapters. See ``deliver.Subscribers``."""

    def __init__(
        self,
        store: Store,
        publisher: Publisher,
        kind: type[AnyAdapter],
        tools: Callable[[str], Tools],
        transport: httpx.AsyncBaseTransport,
        rate_per_s: float,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._seconds = seconds
        self._publisher = publisher
        self._kind = kind
        self._tools = tools
        self._transport = transport
        self._rate_per_s = rate_per_s
        self._lines: dict[str, tuple[int, Line]] = {}
        self.lease_ms = round(1000 * kind.info.deadline_s)
        self.pass_trace = False
        """Whether events are handed on with the ``traceparent`` of their making."""

    async def close(self) -> None:
        """Close the way out."""
        await self._transport.aclose()

    # ---- rows

    def seal_address(self, identifier: str, address: Address) -> bytes:
        """Address and description, sealed: a URL may hold a receiver's own secret."""
        plain = orjson.dumps({"url": address.url, "description": address.description})
        return self._store.seal(plain, of_address(identifier))

    def address(self, webhook: Webhook) -> Address:
        """Where it leads."""
        plain = self._store.unseal(webhook.address_sealed, of_address(webhook.id))
        return Address(**orjson.loads(plain))

    def make_keys(self, identifier: str, kinds: Collection[Kind]) -> dict[Kind, str]:
        """A fresh key of each kind, as text."""
        random_bytes = self._tools(identifier).random_bytes
        makers: dict[Kind, Callable[[], str]] = {
            "v1": lambda: Secret.make(random_bytes).shown,
            "v1a": lambda: PrivateKey.make(random_bytes).text,
        }
        return {kind: makers[kind]() for kind in KINDS if kind in kinds}

    def seal_keys(self, identifier: str, keys: dict[Kind, str], *, old: bool = False) -> bytes:
        """Keys, sealed for their place."""
        return self._store.seal(orjson.dumps(keys), of_old_keys(identifier) if old else of_keys(identifier))

    def keys(self, webhook: Webhook) -> dict[Kind, str]:
        """The keys in force."""
        return self._open_keys(webhook.keys_sealed, of_keys(webhook.id))

    def old_keys(self, webhook: Webhook) -> dict[Kind, str]:
        """The keys whose overlap runs; none where no rotation does."""
        if webhook.old_keys_sealed is None:
            return {}
        return self._open_keys(webhook.old_keys_sealed, of_old_keys(webhook.id))

    def _open_keys(self, sealed: bytes, place: str) -> dict[Kind, str]:
        found: dict[Kind, str] = orjson.loads(self._store.unseal(sealed, place))
        return found

    def handshake(self) -> Handshake:
        """A fresh handshake."""
        return Handshake(self._store.ids.new("delivery"), self._store.ids.new("event"))

    def _challenge(self, delivery: str) -> str:
        """What the receiver must repeat: 43 characters that nobody without our keys can foresee."""
        keyed = self._store.sealer.blind("challenge", delivery)
        return base64.urlsafe_b64encode(hashlib.sha256(keyed.encode()).digest()).decode().rstrip("=")

    # ---- lines

    async def line(self, claim: Claim) -> Line | None:
        """See ``deliver.Subscribers``."""
        row = await self._store.row("webhook", claim.endpoint)
        if row is None:
            self._lines.pop(claim.endpoint, None)
            return None
        webhook = webhook_of(row)
        if webhook.state == "disabled":
            return None
        if webhook.state in ("unverified", "failed") and claim.retry_class != HANDSHAKE:
            raise EndpointWaits(0)
        return self.line_of(webhook)

    def line_of(self, webhook: Webhook) -> Line:
        """The line to a webhook with its present address and keys; what it asked to be left alone for holds.

        Raises:
            EndpointError: its keys cannot be opened.
        """
        known = self._lines.get(webhook.id)
        if known is None or known[0] != webhook.version:
            if len(self._lines) >= _MOST_LINES:
                self._lines.clear()
            known = self._lines[webhook.id] = (webhook.version, self._make(webhook))
        line = known[1]
        if (quiet_ms := webhook.waits_until - self._store.now_ms()) > 0:
            line.pace.hush(quiet_ms / 1000)
        return line

    def _make(self, webhook: Webhook) -> Line:
        try:
            adapter = self._adapter(
                webhook.id,
                self.address(webhook).url,
                self.keys(webhook),
                self.old_keys(webhook),
                webhook.old_until,
                tuple(orjson.loads(webhook.signing)),
            )
        except (SealBroken, ValueError):
            raise EndpointError("keys_unreadable", "address or keys of the webhook cannot be opened") from None
        limits = Limits.of(adapter.info, adapter.settings)
        endpoint = Endpoint(webhook.id, adapter, SLOTS, None)
        return Line(endpoint, limits, Pace(limits.rate_per_s, limits.at_once, self._seconds), self._transport)

    def _adapter(
        self,
        identifier: str,
        url: str,
        keys: dict[Kind, str],
        old_keys: dict[Kind, str],
        old_until: int | None,
        signing: tuple[Kind, ...],
    ) -> AnyAdapter:
        settings = self._kind.settings_type.model_validate(
            {
                "url": url,
                "signing": signing,
                "keys": tuple(keys.values()),
                "old_keys": tuple(old_keys.values()),
                "old_until": from_ms(old_until) if old_keys and old_until else None,
                "source": self._publisher.source,
                "schemas": self._publisher.schemas,
                "rate_per_s": self._rate_per_s,
            }
        )
        return self._kind(identifier, settings, self._tools(identifier))

    async def event(self, claim: Claim) -> Json:
        """See ``deliver.Subscribers``."""
        if claim.retry_class == HANDSHAKE:
            data = {"webhook_endpoint": claim.endpoint, "challenge": self._challenge(claim.delivery)}
            return self._publisher.direct(claim.type, claim.message, claim.endpoint, claim.created_at, data)
        row = await self._store.row("event", claim.message)
        if row is None:
            raise LookupError(f"event {claim.message} is not kept")
        event = event_of(row)
        numbers = await source_numbers(self._store, [event])
        made = self._publisher.envelope(event, numbers.get(event.subject))
        if self.pass_trace and self._store.tracer.on:
            known = await self._store.row("traces_of", event.id)
            if known is not None:
                made["traceparent"] = known["traceparent"]
        return made
