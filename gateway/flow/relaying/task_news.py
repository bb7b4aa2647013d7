"""Says of every task when it was opened and when it was resolved (``task.opened``, ``task.resolved``), in its case's order.

Tasks are opened in many transactions, some of which may not lock the case any more. So each is told by a transaction of its own
that marks it as told: once, and soon after.
"""

from __future__ import annotations

from typing import Any, Final

from contracts.moments import written
from gateway.flow.moving.envelope import compact
from gateway.store.engine import Row
from gateway.store.store import Store
from gateway.store.unit import Committed, NewEvent, Unit

_BATCH: Final = 100
_UNSAID: Final = frozenset({"possible_duplicate"})
"""Tasks that owners of cases hear nothing of: another organisation's case stands behind them."""


class TaskNews:
    """The loop's turn."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def turn(self) -> int:
        """Tell what is new of tasks, one word of each; returns how many words were told."""
        rows = await self._store.rows("untold_tasks", _BATCH)
        return sum([await self._tell(row) for row in rows])

    async def _tell(self, row: Row) -> bool:
        word = "opened" if row["told"] == "" else "resolved"
        state = "open" if word == "opened" else "resolved"
        unit = await self._unit(row)
        # Whoever tells the same word beside this process has told it.
        unit.applied.append(("", f"{row['id']}:{state}"))
        unit.events.append(
            NewEvent(self._store.ids.new("event"), f"task.{word}", row["id"], compact(_facts(row, word)))
        )
        unit.told_tasks.append((row["id"], state))
        return isinstance(await self._store.commit(unit), Committed)

    async def _unit(self, row: Row) -> Unit:
        """In the file of its case (or referral), or in one of its own where it has none that its owner may hear of."""
        kept = row["kind"] in _UNSAID
        file = None if kept else await self._store.load(row["subject"])
        if file is not None:
            organization = row["organization"] or file.organization
            return Unit(file.subject, organization, file.sequence, subject_kind=file.kind)
        own = await self._store.load(row["id"])
        expected = None if own is None else own.sequence
        return Unit(row["id"], "" if kept else row["organization"], expected, subject_kind="task")


def _facts(row: Row, word: str) -> dict[str, Any]:
    about: str = row["about"]
    closed_at = None if word == "opened" else row["resolved_at"]
    return {
        "task": row["id"],
        "kind": row["kind"],
        "delivery": about if about.startswith("dlv_") else None,
        "confirmation": about if about.startswith("cnf_") else None,
        "due_at": None if row["due_at"] is None else written(row["due_at"]),
        "at": written(row["created_at"] if closed_at is None else closed_at),
    }
