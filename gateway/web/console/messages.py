"""消息: the list of deliveries, filtered by the address alone, newest first, page by cursor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from starlette.responses import Response

from contracts.deliveries import DeliveryState
from contracts.messages import MessageType
from gateway.flow.moving.references import fold
from gateway.store import console
from gateway.store.console import COUNTED, DeliveryFilter, DeliveryPage, made_at
from gateway.store.engine import Row
from gateway.store.ids import is_id
from gateway.web.console import holds
from gateway.web.console.conditions import causes, understood
from gateway.web.console.desk import Page, Visit
from gateway.web.console.holds import Held
from gateway.web.console.reach import own_matters

_SIZE: Final = 50


async def subjects_of(visit: Visit, number: str) -> tuple[str, ...]:
    """The cases that a number in any spelling names."""
    if number.startswith("case_"):
        return tuple(await own_matters(visit, [number])) if visit.scoped else (number,)
    folded = fold(number)
    store = visit.desk.store
    own = await store.runner.read(console.find_numbers, folded, 20)
    given = await store.rows("find_folded", folded)
    found = tuple(dict.fromkeys(row["subject"] for row in [*own, *given]))[:20]
    return tuple(await own_matters(visit, found)) if visit.scoped else found


def narrowed(visit: Visit, wanted: DeliveryFilter) -> DeliveryFilter | None:
    """The filter within the person's data scope; ``None``: nothing of it may be seen."""
    if visit.reach is None:
        return wanted
    seen = [one for one in wanted.organizations if visit.within(one)] if wanted.organizations else sorted(visit.reach)
    return replace(wanted, organizations=tuple(seen)) if seen else None


async def messages(visit: Visit) -> Response:
    """The page."""
    asked = await understood(visit, visit.query)
    given, fields = asked.filter, asked.fields
    wanted = narrowed(visit, given) or given
    every = [row["name"] for row in await visit.desk.store.rows("all_endpoints")]
    known = all(name in every for name in wanted.endpoints)
    nobody = narrowed(visit, given) is None or bool(asked.unknown)
    if "case" in fields:
        subjects = await subjects_of(visit, fields["case"])
        nobody = nobody or not subjects
        wanted = replace(wanted, subjects=subjects)
    total: int | None = 0
    page = DeliveryPage([], None, 0)
    if known and not nobody:
        total = await visit.desk.store.runner.read(console.count_matching, wanted, every)
        cursor = visit.query.get("before", "")
        turned = replace(wanted, before=cursor) if is_id(cursor, "delivery") else wanted
        page = await visit.desk.store.runner.read(console.find_deliveries, turned, every, _SIZE)
    organizations = await visit.desk.names.organizations(m["organization"] for m in page.matters.values())
    held = await holds.held(visit)
    kept = await visit.desk.store.rows("views_of", visit.person.name) if visit.person is not None else []
    return visit.render(
        "messages.html",
        views=kept,
        view=visit.query.get("view", ""),
        rows=[row_view(visit, page, row, organizations, held) for row in page.rows],
        fields=fields,
        unknown=asked.unknown,
        every=sorted(visit.desk.house.endpoints),
        organizations=await visit.desk.names.choices(visit.reach),
        causes=causes(visit.language),
        states=("failed", "retrying", "queued", *(s for s in DeliveryState if s != "pending")),
        types=list(MessageType),
        total=total,
        most=COUNTED,
        before=page.before,
        looked=page.looked,
        looked_to=made_at(page.before) if page.before else None,
        size=_SIZE,
        first="before" not in visit.query,
        newest=page.rows[0]["id"] if page.rows else "",
    )


async def newer(visit: Visit) -> Response:
    """How many deliveries match that are newer than the list's first: the bar above it tells."""
    asked = await understood(visit, visit.query)
    wanted, fields = narrowed(visit, asked.filter), asked.fields
    since = visit.query.get("since", "")
    every = [row["name"] for row in await visit.desk.store.rows("all_endpoints")]
    count = 0
    if (
        wanted is not None
        and not asked.unknown
        and is_id(since, "delivery")
        and "case" not in fields
        and all(name in every for name in wanted.endpoints)
    ):
        turned = replace(wanted, after=max(wanted.after, since + "0"))
        page = await visit.desk.store.runner.read(console.find_deliveries, turned, every, 99)
        count = len(page.rows)
    return visit.render("newer.html", count=count)


def row_view(
    visit: Visit, page: DeliveryPage, row: Row, organizations: dict[str, str], held: Mapping[str, Held]
) -> dict[str, Any]:
    """A delivery as a row of a list. A time that is over is no next time: what is held says by what."""
    pending = row["state"] == "pending"
    hold = held.get(row["endpoint"]) if pending else None
    matter = page.matters.get(row["subject"])
    organization = matter["organization"] if matter is not None else ""
    return {
        "id": row["id"],
        "message": row["message"],
        "at": row["created_at"],
        "case": row["subject"] if row["subject"].startswith("case_") else "",
        "number": matter["business_key"].partition("|")[2] if matter is not None else row["subject"],
        "type": visit.type_title(row["type"]),
        "organization": organizations.get(organization, organization),
        "endpoint": row["endpoint"],
        "platform": visit.platform(row["endpoint"]),
        "state": "retrying" if row["state"] == "pending" and row["code"] else row["state"],
        "attempts": row["attempts"],
        "took": page.durations.get(row["id"]),
        "cause": visit.cause(row["code"]),
        "code": row["code"] or "",
        "next": row["next_at"] if pending and hold is None and row["next_at"] > visit.now else None,
        "held": hold,
        "word_due": row["word_due_at"] if row["state"] == "relayed" else None,
        "safe": row["safe_at"] if row["state"] in ("pending", "in_doubt") else None,
    }


PAGES = (Page("/messages", messages, "view", narrows=True), Page("/messages/newer", newer, "view", narrows=True))
