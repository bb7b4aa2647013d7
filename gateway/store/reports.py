"""What ledger and statistics read: one page of cases with all that hangs on them, at one moment."""

from __future__ import annotations

from dataclasses import dataclass, field

from contracts.status import CASE, CASE_ENDS, CaseStatus
from gateway.store.engine import Operation, Row, Rows

_OVER = frozenset({*CASE_ENDS, *CASE.final, CaseStatus.TRANSFERRED})
_OPEN = frozenset(status.value for status in CASE.legal_steps("unknown") if status not in _OVER)
"""Statuses of cases whose mediation is not over."""


@dataclass(slots=True)
class CasePage:
    """Cases in the order of their ids, and by case what hangs on each. ``after`` is where to go on; ``None``: the end."""

    cases: Rows
    after: str | None
    messages: dict[str, Row] = field(default_factory=dict)
    matters: dict[str, Rows] = field(default_factory=dict)
    steps: dict[str, Rows] = field(default_factory=dict)
    limits: dict[str, Rows] = field(default_factory=dict)
    delivered: dict[str, Rows] = field(default_factory=dict)


def case_page(
    organizations: tuple[str, ...] | None, after: str, changed_since: int, most: int, delivered: bool
) -> Operation[CasePage]:
    """The next cases of these organisations (``None``: of all) that were written since (ms), or are not ended. ``most`` bounds
    the rows looked at, so a page may hold fewer, even none, and not be the last."""
    if organizations is None:
        rows = yield "ledger_cases", [(after, most)]
    else:
        rows = yield "ledger_cases_of", [(organization, after, most) for organization in organizations]
        rows = sorted(rows, key=lambda row: str(row["id"]))[:most]
    page = CasePage(
        [row for row in rows if row["updated_at"] >= changed_since or row["status"] in _OPEN],
        str(rows[-1]["id"]) if len(rows) == most else None,
    )
    yield from hang_on(page, delivered)
    return page


def hang_on(page: CasePage, delivered: bool = False) -> Operation[None]:
    """Read what hangs on the page's cases."""
    if not page.cases:
        return
    subjects = [(row["id"],) for row in page.cases]
    messages = yield "message", [(row["message"],) for row in page.cases]
    page.messages = {row["id"]: row for row in messages}
    wanted = [("matters_of", page.matters), ("ledger_steps", page.steps), ("ledger_limits", page.limits)]
    if delivered:
        wanted.append(("ledger_delivered", page.delivered))
    for statement, found in wanted:
        rows = yield statement, subjects
        _by_subject(found, rows)


def organizations(most: int = 10_000) -> Operation[list[str]]:
    """Every organisation that has something here."""
    found: list[str] = []
    after = ""
    while len(found) < most:
        rows = yield "next_organization", [(after,)]
        if not rows:
            break
        after = str(rows[0]["organization"])
        found.append(after)
    return found


def limits_of(subjects: list[str]) -> Operation[dict[str, Rows]]:
    """The mediation limits of referrals."""
    found: dict[str, Rows] = {}
    if subjects:
        rows = yield "ledger_limits", [(subject,) for subject in subjects]
        _by_subject(found, rows)
    return found


def _by_subject(found: dict[str, Rows], rows: Rows) -> None:
    for row in rows:
        found.setdefault(row["subject"], []).append(row)
