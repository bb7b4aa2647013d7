"""What a person decided about two cases that may be one dispute: linked or kept apart, kept by pair, never merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.store.engine import Operation
from gateway.store.ids import Ids
from gateway.store.journal import AuditEntry, append_audit


@dataclass(frozen=True, slots=True)
class Verdict:
    """One pair decided: the other case, and whether the two are ``linked`` (or kept ``apart``)."""

    other: str
    linked: bool


@dataclass(frozen=True, slots=True)
class Decided:
    """A person's decision on a task about one case: its verdicts, and the owners of all cases by their ids."""

    task: str
    case: str
    verdicts: Sequence[Verdict]
    owners: dict[str, str]
    by: str
    resolution: str


def decide(decision: Decided, audit: AuditEntry, at: int, ids: Ids) -> Operation[bool]:
    """Resolve the task, keep every pair, and say so in the history of both cases; ``False``: the task was resolved before."""
    subjects = sorted({decision.case, *(verdict.other for verdict in decision.verdicts)})
    locked = yield "lock_subject", [(subject,) for subject in subjects]
    sequences: dict[str, int] = {row["id"]: row["sequence"] for row in locked}
    resolved = yield "resolve_task", [(decision.task, decision.resolution)]
    if not resolved:
        return False
    links, events = [], []
    for verdict in decision.verdicts:
        one, other = sorted((decision.case, verdict.other))
        links.append((one, other, "linked" if verdict.linked else "apart", decision.task, decision.by))
        kind = "case.linked" if verdict.linked else "case.kept_apart"
        for subject, with_ in ((decision.case, verdict.other), (verdict.other, decision.case)):
            sequences[subject] += 1
            data = f'{{"with_case":"{with_}","task":"{decision.task}"}}'
            owner = decision.owners[subject]
            events.append((subject, sequences[subject], ids.new("event"), kind, subject, owner, data))
    yield "add_case_link", sorted(links)
    yield "add_event", events
    yield "move_subject", sorted(sequences.items())
    yield from append_audit([audit], at)
    return True
