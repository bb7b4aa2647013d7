"""What clients do with their webhooks (``platforms/webhook.md`` §5): subscribe, change, rotate keys, test, replay, leave."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import orjson

from contracts.errors import AdapterError, EndpointGone, RetryableError
from contracts.events import is_filter
from contracts.findings import Code, Finding
from contracts.moments import written
from contracts.webhook import KINDS, Kind, PrivateKey
from gateway.flow.delivering.exchange import EndpointWaits, HttpExchange, unpack_steps
from gateway.flow.delivering.webhooks import Address, Webhooks
from gateway.flow.moving.envelope import Publisher
from gateway.flow.moving.once import Once, taken_for
from gateway.flow.moving.order import Principal, Refused
from gateway.security.egress import EgressPolicy, EgressRefused
from gateway.security.fields import SealBroken
from gateway.store import health, webhooks
from gateway.store.engine import Row
from gateway.store.journal import AuditEntry
from gateway.store.places import of_steps
from gateway.store.store import Store
from gateway.store.webhooks import Change, Webhook, webhook_of
from gateway.texts import field_texts

_ANSWER_S = 20.0
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client wants of a webhook. What is ``None`` stays as it is; ``every_organization``: all that the client has."""

    url: str | None = None
    description: str | None = None
    events: tuple[str, ...] | None = None
    organizations: tuple[str, ...] | None = None
    every_organization: bool = False
    signing: tuple[Kind, ...] | None = None
    enabled: bool | None = None
    replay_after: int | None = None


Objection = tuple[str, str]
"""JSON pointer of a field, and the code of what is wrong with it."""


def fields_refused(found: Iterable[Objection], shape: Iterable[Finding] = ()) -> Refused:
    """A refusal of fields, all at once, in the form that documents' findings have. ``shape``: findings about their form."""
    errors = [*(finding.as_error() for finding in shape), *(_as_error(pointer, code) for pointer, code in found)]
    return Refused(422, "webhook_field", extra={"errors": errors, "warnings": []})


def _as_error(pointer: str, code: str) -> dict[str, str]:
    if code == Code.MISSING:
        return Finding.of(pointer, Code.MISSING).as_error()
    texts = field_texts(code) or {}
    return {"pointer": pointer, "code": code, "message": texts.get("en", ""), "message_zh": texts.get("zh", "")}


class Subscriptions:
    """A client's hands on its own webhooks. Every act is audited."""

    def __init__(
        self,
        store: Store,
        desk: Webhooks,
        publisher: Publisher,
        policy: EgressPolicy,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._desk = desk
        self._publisher = publisher
        self._policy = policy
        self._changed = changed

    # ---- reading

    async def all(self, principal: Principal) -> list[dict[str, Any]]:
        """The client's webhooks."""
        return [self._view(row) for row in await self._store.rows("webhooks_of", principal.client)]

    async def read(self, principal: Principal, identifier: str) -> dict[str, Any]:
        """One of them.

        Raises:
            Refused: 404.
        """
        return self._view(await self._own(principal, identifier))

    async def _own(self, principal: Principal, identifier: str) -> Row:
        row = await self._store.row("webhook", identifier)
        if row is None or row["client"] != principal.client:
            raise Refused(404, "not_found")
        return row

    def _view(self, row: Row) -> dict[str, Any]:
        webhook = webhook_of(row)
        address, keys = self._opened(webhook)
        paused = bool(row["paused"]) and webhook.state != "disabled"
        view: dict[str, Any] = {
            "id": webhook.id,
            "url": None if address is None else address.url,
            "description": None if address is None else address.description or None,
            "events": orjson.loads(webhook.events),
            "organizations": None if webhook.organizations is None else orjson.loads(webhook.organizations),
            "signing": orjson.loads(webhook.signing),
            "state": "paused" if paused else webhook.state,
            "reason": row["pause_reason"] if paused else webhook.reason,
            "enabled": webhook.state != "disabled",
            "public_key": self._public_key(keys),
            "rotation_ends_at": None if webhook.old_until is None else written(webhook.old_until),
            "created_at": written(webhook.created_at),
            "links": {"self": f"{self._publisher.public_base}/v1/webhook-endpoints/{webhook.id}"},
        }
        if webhook.last_success_at is not None:
            view["last_success_at"] = written(webhook.last_success_at)
        if webhook.last_failure_at is not None:
            view["last_failure"] = {"at": written(webhook.last_failure_at), "code": webhook.last_failure_code}
        return {key: value for key, value in view.items() if value is not None}

    def _opened(self, webhook: Webhook) -> tuple[Address | None, dict[Kind, str]]:
        """Address and keys; neither where the sealing key is not the one that they were sealed by."""
        try:
            return self._desk.address(webhook), self._desk.keys(webhook)
        except SealBroken:
            return None, {}

    @staticmethod
    def _public_key(keys: dict[Kind, str]) -> str | None:
        return PrivateKey.parse(keys["v1a"]).public.shown if "v1a" in keys else None

    # ---- changing

    async def subscribe(self, principal: Principal, wish: Wish, once: Once | None = None) -> str:
        """A new webhook; its handshake goes out at once. Its id: the answer is ``shown``, this once.

        Raises:
            Refused: 422 with every field, 409 for one too many.
            KeyTaken: ``once`` was asked for before.
        """
        found = [("/url", "missing")] if wish.url is None else []
        found += [("/events", "missing")] if wish.events is None else []
        found += self.objections(principal, wish)
        if found or wish.url is None or wish.events is None:
            raise fields_refused(found)
        identifier = self._store.ids.new("webhook")
        signing: tuple[Kind, ...] = wish.signing or ("v1",)
        keys = self._desk.make_keys(identifier, signing)
        handshake = self._desk.handshake()
        webhook = Webhook(
            id=identifier,
            client=principal.client,
            address_sealed=self._desk.seal_address(identifier, Address(wish.url, wish.description or "")),
            events=_text(wish.events),
            organizations=None if wish.organizations is None else _text(wish.organizations),
            signing=_text(signing),
            keys_sealed=self._desk.seal_keys(identifier, keys),
            old_keys_sealed=None,
            old_until=None,
            version=1,
            state="unverified",
            reason=None,
            mark=None,
            handshake=handshake.delivery,
            probe_at=0,
            waits_until=0,
            failing_since=None,
            last_success_at=None,
            last_failure_at=None,
            last_failure_code=None,
        )
        entry = AuditEntry(principal.client, "webhook.subscribe", identifier)
        key, now = taken_for(once, identifier), self._store.now_ms()
        if not await self._store.run(webhooks.register, webhook, handshake, entry, now, key):
            raise Refused(409, "webhook_limit", extra={"limit": webhooks.MOST})
        self._changed()
        return identifier

    async def shown(self, principal: Principal, identifier: str) -> dict[str, Any]:
        """A webhook with the secret of its keys: for the answers to what made them, alone.

        Raises:
            Refused: 404.
        """
        row = await self._own(principal, identifier)
        return self._view(row) | self._secrets(self._opened(webhook_of(row))[1])

    def _secrets(self, keys: dict[Kind, str]) -> dict[str, Any]:
        """What is shown once of fresh keys."""
        shown: dict[str, Any] = {}
        if "v1" in keys:
            shown["secret"] = keys["v1"]
        if "v1a" in keys:
            shown["public_key"] = self._public_key(keys)
        return shown

    def objections(self, principal: Principal, wish: Wish) -> list[Objection]:
        """What is wrong with the fields of a wish, all at once."""
        found = []
        if wish.url is not None:
            try:
                self._policy.examine(wish.url)
            except EgressRefused as refusal:
                found.append(("/url", refusal.code))
        found += [
            (f"/events/{place}", "event_unknown")
            for place, pattern in enumerate(wish.events or ())
            if not is_filter(pattern)
        ]
        found += [
            (f"/organizations/{place}", "organization_foreign")
            for place, code in enumerate(wish.organizations or ())
            if not principal.acts_for(code)
        ]
        return found

    async def change(self, principal: Principal, identifier: str, wish: Wish) -> dict[str, Any]:
        """Change what the wish names. A new address, and taking up again what was disabled, begin with a handshake.

        Raises:
            Refused: 404, 422 with every field, 409 where a replay is asked of what is disabled.
        """
        if found := self.objections(principal, wish):
            raise fields_refused(found)
        fresh: dict[Kind, str] = {}

        def decide(webhook: Webhook, position: int) -> Change:
            fresh.clear()
            return self._changed_by(wish, webhook, position, fresh)

        await self._change(principal, identifier, "webhook.change", decide)
        return await self.read(principal, identifier) | self._secrets(fresh)

    async def _change(
        self,
        principal: Principal,
        identifier: str,
        act: str,
        decide: Callable[[Webhook, int], Change],
        once: Once | None = None,
    ) -> Webhook:
        entry, key = AuditEntry(principal.client, act, identifier), taken_for(once, identifier)
        changed = await self._store.run(
            webhooks.change, identifier, principal.client, decide, entry, self._store.now_ms(), key
        )
        if changed is None:
            raise Refused(404, "not_found")
        self._changed()
        return changed

    def _changed_by(self, wish: Wish, before: Webhook, position: int, fresh: dict[Kind, str]) -> Change:
        webhook = self._with_fields(wish, before, fresh)
        moved = wish.url is not None and wish.url != self._desk.address(before).url
        if wish.replay_after is not None and wish.replay_after > position:
            raise fields_refused([("/replay_after", "cursor_unknown")])
        if wish.enabled is False and before.state != "disabled":
            return health.disabled(webhook, "operator", self._store.ids)
        again = moved or (wish.enabled is True and before.state == "failed")
        if before.state == "disabled":
            if not wish.enabled:
                if wish.replay_after is not None:
                    raise Refused(409, "webhook_disabled")
                return Change(webhook)
            again = True
        if again:
            return self._shaken(webhook, wish.replay_after, position)
        if wish.replay_after is not None:
            webhook = replace(webhook, mark=wish.replay_after)
        return Change(webhook)

    def _with_fields(self, wish: Wish, webhook: Webhook, fresh: dict[Kind, str]) -> Webhook:
        address = self._desk.address(webhook)
        wanted = Address(
            address.url if wish.url is None else wish.url,
            address.description if wish.description is None else wish.description,
        )
        changed = replace(webhook, address_sealed=self._desk.seal_address(webhook.id, wanted))
        if wish.events is not None:
            changed = replace(changed, events=_text(wish.events))
        if wish.organizations is not None or wish.every_organization:
            listed = None if wish.organizations is None else _text(wish.organizations)
            changed = replace(changed, organizations=listed)
        if wish.signing is not None:
            held = self._desk.keys(webhook)
            fresh |= self._desk.make_keys(webhook.id, [kind for kind in wish.signing if kind not in held])
            kept = {kind: (held | fresh)[kind] for kind in KINDS if kind in wish.signing}
            changed = replace(changed, signing=_text(wish.signing), keys_sealed=self._desk.seal_keys(webhook.id, kept))
        return replace(changed, version=changed.version + 1)

    def _shaken(self, webhook: Webhook, mark: int | None, position: int) -> Change:
        """The handshake anew. What is owed waits for it, events from now on wait by cursor."""
        handshake = self._desk.handshake()
        if mark is None:
            mark = position if webhook.mark is None else webhook.mark
        waiting = replace(
            webhook,
            version=webhook.version + 1,
            state="unverified",
            reason=None,
            mark=mark,
            handshake=handshake.delivery,
            waits_until=0,
            failing_since=None,
        )
        return Change(waiting, slots=0, resumes=True, handshake=handshake)

    async def leave(self, principal: Principal, identifier: str) -> None:
        """Forget a webhook and its keys.

        Raises:
            Refused: 404.
        """
        entry = AuditEntry(principal.client, "webhook.leave", identifier)
        now = self._store.now_ms()
        if not await self._store.run(webhooks.remove, identifier, principal.client, entry, now):
            raise Refused(404, "not_found")

    async def rotate(
        self,
        principal: Principal,
        identifier: str,
        overlap_hours: int,
        *,
        compromised: bool,
        once: Once | None = None,
    ) -> str:
        """New keys; the old ones sign along until the overlap ends, then they are destroyed. The answer is ``shown``, once.

        Raises:
            Refused: 404, 409 inside an overlap, 422 for an overlap that is neither 24 to 48 hours nor, of compromised keys, 0.
            KeyTaken: ``once`` was asked for before.
        """
        if not (24 <= overlap_hours <= 48 or (overlap_hours == 0 and compromised)):
            raise fields_refused([("/overlap_hours", "range")])

        def decide(webhook: Webhook, _: int) -> Change:
            now = self._store.now_ms()
            if webhook.old_until is not None and webhook.old_until > now:
                raise Refused(409, "rotation_open")
            fresh = self._desk.make_keys(identifier, orjson.loads(webhook.signing))
            rotated = replace(
                webhook,
                version=webhook.version + 1,
                keys_sealed=self._desk.seal_keys(identifier, fresh),
                old_keys_sealed=None,
                old_until=None,
            )
            if overlap_hours:
                held = self._desk.seal_keys(identifier, self._desk.keys(webhook), old=True)
                rotated = replace(rotated, old_keys_sealed=held, old_until=now + overlap_hours * 3_600_000)
            news = health.news("secret_rotated", webhook, "operator", self._store.ids)
            return Change(rotated, resumes=True, news=news)

        await self._change(principal, identifier, "webhook.rotate", decide, once)
        return identifier

    # ---- testing

    async def test(self, principal: Principal, identifier: str) -> dict[str, Any]:
        """Send ``endpoint.test`` and tell how it went: ``{status, duration_ms, code}``. An address that is not verified gets
        its handshake again.

        Raises:
            Refused: 404, 409 for one that is disabled.
        """
        webhook = webhook_of(await self._own(principal, identifier))
        if webhook.state == "disabled":
            raise Refused(409, "webhook_disabled")
        if webhook.state in ("unverified", "failed"):
            shaken = await self._change(
                principal, identifier, "webhook.test", lambda found, position: self._shaken(found, None, position)
            )
            return await self._handshake_went(identifier, shaken.handshake)
        return await self._probe(principal, webhook)

    async def _handshake_went(self, identifier: str, delivery: str) -> dict[str, Any]:
        started = time.monotonic()
        while time.monotonic() - started < _ANSWER_S:
            rows = await self._store.rows("attempts_of", delivery)
            if rows:
                row = rows[0]
                sealed = row["steps_sealed"]
                place = of_steps(delivery, row["number"])
                steps = [] if sealed is None else unpack_steps(self._store.unseal(sealed, place))
                status = steps[-1]["status"] if steps else None
                return _result(status if isinstance(status, int) else None, row["duration_ms"], row["code"])
            standing = await self._store.row("webhook", identifier)
            if standing is None or standing["paused"]:
                break
            await asyncio.sleep(_LOOK_S)
        return _result(None, round(1000 * (time.monotonic() - started)), "not_tried")

    async def _probe(self, principal: Principal, webhook: Webhook) -> dict[str, Any]:
        started = time.monotonic()
        exchange: HttpExchange | None = None
        code: str | None = None
        gone = False
        wait_ms = 0
        try:
            line = self._desk.line_of(webhook)
            exchange = line.exchange(self._store.now_ms, line.limits.deadline_s)
            await line.endpoint.adapter.probe(exchange)
        except EndpointWaits:
            return _result(None, 0, "endpoint_waits")
        except AdapterError as error:
            code, gone = error.code, isinstance(error, EndpointGone)
            if isinstance(error, RetryableError) and error.retry_after is not None:
                wait_ms = round(1000 * error.retry_after.total_seconds())
        status = exchange.steps[-1].status if exchange is not None and exchange.steps else None

        def decide(found: Webhook, _: int) -> Change:
            return health.tested(found, code, gone, wait_ms, self._store.now_ms(), self._store.ids)

        await self._change(principal, webhook.id, "webhook.test", decide)
        return _result(status, round(1000 * (time.monotonic() - started)), code)


def _text(values: tuple[str, ...]) -> str:
    """Each value once."""
    return orjson.dumps(list(dict.fromkeys(values))).decode()


def _result(status: int | None, duration_ms: int, code: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {"status": status, "duration_ms": duration_ms, "code": code}
    return {key: value for key, value in found.items() if value is not None}
