"""What is under way and what each thing waits for (卡点): patience follows the work, and a run that is given up says why."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.demo.client_log import ClientLog
from gateway.demo.ledgers import asked
from gateway.flow.house import House

LONGER_WHERE_PLANNED: Final = 4
"""How many times the patience something may wait for its own next try while nothing else happens."""

_FOR: Final = {"relayed": "the platform's word", "in_doubt": "a person, or the platform's word"}

_BEFORE_A_PERSON_MS: Final = 86_400_000
"""What is due later than that is due when a person says so."""


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing that has not ended. ``planned_ms``: how long until its next try, below 0 where that is overdue; ``None``: it
    has none of its own, and ``what`` says for whom it waits."""

    place: str
    id: str
    what: str
    planned_ms: int | None = None

    def __str__(self) -> str:
        when = "" if self.planned_ms is None else f", next try in {self.planned_ms / 1000:.1f} s"
        return f"{self.place} {self.id}: {self.what}{when}"


def is_over(idle_s: float, patience_s: float, waits: Sequence[Wait]) -> bool:
    """Whether a run in which nothing has happened for so long is given up: soon where nothing is planned any more, later where
    something will be tried again."""
    planned = any(wait.planned_ms is not None for wait in waits)
    return idle_s > patience_s * (LONGER_WHERE_PLANNED if planned else 1)


async def waits(house: House) -> list[Wait]:
    """Everything of the store that has not ended."""
    return await asked(house, read)


def of_cases(client_log: ClientLog) -> list[Wait]:
    """The cases that are not over: what was acknowledged of each last."""
    return [
        Wait("client", f"case {number}", f"not over, the last acknowledged is {list(kept.acknowledged)[-1:]}")
        for number, kept in sorted(client_log.living.items())
    ]


def read(connection: sqlite3.Connection) -> list[Wait]:
    """The same, from the store's own connection."""
    ask = connection.execute
    found = []
    for endpoint, identifier, kind, state, tries, code, due_in, held, paused in ask(
        "SELECT d.endpoint, d.id, d.type, d.state, coalesce(l.tries, d.attempts), d.code,"
        " max(l.due_at, e.quiet_until) - now_ms(), l.token IS NOT NULL, e.paused"
        " FROM deliveries d JOIN endpoints e ON e.name = d.endpoint LEFT JOIN lanes l ON l.head = d.id"
        " WHERE d.state IN ('pending', 'relayed', 'in_doubt') ORDER BY d.endpoint, d.id"
    ):
        what = f"{kind} is {state} after {tries} tries, {code or 'no error'}"
        if paused:
            what, due_in = f"{what}, the endpoint is paused", None
        elif held:
            what = f"{what}, on its way"
        elif due_in is None:
            what = f"{what}, it waits for {_FOR.get(state, 'another delivery')}"
        found.append(Wait(endpoint, identifier, what, due_in))
    for endpoint, event, state, tries, code, due_in in ask(
        "SELECT endpoint, event_id, state, tries, code, due_at - now_ms() FROM callbacks"
        " WHERE state IN ('stored', 'orphan') ORDER BY endpoint, id"
    ):
        what = f"a word is {state} after {tries} looks, {code or 'no error'}"
        rests = due_in > _BEFORE_A_PERSON_MS
        found.append(Wait(endpoint, event, f"{what}, before a person" if rests else what, None if rests else due_in))
    for endpoint, identifier, tries, code, due_in in ask(
        "SELECT endpoint, id, tries, code, due_at - now_ms() FROM papers WHERE state = 'pending' ORDER BY endpoint, id"
    ):
        found.append(
            Wait(endpoint, identifier, f"a paper is pending after {tries} tries, {code or 'no error'}", due_in)
        )
    for (many,) in ask("SELECT count(*) FROM events WHERE position IS NULL HAVING count(*) > 0"):
        found.append(Wait("gateway", "events", f"{many} have no cursor yet", 0))
    return found
