"""Webhook endpoints (订阅端点): the rows of the clients' subscriptions, what an event owes them, and every change of theirs.

A webhook endpoint is an endpoint like any other: its id is its name among the ``endpoints``, its lanes hold its deliveries.
While it is not verified, or not healthy, it has no slots: nothing is claimed for it but one probe at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from contracts.events import EVENT_TYPES, matches
from gateway.store.engine import Operation, Row
from gateway.store.ids import Ids, kind_of
from gateway.store.journal import AuditEntry, EventRow, append_audit, event_of, lock_log, numbered, numbered_quietly
from gateway.store.once import take_key
from gateway.store.unit import Key, NewEvent

SLOTS: Final = 4
"""Requests at once to one webhook endpoint (``platforms/webhook.md`` §1)."""

MOST: Final = 10
"""Webhook endpoints of one client (§5)."""

CLASSES: Final = frozenset({"notify", "handshake"})
"""The retry classes of what is owed to webhooks."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A subscription as it stands. ``state``: unverified, failed, verified, unhealthy, disabled.

    ``mark``: the cursor up to which its deliveries are made; ``None`` where it keeps up with the log. ``version`` counts what
    changes its address, keys or handshake. ``handshake`` is the delivery that proves the address. Times in ms since 1970.
    """

    id: str
    client: str
    address_sealed: bytes
    events: str
    organizations: str | None
    signing: str
    keys_sealed: bytes
    old_keys_sealed: bytes | None
    old_until: int | None
    version: int
    state: str
    reason: str | None
    mark: int | None
    handshake: str
    probe_at: int
    waits_until: int
    failing_since: int | None
    last_success_at: int | None
    last_failure_at: int | None
    last_failure_code: str | None
    created_at: int = 0


@dataclass(frozen=True, slots=True)
class Handshake:
    """A delivery of ``endpoint.verification`` and the id of its event."""

    delivery: str
    event: str


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a webhook. ``slots``: 0 holds its queue, more lets it flow. ``cancels``: nothing that is open is sent any
    more. ``wakes``: what waited for another try is due now. ``resumes``: a pause that the gateway made is over."""

    webhook: Webhook
    slots: int | None = None
    cancels: bool = False
    wakes: bool = False
    resumes: bool = False
    handshake: Handshake | None = None
    news: NewEvent | None = None


def is_webhook(endpoint: str) -> bool:
    """Whether an endpoint's name is a webhook's."""
    return kind_of(endpoint) == "webhook"


def owner_of(client: str) -> str:
    """In whose name events about a client's webhooks are kept (beside the organisations, which own all others)."""
    return f"client:{client}"


def webhook_of(row: Row) -> Webhook:
    """A webhook from its row."""
    return Webhook(
        row["id"],
        row["client"],
        row["address_sealed"],
        row["events"],
        row["organizations"],
        row["signing"],
        row["keys_sealed"],
        None if row["old_keys_sealed"] is None else bytes(row["old_keys_sealed"]),
        row["old_until"],
        row["version"],
        row["state"],
        row["reason"],
        row["mark"],
        row["handshake"],
        row["probe_at"],
        row["waits_until"],
        row["failing_since"],
        row["last_success_at"],
        row["last_failure_at"],
        row["last_failure_code"],
        row["created_at"],
    )


def _mutable(webhook: Webhook) -> tuple[object, ...]:
    return (
        webhook.id,
        webhook.address_sealed,
        webhook.events,
        webhook.organizations,
        webhook.signing,
        webhook.keys_sealed,
        webhook.old_keys_sealed,
        webhook.old_until,
        webhook.version,
        webhook.state,
        webhook.reason,
        webhook.mark,
        webhook.handshake,
        webhook.probe_at,
        webhook.waits_until,
        webhook.failing_since,
        webhook.last_success_at,
        webhook.last_failure_at,
        webhook.last_failure_code,
    )


# ------------------------------------------------------------------------------------------------- what a client changes


def register(
    webhook: Webhook, handshake: Handshake, entry: AuditEntry, at: int, key: Key | None = None
) -> Operation[bool]:
    """A new subscription and its handshake; ``False``: its client has the most already. Events from now on wait by cursor."""
    yield "lock_audit", [()]  # one registration at a time: the count holds
    if len((yield "webhooks_of", [(webhook.client,)])) >= MOST:
        return False
    yield from take_key(key)
    position = (yield "log_position", [()])[0]["position"]
    yield "open_subject", [(webhook.id, "webhook", 0)]
    yield "add_webhook", [(webhook.client, *_mutable(replace(webhook, mark=position)))]
    yield "set_endpoint", [(webhook.id, "webhook", 0)]
    yield from _owe_handshake(webhook, handshake)
    yield from append_audit([entry], at)
    yield "notify_due", [()]
    return True


def change(
    identifier: str,
    client: str,
    decide: Callable[[Webhook, int], Change],
    entry: AuditEntry,
    at: int,
    key: Key | None = None,
) -> Operation[Webhook | None]:
    """Change a client's webhook by a pure decision from its row and the log's position; ``None``: it has no such webhook.

    What the decision raises ends the transaction.
    """
    subjects = yield "lock_subject", [(identifier,)]
    rows = yield "lock_webhook", [(identifier,)]
    if not rows or rows[0]["client"] != client:
        return None
    yield from take_key(key)
    position = (yield "log_position", [()])[0]["position"]
    decided = decide(webhook_of(rows[0]), position)
    yield from write(decided, subjects[0]["sequence"])
    yield from append_audit([entry], at)
    yield "notify_due", [()]
    return decided.webhook


def remove(identifier: str, client: str, entry: AuditEntry, at: int) -> Operation[bool]:
    """Forget a client's webhook with its keys; what is open is cancelled, what is on its way ends by itself."""
    rows = yield "lock_webhook", [(identifier,)]
    if not rows or rows[0]["client"] != client:
        return False
    yield "cancel_owed", [(identifier,)]
    yield "clear_idle_lanes", [(identifier,)]
    yield "drop_webhook", [(identifier,)]
    yield "drop_endpoint", [(identifier,)]
    yield from append_audit([entry], at)
    return True


def write(decided: Change, sequence: int) -> Operation[int]:
    """Write a change; its subject (the webhook's own) is locked and stands at ``sequence``. Returns the new sequence."""
    webhook = decided.webhook
    yield "put_webhook", [_mutable(webhook)]
    if decided.slots is not None:
        yield "set_flow", [(webhook.id, decided.slots, webhook.waits_until)]
    if decided.resumes:
        yield "resume_from_gateway", [(webhook.id,)]
    if decided.cancels:
        yield "cancel_owed", [(webhook.id,)]
        yield "clear_idle_lanes", [(webhook.id,)]
    if decided.handshake is not None:
        yield from _owe_handshake(webhook, decided.handshake)
    if decided.wakes:
        yield "wake_owed", [(webhook.id,)]
        yield "wake_lanes", [(webhook.id,)]
    if decided.news is not None:
        news = decided.news
        sequence += 1
        yield (
            "add_event",
            [(webhook.id, sequence, news.id, news.type, news.about, owner_of(webhook.client), news.data)],
        )
        yield "move_subject", [(webhook.id, sequence)]
    return sequence


def _owe_handshake(webhook: Webhook, handshake: Handshake) -> Operation[None]:
    """The newest handshake alone counts: earlier ones that are not on their way are cancelled."""
    yield "cancel_handshakes", [(webhook.id,)]
    yield (
        "add_delivery",
        [
            (
                handshake.delivery,
                handshake.event,
                "endpoint.verification",
                webhook.id,
                webhook.id,
                webhook.id,
                webhook.version,
                1,
                "handshake",
                None,
                None,
            )
        ],
    )
    yield "rehead", [(webhook.id, webhook.id)]


def lock(names: set[str]) -> Operation[dict[str, tuple[Webhook, int]]]:
    """The webhooks of these names, locked, each with the engine's time. Taken before any lane is locked."""
    rows = yield "lock_webhook", [(name,) for name in sorted(names)]
    return {row["id"]: (webhook_of(row), row["now"]) for row in rows}


# ------------------------------------------------------------------------------------------------- what an event owes


@dataclass(frozen=True, slots=True)
class Listener:
    """A webhook that is sent events: its filters, and the organisations whose events it may see."""

    id: str
    client: str
    filters: frozenset[str]
    organizations: frozenset[str]
    listed: frozenset[str] | None
    mark: int | None

    def wants(self, event: EventRow) -> bool:
        """Whether the event is published, its client's to see, and within its filters.

        News about a client's webhooks go to its other ones, whatever their filters."""
        if event.type not in EVENT_TYPES:
            return False
        owner = event.organization
        if owner.startswith(owner_of("")):
            return owner == owner_of(self.client) and event.about != self.id
        if "*" not in self.organizations and owner not in self.organizations:
            return False
        return (self.listed is None or owner in self.listed) and matches(self.filters, event.type)


@dataclass(frozen=True, slots=True)
class Relayed:
    """What one turn did: events numbered, deliveries owed; ``behind``: a webhook has more to catch up with."""

    numbered: int
    owed: int = 0
    behind: bool = False


def relay(limit: int, ids: Ids) -> Operation[Relayed]:
    """Number what is new and make one delivery for each webhook that wants it, in one transaction; bring those that are behind
    (just verified, or replaying) up by at most ``limit`` events."""
    top = yield from lock_log()
    listeners = yield from _listeners()  # whoever comes later has a mark at this position or before it
    fresh: list[EventRow] = []
    if any(listener.mark is None for listener in listeners):
        fresh = yield from numbered(top, limit)
        many = len(fresh)
    else:
        many = yield from numbered_quietly(top, limit)
    owed: list[tuple[object, ...]] = []
    marks: list[tuple[object, ...]] = []
    behind = False
    for listener in listeners:
        events = fresh
        if listener.mark is not None:
            rows = yield "events_after", [(listener.mark, limit)]
            events = [event_of(row) for row in rows]
            caught_up = len(events) < limit
            behind = behind or not caught_up
            marks.append((listener.id, None if caught_up else events[-1].position))
        owed += [_owed(listener, event, ids) for event in events if listener.wants(event)]
    if marks:
        yield "set_webhook_mark", marks
    if owed:
        touched = yield "owe_event", owed
        yield "rehead", sorted({(row["endpoint"], row["subject"]) for row in touched})
        yield "notify_due", [()]
    return Relayed(many, len(owed), behind)


def _listeners() -> Operation[list[Listener]]:
    rows = yield "listening", [()]
    if not rows:
        return []
    organizations: dict[str, frozenset[str]] = {}
    for row in (yield "client_organizations", [()]):
        held = organizations.get(row["client"], frozenset())
        organizations[row["client"]] = held | frozenset(json.loads(row["organizations"]))
    return [
        Listener(
            row["id"],
            row["client"],
            frozenset(json.loads(row["events"])),
            organizations.get(row["client"], frozenset()),
            None if row["organizations"] is None else frozenset(json.loads(row["organizations"])),
            row["mark"],
        )
        for row in rows
    ]


def _owed(listener: Listener, event: EventRow, ids: Ids) -> tuple[object, ...]:
    return (ids.new("delivery"), event.id, event.type, event.about, listener.id, event.subject, event.sequence)


# ------------------------------------------------------------------------------------------------- an operator's hand


def move_owed(delivery: str, allowed: frozenset[str], after: str) -> Operation[str | None]:
    """Redrive or cancel one delivery of a webhook; it makes no event. Returns why not (``state``, ``in_flight``), else
    ``None``."""
    found = yield "delivery", [(delivery,)]
    row = found[0]
    lane = (row["endpoint"], row["subject"])
    locked = yield "lock_lane", [lane]
    if any(held["in_flight"] and held["head"] == delivery for held in locked):
        return "in_flight"
    if row["state"] not in allowed:
        return "state"
    yield "note_crash", [lane]
    moved = yield "move_delivery", [(delivery, row["state"], after, None, None, None, 0, True)]
    if not moved:
        return "state"
    yield "clear_lane", [lane]
    yield "rehead", [lane]
    return None
