"""保存的视图: filters of the list of messages that a person keeps under a name; an address that others may be given."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.responses import Response

from gateway.flow.moving.order import Refused
from gateway.store.engine import Rows
from gateway.store.ids import is_id
from gateway.web.console.conditions import FIELDS, understood
from gateway.web.console.desk import Page, Visit
from gateway.web.console.search import looks_personal

_MOST: Final = 50


async def mine(visit: Visit) -> Rows:
    """The person's own views by name."""
    return await visit.desk.store.rows("views_of", visit.person.name) if visit.person is not None else []


async def opened(visit: Visit) -> Response:
    """A view by its address, anybody's: whoever may look at messages may look through a filter. Goes on to the list."""
    identifier = visit.request.path_params["id"]
    row = await visit.desk.store.row("view", identifier) if is_id(identifier, "view") else None
    if row is None:
        raise Refused(404, "not_found")
    return visit.to("messages", **dict(parse_qsl(row["query"])), view=row["id"])


async def keep(visit: Visit) -> Response:
    """Keep a filter under a name; the same name again takes the new filter."""
    name = visit.form.text("name", 40)
    asked = await understood(visit, {key: visit.form.text(key, 200) for key in FIELDS})
    fields = asked.fields
    if asked.unknown:
        raise Refused(422, "view_unknown")
    if visit.person is None or not name or not fields:
        raise Refused(422, "view_form")
    if any(looks_personal(value) for value in (name, *fields.values())):
        raise Refused(422, "person_in_address")
    known = {row["name"] for row in await mine(visit)}
    if name not in known and len(known) >= _MOST:
        raise Refused(422, "view_many")
    row = (visit.desk.store.ids.new("view"), visit.person.name, name, urlencode(fields))
    kept = await visit.desk.store.write("keep_view", row)
    return visit.to(f"views/{kept[0]['id']}")


async def drop(visit: Visit) -> Response:
    """Forget one of one's own."""
    who = visit.person.name if visit.person is not None else ""
    if not await visit.desk.store.write("drop_view", (visit.request.path_params["id"], who)):
        raise Refused(404, "not_found")
    return visit.to("messages")


PAGES = (
    Page("/views", keep, "view", "POST", narrows=True),
    Page("/views/{id:str}", opened, "view", narrows=True),
    Page("/views/{id:str}/drop", drop, "view", "POST", narrows=True),
)
