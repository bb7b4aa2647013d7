"""对账: the last comparison with each platform, what it found, and the form that has it mended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response

from gateway.flow.moving.acts import ActRefused
from gateway.flow.moving.order import Refused
from gateway.flow.reconciling.comparing import Kind, Method, method_of
from gateway.flow.reconciling.reconciliations import LONGEST, NOT_COMPARABLE, moment
from gateway.store.console import LAST
from gateway.store.engine import Row
from gateway.web.console.desk import Page, Visit

_ROWS: Final = 200
_LONGEST_MS: Final = LONGEST.total_seconds() * 1000
_KEY: Final = re.compile(r"[\x21-\x7e\u4e00-\u9fff]{1,300}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Compared:
    """A platform's last reconciliation as the page shows it; ``row`` is ``None`` where there was none."""

    endpoint: str
    method: Method
    row: Row | None
    counts: dict[str, int]
    open: int


async def last_of_each(visit: Visit) -> list[Compared]:
    """Every platform with its last reconciliation."""
    found = []
    for name, endpoint in sorted(visit.desk.house.endpoints.items()):
        rows = await visit.desk.store.rows("newest_reconciliations_of", name, LAST, 1)
        row = rows[0] if rows else None
        counts, left = await _counts(visit, row)
        found.append(Compared(name, method_of(endpoint.adapter), row, counts, left))
    return found


async def _counts(visit: Visit, row: Row | None) -> tuple[dict[str, int], int]:
    """Differences by kind, and how many of them nobody has dealt with."""
    counts, left = dict.fromkeys(map(str, Kind), 0), 0
    for found in [] if row is None else await visit.desk.store.rows("difference_counts", row["id"]):
        counts[found["kind"]] += found["many"]
        left += found["many"] if found["state"] in ("open", "failed") else 0
    return counts, left


async def reconciliation(visit: Visit) -> Response:
    """One reconciliation with its differences."""
    return await _one(visit)


async def _one(visit: Visit, status: int = 200, problem: str | None = None) -> Response:
    row = await visit.desk.store.row("reconciliation", visit.request.path_params["id"])
    if row is None:
        raise Refused(404, "not_found")
    given = visit.query.get("after", "")
    after = given if _KEY.fullmatch(given) else ""
    rows = await visit.desk.store.rows("differences_of", row["id"], after, _ROWS + 1)
    counts, left = await _counts(visit, row)
    method = Method(row["method"])
    return visit.render(
        "reconciliation.html",
        status,
        row=row,
        rows=rows[:_ROWS],
        after=rows[_ROWS - 1]["key"] if len(rows) > _ROWS else None,
        counts=counts,
        left=left,
        hidden=[kind for kind in Kind if kind not in method.sees],
        comparable=row["code"] != NOT_COMPARABLE,
        problem=problem,
    )


async def ask(visit: Visit) -> Response:
    """Compare a period."""
    endpoint, since, until = (visit.form.text(name, 64) for name in ("platform", "from", "to"))
    if not _DAY.fullmatch(since) or not _DAY.fullmatch(until):
        raise ActRefused("reconciliation.period")
    identifier = await visit.desk.hands.reconciliations.ask(
        visit.principal, endpoint, moment(since), moment(until, end=True)
    )
    return visit.to(f"reconciliations/{identifier}")


def wrong_day(visit: Visit) -> str:
    """Which day of a form that was refused must be put right."""
    try:
        since, until = moment(visit.form.text("from", 64)), visit.form.text("to", 64)
    except ActRefused:
        return "from"
    if since > visit.now:
        return "from"
    try:
        return "from" if moment(until) - since >= _LONGEST_MS else "to"
    except ActRefused:
        return "to"


async def heal(visit: Visit) -> Response:
    """Have what was found mended, on a person's word."""
    identifier, reason = visit.request.path_params["id"], visit.form.text("reason", 400)
    kinds: list[Any] = visit.form.all("kind") or list(Kind)
    if not reason:
        return await _one(visit, 422, problem="reason_missing")
    await visit.desk.hands.reconciliations.heal(visit.principal, identifier, reason, kinds)
    return visit.to(f"reconciliations/{identifier}")


async def _not_healed(visit: Visit, refusal: ActRefused) -> Response:
    return await _one(visit, refusal.status, refusal.text)


PAGES = (
    Page("/reconciliations/{id:str}", reconciliation, "view"),
    Page("/reconciliations/{id:str}/heal", heal, "replay", "POST", again=_not_healed),
)
