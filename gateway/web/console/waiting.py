"""待回执与回调: what platforms still owe a word about, and their words that found nothing to be about."""

from __future__ import annotations

import re
from typing import Any, Final

from starlette.responses import Response

from gateway.store import console
from gateway.store.console import LAST, DeliveryFilter
from gateway.web.console import messages
from gateway.web.console.desk import Page, Visit
from gateway.web.console.reconciliations import last_of_each

_SIZE: Final = 50
_CURSOR: Final = re.compile(r"(dlv|cbk)_[0-9A-HJKMNP-TV-Z]{26}")
_KINDS: Final = ("relayed", "stored", "orphan", "unreadable", "duplicate", "applied")


async def waiting(visit: Visit) -> Response:
    """Relayed deliveries, or callbacks in a state."""
    kind = visit.query.get("kind", "relayed")
    kind = kind if kind in _KINDS else "relayed"
    given = visit.query.get("before", "")
    before = given if _CURSOR.fullmatch(given) else LAST
    figures = await visit.desk.pulse.look("1h")
    shared: dict[str, Any] = {
        "kind": kind,
        "kinds": _KINDS,
        "relayed": figures.total("relayed"),
        "counts": figures.callbacks,
        "compared": await last_of_each(visit),
    }
    if kind == "relayed":
        every = sorted(visit.desk.house.endpoints)
        wanted = DeliveryFilter(states=("relayed",), before=before)
        page = await visit.desk.store.runner.read(console.find_deliveries, wanted, every, _SIZE)
        names = await visit.desk.names.organizations(m["organization"] for m in page.matters.values())
        rows = [messages.row_view(visit, page, row, names, {}) for row in page.rows]
        return visit.render("waiting.html", **shared, rows=rows, calls=[], before=page.before)
    calls = await visit.desk.store.rows("newest_callbacks", kind, before, _SIZE + 1)
    cursor = calls[_SIZE - 1]["id"] if len(calls) > _SIZE else None
    return visit.render("waiting.html", **shared, rows=[], calls=calls[:_SIZE], before=cursor)


PAGES = (Page("/waiting", waiting, "view"),)
