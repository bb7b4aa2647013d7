"""待回执与回调: what platforms still owe a word about, and their words that found nothing to be about."""

from __future__ import annotations

import re
from typing import Any, Final

from starlette.responses import Response

from gateway.flow.order import Refused
from gateway.flow.receive import place_of, unpack_call
from gateway.security.disclosure import Redactor
from gateway.store import console
from gateway.store.console import LAST, DeliveryFilter
from gateway.web.console import messages
from gateway.web.console.desk import Page, Visit

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
    }
    if kind == "relayed":
        every = sorted(visit.desk.house.endpoints)
        wanted = DeliveryFilter(states=("relayed",), before=before)
        page = await visit.desk.store.runner.read(console.find_deliveries, wanted, every, _SIZE)
        names = await visit.desk.names.organizations(m["organization"] for m in page.matters.values())
        rows = [messages.row_view(visit, page, row, names) for row in page.rows]
        return visit.render("waiting.html", **shared, rows=rows, calls=[], before=page.before)
    calls = await visit.desk.store.rows("newest_callbacks", kind, before, _SIZE + 1)
    cursor = calls[_SIZE - 1]["id"] if len(calls) > _SIZE else None
    return visit.render("waiting.html", **shared, rows=[], calls=calls[:_SIZE], before=cursor)


async def callback(visit: Visit) -> Response:
    """One stored call. Nobody's documents stand behind an orphan, so little of it is shown: ids, times, codes."""
    row = await visit.desk.store.row("callback", visit.request.path_params["id"])
    if row is None:
        raise Refused(404, "not_found")
    call = unpack_call(visit.desk.store.unseal(row["call_sealed"], place_of(row["id"])))
    redactor = Redactor([], (row["endpoint"],))
    return visit.render(
        "callback.html",
        row=row,
        call=call,
        size=len(call.body),
        rows=redactor.body(call.body) if visit.may("bodies") else None,
        tasks=await visit.desk.store.rows("tasks_of", row["id"]),
    )


PAGES = (Page("/waiting", waiting, "view"), Page("/callbacks/{id:str}", callback, "view"))
