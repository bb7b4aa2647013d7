"""Reconciliations (对账) as people ask for them: a period at a platform, and mending what was found; each act is audited."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import orjson

from contracts.chinese_calendar import BEIJING, end_of_day
from contracts.moments import to_ms
from gateway.flow.delivering.exchange import Limits
from gateway.flow.moving.acts import ActRefused
from gateway.flow.moving.envelope import compact
from gateway.flow.moving.once import Once, taken_for
from gateway.flow.moving.order import Principal
from gateway.flow.reconciling.comparing import Kind, Method, method_of
from gateway.registry import Endpoint
from gateway.store import reconciliations
from gateway.store.journal import AuditEntry
from gateway.store.store import Store

LONGEST: Final = timedelta(days=100)
"""The longest period of one reconciliation."""

MOST: Final = 10_000
"""The most differences that one reconciliation keeps; it ends there."""

NOT_COMPARABLE: Final = "not_comparable"
"""The code of one whose platform offers neither list nor question (无法对账)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The row of a reconciliation that is made: milliseconds since 1970, ``day`` of the daily job's own alone."""

    endpoint: str
    method: Method
    since: int
    until: int
    actor: str
    day: str | None = None

    def row(self, identifier: str) -> tuple[object, ...]:
        """For the store. One that nothing can be compared by is over at once."""
        over = self.method is Method.NOTHING
        return (
            identifier,
            self.endpoint,
            self.day,
            self.method,
            self.since,
            self.until,
            self.actor,
            "done" if over else "running",
            "done" if over else self.method.phases[0],
            None,
            NOT_COMPARABLE if over else None,
        )


class Reconciliations:
    """Makes reconciliations and orders their mending; the work is ``reconcile.Reconciler``'s."""

    def __init__(
        self, store: Store, endpoints: dict[str, Endpoint], changed: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._endpoints = endpoints
        self._changed = changed

    def method(self, endpoint: str) -> Method | None:
        """How an endpoint's platform can be compared with; ``None``: no such endpoint."""
        found = self._endpoints.get(endpoint)
        return None if found is None else method_of(found.adapter)

    async def ask(self, principal: Principal, endpoint: str, since: int, until: int, once: Once | None = None) -> str:
        """Compare a period (ms), as far as it is settled; returns the reconciliation's id.

        Raises:
            ActRefused: ``not_found``: no such endpoint; ``period``: empty, too long, or not begun.
            KeyTaken: ``once`` was asked for before.
        """
        found = self._endpoints.get(endpoint)
        if found is None:
            raise ActRefused("reconciliation.not_found")
        method = method_of(found.adapter)
        now = self._store.now_ms()
        until = min(until, now - settling_ms(found))
        if not 0 <= since < until or until - since > LONGEST.total_seconds() * 1000:
            raise ActRefused("reconciliation.period")
        identifier = self._store.ids.new("reconciliation")
        asked = Asked(endpoint, method, since, until, principal.client)
        facts = compact({"endpoint": endpoint, "since": since, "until": until})
        entry = AuditEntry(principal.client, "reconciliation.ask", identifier, None, facts)
        await self._store.run(reconciliations.ask, asked.row(identifier), entry, now, taken_for(once, identifier))
        self._changed()
        return identifier

    async def heal(
        self,
        principal: Principal,
        identifier: str,
        reason: str,
        kinds: Iterable[str] = tuple(Kind),
        *,
        once: Once | None = None,
    ) -> None:
        """Have what was found mended: the missing filed again, the undecided settled, the differing heard, the foreign put
        before a person. ``kinds``: of these kinds alone.

        Raises:
            ActRefused: ``not_found``, ``kinds``, ``state``: it still runs, or is being mended.
            KeyTaken: ``once`` was asked for before.
        """
        wanted = sorted(set(kinds))
        if not wanted or not set(wanted) <= set(Kind):
            raise ActRefused("reconciliation.kinds")
        if await self._store.row("reconciliation", identifier) is None:
            raise ActRefused("reconciliation.not_found")
        facts = compact({"kinds": wanted})
        entry = AuditEntry(principal.client, "reconciliation.heal", identifier, reason, facts)
        row = (identifier, principal.client, reason, orjson.dumps(wanted).decode())
        key, now = taken_for(once, identifier), self._store.now_ms()
        if not await self._store.run(reconciliations.heal, row, entry, now, key):
            raise ActRefused("reconciliation.state")
        self._changed()


def settling_ms(endpoint: Endpoint) -> int:
    """So long after the fact neither side may know of it yet: the platform's index lags, a word waits for the next poll."""
    info = endpoint.adapter.info
    limits = Limits.of(info, endpoint.adapter.settings)
    return round(1000 * max(limits.lookup_lag_s, limits.poll_every_s[1] if info.polls else 0.0))


def moment(text: str, *, end: bool = False) -> int:
    """A day in Beijing (its beginning, or with ``end`` its end) or an RFC 3339 time, as milliseconds.

    Raises:
        ActRefused: ``period``: neither.
    """
    try:
        if len(text) == 10:
            day = date.fromisoformat(text)
            found = end_of_day(day) if end else datetime(day.year, day.month, day.day, tzinfo=BEIJING)
        else:
            found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            raise ActRefused("reconciliation.period")
        return to_ms(found.astimezone(UTC))
    except (ValueError, OverflowError):
        raise ActRefused("reconciliation.period") from None
