"""Cases that may be one dispute (重复案件): a person links them or keeps them apart, and is asked about no pair twice."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from gateway.flow.moving.envelope import compact
from gateway.flow.moving.order import Principal, Refused
from gateway.flow.moving.task_details import open_detail
from gateway.store import links
from gateway.store.engine import Row
from gateway.store.journal import AuditEntry
from gateway.store.links import Decided, Verdict
from gateway.store.store import Store

KIND = "possible_duplicate"
LINK, KEEP_APART = "link", "keep_apart"


@dataclass(frozen=True, slots=True)
class Link:
    """Another case, its owner, and what was decided about the two: ``linked`` or ``apart``, when (ms) and by whom."""

    case: str
    organization: str
    verdict: str
    at: int
    by: str


class CaseLinks:
    """Keeps and reads what was decided about pairs of cases."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def decide(
        self, principal: Principal, task: Row, decision: str | None, cases: Collection[str] | None, reason: str
    ) -> bool:
        """Resolve a task ``possible_duplicate``. ``cases``: those of its cases that are linked (all), the rest is kept apart.
        ``False``: it was resolved before.

        Raises:
            Refused: 422 ``decision_missing`` without ``link`` or ``keep_apart``, or with cases that the task does not name.
        """
        named = cases_of(self._store, task)
        chosen = set(named if cases is None else cases)
        if decision not in (LINK, KEEP_APART) or not chosen or not chosen <= set(named):
            raise Refused(422, "decision_missing", extra={"decisions": [LINK, KEEP_APART]})
        linked = chosen if decision == LINK else set()
        owners = {}
        for subject in (task["subject"], *named):
            row = await self._store.row("matter", subject)
            owners[subject] = "" if row is None else row["organization"]
        verdicts = [Verdict(other, other in linked) for other in named]
        resolution = f"{principal.client}: {decision}: {reason}"[:500]
        decided = Decided(task["id"], task["subject"], verdicts, owners, principal.client, resolution)
        told = {
            "decision": decision,
            "case": task["subject"],
            "linked": sorted(linked),
            "apart": sorted({*named} - linked),
        }
        entry = AuditEntry(principal.client, "task.resolve", task["id"], reason, compact(told))
        return await self._store.run(links.decide, decided, entry, self._store.now_ms(), self._store.ids)

    async def of(self, case: str) -> list[Link]:
        """Everything decided about a case and others, oldest first."""
        found = []
        for row in await self._store.rows("case_links_of", case):
            other = row["other"] if row["one"] == case else row["one"]
            matter = await self._store.row("matter", other)
            owner = "" if matter is None else matter["organization"]
            found.append(Link(other, owner, row["verdict"], row["decided_at"], row["decided_by"]))
        return sorted(found, key=lambda link: (link.at, link.case))

    async def shown(self, case: str, principal: Principal) -> list[dict[str, Any]]:
        """The cases linked with this one, as far as the caller may know of them."""
        return [
            {"case": link.case} for link in await self.of(case) if link.verdict == "linked" and _may(link, principal)
        ]

    async def unseen(self, case: str, principal: Principal) -> set[str]:
        """Other cases of which this one's history tells, but not to this caller."""
        return {link.case for link in await self.of(case) if not _may(link, principal)}


def cases_of(store: Store, task: Row) -> list[str]:
    """The other cases that a task ``possible_duplicate`` names."""
    return list(open_detail(store, task).get("cases", ()))


def _may(link: Link, principal: Principal) -> bool:
    return principal.acts_for(link.organization)
