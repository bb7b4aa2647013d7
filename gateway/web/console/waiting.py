"""待回执与回调: what platforms still owe a word about, and their words that found nothing to be about."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from gateway.flow.moving.acts import ActRefused
from gateway.store import console
from gateway.store.console import LAST, DeliveryFilter
from gateway.store.ids import is_id
from gateway.web.console import messages, reconciliations
from gateway.web.console.desk import Page, Visit

_SIZE: Final = 50
_KINDS: Final = ("relayed", "stored", "orphan", "unreadable", "duplicate", "applied")


async def waiting(visit: Visit) -> Response:
    """Relayed deliveries, or callbacks in a state."""
    return await _page(visit)


async def _not_compared(visit: Visit, refusal: ActRefused) -> Response:
    visit.wrong = reconciliations.wrong_day(visit)
    return await _page(visit, refusal.status, refusal.text)


async def _page(visit: Visit, status: int = 200, problem: str | None = None) -> Response:
    kind = visit.query.get("kind", "relayed")
    kind = kind if kind in _KINDS else "relayed"
    given = visit.query.get("before", "")
    before = given if is_id(given, "delivery", "callback") else LAST
    figures = await visit.desk.pulse.look("1h")
    shared: dict[str, Any] = {
        "kind": kind,
        "kinds": _KINDS,
        "relayed": figures.total("relayed"),
        "counts": figures.callbacks,
        "compared": await reconciliations.last_of_each(visit),
        "problem": problem,
    }
    if kind == "relayed":
        every = sorted(visit.desk.house.endpoints)
        wanted = DeliveryFilter(states=("relayed",), before=before)
        page = await visit.desk.store.runner.read(console.find_deliveries, wanted, every, _SIZE)
        names = await visit.desk.names.organizations(m["organization"] for m in page.matters.values())
        rows = [messages.row_view(visit, page, row, names, {}) for row in page.rows]
        return visit.render("waiting.html", status, **shared, rows=rows, calls=[], before=page.before)
    calls = await visit.desk.store.rows("newest_callbacks", kind, before, _SIZE + 1)
    cursor = calls[_SIZE - 1]["id"] if len(calls) > _SIZE else None
    return visit.render("waiting.html", status, **shared, rows=[], calls=calls[:_SIZE], before=cursor)


PAGES = (
    Page("/waiting", waiting, "view"),
    Page("/reconciliations", reconciliations.ask, "replay", "POST", again=_not_compared),
)
