"""What is found: cases, referrals, the roster of mediators (调解员名册), clocks, page by page."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts.moments import to_ms
from contracts.status import ClockState
from gateway.flow.house import House
from gateway.flow.moving.order import Principal
from gateway.flow.moving.references import fold
from gateway.store.casefile import Matter, matter_of
from gateway.store.engine import Row, many
from gateway.web.api import standing
from gateway.web.api.answers import answer, iso
from gateway.web.api.parameters import bad_parameter, moment, only_its_own, pack_cursor, page_limit, unpack_cursor, word
from gateway.web.api.reading import own_case
from gateway.web.api.views import clock_view
from gateway.web.auth import Door


def router(house: House, door: Door) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["查询 Reading"])

    @routes.get("/v1/cases", summary="查找案件 Find cases")
    async def find_cases(request: Request) -> Response:
        principal = await door.principal(request, "cases:read")
        return answer(await _listed(house, principal, request, "case"))

    @routes.get("/v1/referrals", summary="委派委托列表 List referrals")
    async def list_referrals(request: Request) -> Response:
        principal = await door.principal(request, "cases:read")
        return answer(await _listed(house, principal, request, "referral"))

    @routes.get("/v1/mediators", summary="调解员名册 Roster of mediators")
    async def list_mediators(request: Request) -> Response:
        principal = await door.principal(request, "cases:read")
        return answer(await _listed(house, principal, request, "mediator"))

    @routes.get("/v1/clocks", summary="法定期限 Clocks")
    async def clocks(request: Request) -> Response:
        principal = await door.principal(request, "cases:read")
        return answer(await _clocks(house, principal, request))

    return routes


async def _listed(house: House, principal: Principal, request: Request, kind: str) -> dict[str, Any]:
    only_its_own(request)
    query, status = request.query_params, word(request, "status")
    limit = page_limit(request)
    cursor = unpack_cursor(request, 1)
    updated = moment(request, "updated_after")
    since = 0 if updated is None else to_ms(updated)
    source_no, number = query.get("source_case_no", ""), query.get("external_ref")
    after = str(cursor[0]) if cursor else ""

    def wanted(row: Row) -> bool:
        return row["id"] > after and row["updated_at"] >= since and status in ("", row["status"])

    if number is not None:
        rows = [row for row in await _numbered(house, principal, number, source_no) if wanted(row)]
    elif "*" in principal.organizations and source_no and kind == "case":
        rows = [row for row in await house.store.rows("cases_numbered", source_no) if wanted(row)]
    elif "*" in principal.organizations:
        rows = await house.store.rows("list_matters", kind, "[]", True, status, source_no, since, after, limit + 1)
    elif source_no:
        named = [(kind, f"{organization}|{source_no}") for organization in sorted(principal.organizations)]
        found = await house.store.runner.read(many, "find_matter", named)
        rows = await house.store.runner.read(many, "matter", [(row["id"],) for row in found])
        rows = [row for row in rows if wanted(row)]
    else:
        owned = [
            (kind, organization, status, since, after, limit + 1) for organization in sorted(principal.organizations)
        ]
        rows = await house.store.runner.read(many, "list_owned", owned)
    matters = sorted((matter_of(row) for row in rows), key=lambda matter: matter.id)
    page = {"items": [_listing(matter) for matter in matters[:limit]]}
    return page | ({"cursor": pack_cursor([matters[limit - 1].id])} if len(matters) > limit else {})


async def _numbered(house: House, principal: Principal, number: str, source_no: str) -> list[Row]:
    """The caller's cases that a platform gave this number, in any spelling."""
    given = await house.store.rows("find_folded", fold(number))
    cases = list(dict.fromkeys(row["subject"] for row in given if row["subject"].startswith("case_")))
    rows = await house.store.runner.read(many, "matter", [(case,) for case in cases])
    return [
        row
        for row in rows
        if principal.acts_for(row["organization"]) and source_no in ("", row["business_key"].partition("|")[2])
    ]


def _listing(matter: Matter) -> dict[str, Any]:
    view: dict[str, Any] = {
        "id": matter.id,
        "status": matter.status,
        "version": matter.version,
        "organization": {"code": matter.organization},
        "created_at": iso(matter.created_at),
        "updated_at": iso(matter.updated_at),
    }
    if matter.kind == "case":
        view["source_case_no"] = matter.business_key.partition("|")[2]
    if matter.kind == "mediator":
        view["certificate_no"] = matter.business_key
    if matter.kind == "referral":
        view["kind"], _, view["task_no"] = (matter.facet or "").partition("|")
    return view


async def _clocks(house: House, principal: Principal, request: Request) -> dict[str, Any]:
    only_its_own(request)
    limit = page_limit(request)
    before = request.query_params.get("due_before", "9999-12-31")
    try:
        before = date.fromisoformat(
            before
        ).isoformat()  # days are compared as texts: other spellings would lie elsewhere
    except ValueError:
        raise bad_parameter("due_before") from None
    cursor = unpack_cursor(request, 2)
    after = (str(cursor[0]), str(cursor[1])) if cursor else ("", "")
    case = request.query_params.get("case")
    if case is not None:
        file, state = await own_case(house, principal, case), word(request, "state")
        mine = sorted(await house.store.rows("clocks_of", file.subject), key=_place)
        rows = [row for row in mine if _place(row) > after and row["due_on"] < before and state in ("", row["state"])]
    else:
        every, organizations = "*" in principal.organizations, orjson.dumps(sorted(principal.organizations)).decode()
        state = word(request, "state", ClockState.RUNNING)
        rows = await house.store.rows("list_clocks", state, before, organizations, every, *after, limit + 1)
    items = [clock_view(row) | standing.rule_titles(row, house.law) for row in rows[:limit]]
    return {"items": items} | ({"cursor": pack_cursor([*_place(rows[limit - 1])])} if len(rows) > limit else {})


def _place(clock: Row) -> tuple[str, str]:
    """Where a clock stands in its list: by its day."""
    return clock["due_on"], clock["id"]
