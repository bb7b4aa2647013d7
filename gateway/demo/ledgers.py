"""The four ledgers that the verdict compares: the client's, the gateway's store, each platform's journal and its records."""

from __future__ import annotations

import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from contracts.moments import to_ms
from gateway.demo.client_log import Acknowledged
from gateway.demo.platforms import Platform
from gateway.flow.house import House
from gateway.flow.moving.envelope import INTERNAL
from gateway.store.engine import Sqlite

T = TypeVar("T")


@dataclass(slots=True)
class ClientLedger:
    """What the upstream systems know: their acknowledgements, the events that each organisation read (cursor, event id, case,
    sequence) in the order of its feed, and the cases that stopped short."""

    acknowledged: list[Acknowledged] = field(default_factory=list)
    feeds: Mapping[str, Iterable[tuple[str, str, str, str]]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the store."""

    id: str
    subject: str
    sequence: int
    type: str
    about: str
    version: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery of the store. ``overtakes``: it may go before older ones of its case. ``requires``: it had to wait until
    that one was delivered. ``tried_at`` is when its first attempt began, ``finished_at`` when it came to its state (both ms
    since 1970), ``code`` why."""

    id: str
    message: str
    type: str
    about: str
    endpoint: str
    subject: str
    sequence: int
    state: str
    operation: str | None = None
    overtakes: bool = False
    requires: str | None = None
    tried_at: int | None = None
    finished_at: int | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Matter:
    """A thing with a status: ``facet`` is a confirmation's route, a transfer's ``to``."""

    id: str
    kind: str
    status: str
    facet: str | None = None


@dataclass(slots=True)
class GatewayLedger:
    """What the gateway holds.

    ``callbacks``: state by (endpoint, platform's event number). ``events``: ids of the published ones by organisation.
    ``rejected``: deliveries whose rejection stands before a person, ``kept``: (endpoint, event number) of calls about nothing
    of ours that do. ``filings``: names of the services by which an endpoint is
    filed to; everything else that its platform took was preparing (uploads, bindings).
    """

    messages: list[Message] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    matters: dict[str, Matter] = field(default_factory=dict)
    events: dict[str, list[str]] = field(default_factory=dict)
    callbacks: dict[tuple[str, str], str] = field(default_factory=dict)
    rejected: frozenset[str] = frozenset()
    kept: frozenset[tuple[str, str]] = frozenset()
    filings: dict[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a platform's journal. ``at`` is when it was written (ms since 1970)."""

    seq: int
    kind: str
    business_key: str
    message_id: str
    effect: str
    ref: str = ""
    at: int | None = None


@dataclass(slots=True)
class PlatformLedger:
    """What one platform holds: its journal, oldest first, and its own records."""

    name: str
    journal: list[Entry] = field(default_factory=list)
    records: list[Mapping[str, Any]] = field(default_factory=list)


async def asked(house: House, work: Callable[[sqlite3.Connection], T]) -> T:
    """Run a reading function on the store's one connection.

    Raises:
        TypeError: the store is no SQLite one.
    """
    runner = house.store.runner
    if not isinstance(runner, Sqlite):
        raise TypeError("the demonstration keeps its store in SQLite")
    return await runner.script(work)


async def gateway_ledger(house: House) -> GatewayLedger:
    """Read the store."""
    ledger = await asked(house, _read)
    operations: dict[str, set[str]] = {
        name: {capability.operation for capability in endpoint.adapter.info.capabilities}
        for name, endpoint in house.endpoints.items()
    }
    for delivery in ledger.deliveries:
        if delivery.operation is not None:
            operations.setdefault(delivery.endpoint, set()).add(delivery.operation)
    ledger.filings = {name: frozenset(found) for name, found in operations.items()}
    return ledger


def _read(connection: sqlite3.Connection) -> GatewayLedger:
    ledger = GatewayLedger()
    ask = connection.execute
    ledger.messages = [
        Message(*row)
        for row in ask("SELECT id, subject, sequence, type, about, version FROM messages ORDER BY subject, sequence")
    ]
    ledger.deliveries = [
        Delivery(*row)
        for row in ask(
            "SELECT d.id, d.message, d.type, d.about, d.endpoint, d.subject, d.sequence, d.state, d.operation, d.first,"
            " d.requires, (SELECT min(a.ended_at - a.duration_ms) FROM attempts a WHERE a.delivery = d.id), d.finished_at,"
            " d.code FROM deliveries d ORDER BY d.id"
        )
    ]
    ledger.matters = {row[0]: Matter(*row) for row in ask("SELECT id, kind, status, facet FROM matters")}
    for organization, identifier, kind in ask("SELECT organization, id, type FROM events ORDER BY position"):
        if kind not in INTERNAL:
            ledger.events.setdefault(organization, []).append(identifier)
    ledger.callbacks = {(row[0], row[1]): row[2] for row in ask("SELECT endpoint, event_id, state FROM callbacks")}
    ledger.rejected = frozenset(row[0] for row in ask("SELECT about FROM tasks WHERE kind = 'rejected'"))
    ledger.kept = frozenset(
        (row[0], row[1])
        for row in ask(
            "SELECT c.endpoint, c.event_id FROM callbacks c JOIN tasks t ON t.about = c.id AND t.kind = 'orphan_callback'"
        )
    )
    return ledger


async def platform_ledger(platform: Platform) -> PlatformLedger:
    """Read a platform's journal and records over HTTP."""
    journal = [_entry(line) async for line in platform.journal()]
    return PlatformLedger(platform.name, journal, list(await platform.records()))


def _entry(line: Mapping[str, Any]) -> Entry:
    kind, effect = sys.intern(line["kind"]), sys.intern(line["effect"])
    at = to_ms(datetime.fromisoformat(line["at"]))
    return Entry(line["seq"], kind, line["business_key"], line["message_id"], effect, line["ref"], at)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where things stand, in numbers: deliveries by endpoint and state, confirmations by route and status; ``open`` counts
    what is still under way."""

    cases: int
    messages: int
    deliveries: dict[str, dict[str, int]]
    confirmations: dict[str, dict[str, int]]
    open: int


_UNDER_WAY = frozenset({"pending", "relayed", "in_doubt"})


async def standing(house: House) -> Standing:
    """Count the store."""
    return await asked(house, _count)


def _count(connection: sqlite3.Connection) -> Standing:
    def one(question: str) -> int:
        return int(connection.execute(question).fetchone()[0])

    def table(question: str) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for first, second, many in connection.execute(question):
            found.setdefault(first, {})[second] = many
        return found

    deliveries = table("SELECT endpoint, state, count(*) FROM deliveries GROUP BY 1, 2 ORDER BY 1, 2")
    under_way = Counter[str]()
    for states in deliveries.values():
        under_way.update(states)
    left = sum(under_way[state] for state in _UNDER_WAY)
    # An orphan that stands before a person is due in a year.
    left += one("SELECT count(*) FROM callbacks WHERE state IN ('stored', 'orphan') AND due_at < now_ms() + 86400000")
    left += one("SELECT count(*) FROM events WHERE position IS NULL")
    left += one("SELECT count(*) FROM papers WHERE state = 'pending'")
    return Standing(
        cases=one("SELECT count(*) FROM matters WHERE kind = 'case'"),
        messages=one("SELECT count(*) FROM messages"),
        deliveries=deliveries,
        confirmations=table(
            "SELECT facet, status, count(*) FROM matters WHERE kind = 'confirmation' GROUP BY 1, 2 ORDER BY 1, 2"
        ),
        open=left,
    )
