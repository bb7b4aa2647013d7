"""总览 of an account with a data scope: what its own organisations wait for; of platforms alone what holds for everybody."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from contracts.deliveries import FAILED_STATES
from contracts.moments import in_beijing
from gateway.flow.timing import overdue
from gateway.store import console
from gateway.store.console import DeliveryFilter
from gateway.web.console.desk import Visit
from gateway.web.console.live import RISK_DAYS, versions
from gateway.web.console.messages import narrowed, row_view
from gateway.web.console.risks import risks

_ROWS: Final = 20
_COUNTED: Final = 99
_CLOCKS: Final = 2_000
_RISKS: Final = 20


async def overview(visit: Visit) -> Response:
    """Own failures, open messages and deadlines; counts are exact up to ``_COUNTED``."""
    store = visit.desk.store
    figures = await visit.desk.pulse.look("1h")
    every = sorted(figures.standing)
    cards, failed = [], []
    for name, states, retrying in (
        ("waiting", ("relayed",), None),
        ("retrying", ("pending",), True),
        ("dead", FAILED_STATES, None),
    ):
        wanted = narrowed(visit, DeliveryFilter(states=states, retrying=retrying))
        if wanted is None:
            cards.append((name, 0, False))
            continue
        page = await store.runner.read(console.find_deliveries, wanted, every, _COUNTED)
        cards.append((name, len(page.rows), page.before is not None))
        if name == "dead":
            names = await visit.desk.names.organizations(matter["organization"] for matter in page.matters.values())
            failed = [row_view(visit, page, row, names, {}) for row in page.rows[:_ROWS]]
    until = in_beijing(visit.now + RISK_DAYS * 86_400_000).date().isoformat()
    clocks = [row for row in await store.rows("clocks_until", until, _CLOCKS) if visit.within(row["organization"])]
    over = await store.rows("clocks_over", overdue.since(in_beijing(visit.now).date()), _CLOCKS)
    missed = [row for row in overdue.still(over) if visit.within(row["organization"])]
    cards.append(("overdue", len({row["subject"] for row in missed}), False))
    cards.append(("risk", len({row["subject"] for row in clocks}), False))
    return visit.render(
        "own.html",
        cards=cards,
        failed=failed,
        risks=await risks(visit, [*missed, *clocks], _RISKS),
        platforms=[_platform(visit, row) for row in figures.endpoints],
        versions=versions(figures),
        organizations=await visit.desk.names.organizations(sorted(visit.reach or ())[:_ROWS]),
        many=len(visit.reach or ()),
    )


def _platform(visit: Visit, row: Any) -> tuple[str, str]:
    word = "paused" if row["paused"] else "open" if row["breaker"] != "closed" else "normal"
    return visit.platform(row["name"]), word
