"""消息: the list of deliveries, filtered by the address alone, newest first, page by cursor."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final

from starlette.responses import Response

from contracts.messages import MessageType
from gateway.flow.references import fold
from gateway.store import console
from gateway.store.console import ALL_STATES, COUNTED, DeliveryFilter, DeliveryPage, id_at, made_at
from gateway.store.engine import Row
from gateway.web.console import words
from gateway.web.console.desk import Page, Visit
from gateway.web.console.reach import own_matters

_SIZE: Final = 50
FIELDS: Final = ("state", "platform", "org", "type", "cause", "case", "from", "to", "q")
_TYPED: Final = {
    "platform": "platform",
    "平台": "platform",
    "status": "state",
    "state": "state",
    "状态": "state",
    "case": "case",
    "案号": "case",
    "type": "type",
    "类型": "type",
    "cause": "cause",
    "原因": "cause",
    "org": "org",
    "组织": "org",
}
_PAIR: Final = re.compile(r"(\w+)[:：](\S+)")
_ID: Final = re.compile(r"dlv_[0-9A-HJKMNP-TV-Z]{26}")


def read_filter(query: dict[str, str]) -> tuple[DeliveryFilter, dict[str, str]]:
    """The filter that an address holds, and its fields as the form shows them; typed pairs (``platform:court state:dead``)
    override the fields. What is not understood filters nothing and is not shown."""
    given = {name: query.get(name, "")[:200] for name in FIELDS}
    for name, value in _PAIR.findall(given["q"]):
        if name.lower() in _TYPED:
            given[_TYPED[name.lower()]] = value
    given["q"] = ""
    state = given["state"]
    states: tuple[str, ...]
    if state == "failed":
        states = console.FAILED_STATES
    elif state in ("retrying", "queued"):
        states = ("pending",)
    else:
        states = (state,) if state in ALL_STATES else ()
        given["state"] = state if states else ""
    if given["type"] not in set(MessageType):
        given["type"] = ""
    since, until = words.read_local(given["from"]), words.read_local(given["to"])
    made = DeliveryFilter(
        states=states,
        endpoints=(given["platform"],) if given["platform"] else (),
        types=(given["type"],) if given["type"] else (),
        codes=(given["cause"],) if given["cause"] else (),
        organizations=(given["org"],) if given["org"] else (),
        retrying={"retrying": True, "queued": False}.get(state),
        after=id_at("delivery", since) if since is not None else console.FIRST,
        before=id_at("delivery", until + 60_000) if until is not None else console.LAST,
    )
    return made, {name: value for name, value in given.items() if value}


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
    given, fields = read_filter(dict(visit.query))
    wanted = narrowed(visit, given) or given
    every = [row["name"] for row in await visit.desk.store.rows("all_endpoints")]
    known = all(name in every for name in wanted.endpoints)
    nobody = narrowed(visit, given) is None
    if "case" in fields:
        subjects = await subjects_of(visit, fields["case"])
        nobody = nobody or not subjects
        wanted = replace(wanted, subjects=subjects)
    total: int | None = 0
    page = DeliveryPage([], None, 0)
    if known and not nobody:
        total = await visit.desk.store.runner.read(console.count_matching, wanted, every)
        cursor = visit.query.get("before", "")
        turned = replace(wanted, before=cursor) if _ID.fullmatch(cursor) else wanted
        page = await visit.desk.store.runner.read(console.find_deliveries, turned, every, _SIZE)
    organizations = await visit.desk.names.organizations(m["organization"] for m in page.matters.values())
    kept = await visit.desk.store.rows("views_of", visit.person.name) if visit.person is not None else []
    return visit.render(
        "messages.html",
        views=kept,
        view=visit.query.get("view", ""),
        rows=[row_view(visit, page, row, organizations) for row in page.rows],
        fields=fields,
        every=sorted(visit.desk.house.endpoints),
        states=("failed", "retrying", "queued", *(s for s in ALL_STATES if s != "pending")),
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
    given, fields = read_filter(dict(visit.query))
    wanted = narrowed(visit, given)
    since = visit.query.get("since", "")
    every = [row["name"] for row in await visit.desk.store.rows("all_endpoints")]
    count = 0
    if (
        wanted is not None
        and _ID.fullmatch(since)
        and "case" not in fields
        and all(name in every for name in wanted.endpoints)
    ):
        turned = replace(wanted, after=max(wanted.after, since + "0"))
        page = await visit.desk.store.runner.read(console.find_deliveries, turned, every, 99)
        count = len(page.rows)
    return visit.render("newer.html", count=count)


def row_view(visit: Visit, page: DeliveryPage, row: Row, organizations: dict[str, str]) -> dict[str, Any]:
    """A delivery as a row of a list."""
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
        "next": row["next_at"] if row["state"] == "pending" else None,
        "word_due": row["word_due_at"] if row["state"] == "relayed" else None,
        "safe": row["safe_at"] if row["state"] in ("pending", "in_doubt") else None,
    }


PAGES = (Page("/messages", messages, "view", narrows=True), Page("/messages/newer", newer, "view", narrows=True))
