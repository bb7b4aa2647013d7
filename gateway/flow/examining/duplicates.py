"""The same dispute entering twice (重复案件): recognised by the parties' blind index, put before a person, never merged."""

from __future__ import annotations

from datetime import timedelta

from contracts.case import Case
from contracts.moments import from_ms
from contracts.status import CaseStatus
from gateway.flow.decisions.cases import people
from gateway.flow.moving.context import Contexts
from gateway.flow.moving.task_details import seal_detail
from gateway.flow.operating.case_links import CaseLinks
from gateway.store.casefile import Matter
from gateway.store.engine import Group, Operation
from gateway.store.store import Store
from gateway.store.unit import NewTask

_APART = timedelta(days=90)
"""A dispute that is over does not overlap one received so long after it."""
_OVER = frozenset(
    {CaseStatus.DECLINED, CaseStatus.CLOSED, CaseStatus.WITHDRAWN, CaseStatus.TERMINATED, CaseStatus.FAILED}
)
_MOST = 20


class Duplicates:
    """Compares a new case with those that its parties already have."""

    def __init__(self, store: Store, contexts: Contexts) -> None:
        self._store = store
        self._contexts = contexts
        self._links = CaseLinks(store)
        self._looks: Group[_Sides, list[str]] = Group(store.runner, _on_both_sides, reading=True)

    async def tasks(self, case: Case, case_id: str) -> list[NewTask]:
        """A task ``possible_duplicate`` where another case has an applicant and a respondent of this one, the same cause, and
        overlapping dates; its sealed detail names the others. A person links them or keeps them apart, and is not asked about
        the same two again."""
        sharing = await self._sharing(case)
        if not sharing:
            return []
        asked = {case_id, *(link.case for link in await self._links.of(case_id))}
        found: list[str] = []
        for subject in sharing:
            if subject not in asked and await self._same(case, subject):
                found.append(subject)
            if len(found) == _MOST:  # the thousandth sending of one dispute must not read a thousand files
                break
        if not found:
            return []
        identifier = self._store.ids.new("task")
        sealed = seal_detail(self._store, identifier, {"cases": found})
        return [NewTask(identifier, "possible_duplicate", case_id, code="same_parties", detail_sealed=sealed)]

    async def _sharing(self, case: Case) -> list[str]:
        """Subjects of which a party on each side is one of this case, oldest first."""
        sides: dict[str, list[str]] = {"applicant": [], "respondent": []}
        for kind, number, role in people(case):
            if role in sides:
                sides[role].append(self._store.sealer.blind(kind, number))
        return await self._looks.put((tuple(sides["applicant"]), tuple(sides["respondent"])))

    async def _same(self, case: Case, subject: str) -> bool:
        file = await self._store.load(subject)
        other = None if file is None else await self._contexts.case_of(file)
        if file is None or other is None:
            return False
        return other.cause.path[-1] == case.cause.path[-1] and _overlap(case, other, file.matters[subject])


_Sides = tuple[tuple[str, ...], tuple[str, ...]]
"""The blind indexes of a case's applicants, and of its respondents."""


def _on_both_sides(cases: list[_Sides]) -> Operation[list[list[str]]]:
    """Of each case the subjects that one of its applicants and one of its respondents share, oldest first. An employer may have
    thousands of cases, a worker has few: the workers are looked up, the employer only in theirs."""
    workers = dict.fromkeys(blind for applicants, _ in cases for blind in applicants)
    rows = yield "find_person", [(blind,) for blind in workers]
    theirs: dict[str, set[str]] = {}
    for row in rows:
        if row["role"] == "applicant":
            theirs.setdefault(row["blind"], set()).add(row["subject"])
    asked = {
        (employer, subject)
        for applicants, respondents in cases
        for employer in respondents
        for blind in applicants
        for subject in theirs.get(blind, ())
    }
    rows = (yield "person_in", sorted(asked)) if asked else []
    there = {(row["blind"], row["subject"]) for row in rows if row["role"] == "respondent"}
    return [
        sorted(
            subject
            for subject in set().union(*(theirs.get(blind, ()) for blind in applicants))
            if any((employer, subject) in there for employer in respondents)
        )
        for applicants, respondents in cases
    ]


def _overlap(case: Case, other: Case, standing: Matter) -> bool:
    """Whether the other is still open, or the two lie close together."""
    if CaseStatus(standing.status) not in _OVER:
        return True
    ended = from_ms(standing.since or standing.updated_at)
    return case.received_at <= max(ended, other.received_at + _APART)
