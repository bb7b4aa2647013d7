"""Reconciliations with the platforms (对账): ask for one, read what it found, have it mended."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts.findings import Code, Expected
from gateway.flow.house import House
from gateway.flow.moving.order import Refused
from gateway.flow.reconciling.comparing import Kind, Method
from gateway.flow.reconciling.reconciliations import moment
from gateway.store.console import LAST
from gateway.store.engine import Row
from gateway.web.api.answers import answer, iso, once_answered
from gateway.web.api.parameters import endpoint_of, only_its_own, pack_cursor, page_limit, unpack_cursor
from gateway.web.auth import Door
from gateway.web.bodies import bad_field, json_object, needed_reason, once


def router(house: House, door: Door) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/ops/reconciliations", tags=["运维 Operating"])
    desk = house.hands.reconciliations

    @routes.post("", summary="发起对账 Reconcile with a platform", status_code=202)
    async def ask(request: Request) -> Response:
        principal = await door.principal(request, "ops:write")
        body = await json_object(request)
        endpoint, since, until = (_text(body, name) for name in ("endpoint", "from", "to"))
        keyed = once(request, principal.client, body)

        async def begin() -> str:
            return await desk.ask(principal, endpoint, moment(since), moment(until, end=True), keyed)

        return await once_answered(house, keyed, begin, partial(_shown, house), 202, "/v1/ops/reconciliations")

    @routes.get("", summary="对账列表 List reconciliations")
    async def listed(request: Request) -> Response:
        await door.principal(request, "ops:read")
        only_its_own(request)
        limit = page_limit(request)
        cursor = unpack_cursor(request, 1)
        before = str(cursor[0]) if cursor else LAST
        endpoint = await endpoint_of(house, request)
        if endpoint:
            rows = await house.store.rows("newest_reconciliations_of", endpoint, before, limit + 1)
        else:
            rows = await house.store.rows("newest_reconciliations", before, limit + 1)
        items = [view(row, await counts_of(house, row["id"])) for row in rows[:limit]]
        page: dict[str, Any] = {"items": items}
        if len(rows) > limit:
            page["cursor"] = pack_cursor([rows[limit - 1]["id"]])
        return answer(page)

    @routes.get("/{id}", summary="一次对账与差异 One reconciliation and its differences")
    async def one(request: Request) -> Response:
        await door.principal(request, "ops:read")
        only_its_own(request)
        limit = page_limit(request)
        cursor = unpack_cursor(request, 1)
        return answer(await _shown(house, request.path_params["id"], str(cursor[0]) if cursor else "", limit))

    @routes.post("/{id}/heal", summary="修复差异 Mend its differences", status_code=202)
    async def heal(request: Request) -> Response:
        principal = await door.principal(request, "ops:write")
        body = await json_object(request)
        reason, kinds = needed_reason(body, 400), body.get("kinds", [kind.value for kind in Kind])
        if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds):
            raise bad_field("kinds", Code.NOT_IN_LIST, allowed=tuple(Kind))
        identifier, keyed = str(request.path_params["id"]), once(request, principal.client, body)

        async def mend() -> str:
            await desk.heal(principal, identifier, reason, kinds, once=keyed)
            return identifier

        return await once_answered(house, keyed, mend, partial(_shown, house), 202)

    return routes


def _text(body: dict[str, Any], name: str) -> str:
    found = body.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= 100 or not found.isprintable():
        raise bad_field(name, expected=Expected.ENDPOINT if name == "endpoint" else Expected.TIME)
    return found


async def counts_of(house: House, reconciliation: str) -> dict[str, dict[str, int]]:
    """How many differences of each kind are in each state."""
    found: dict[str, dict[str, int]] = {kind.value: {} for kind in Kind}
    for row in await house.store.rows("difference_counts", reconciliation):
        found[row["kind"]][row["state"]] = row["many"]
    return found


def view(row: Row, counts: dict[str, dict[str, int]]) -> dict[str, Any]:
    """A reconciliation as it is read: its period, how the platform could be compared with, and what was found.

    ``sees`` names the kinds that this platform's protocol can tell at all; the others are not none, but unknown."""
    method = Method(row["method"])
    shown: dict[str, Any] = {
        "id": row["id"],
        "endpoint": row["endpoint"],
        "state": row["state"],
        "from": iso(row["since"]),
        "to": iso(row["until"]),
        "method": method.value,
        "comparable": method is not Method.NOTHING,
        "sees": [kind.value for kind in method.sees],
        "asked_by": row["actor"],
        "daily": row["day"],
        "compared": row["compared"],
        "held": row["held"],
        "unasked": row["unasked"],
        "differences": counts,
        "open": sum(states.get("open", 0) + states.get("failed", 0) for states in counts.values()),
        "code": row["code"],
        "healed_by": row["healer"],
        "created_at": iso(row["created_at"]),
        "finished_at": iso(row["finished_at"]),
    }
    return {key: value for key, value in shown.items() if value is not None}


async def _shown(house: House, identifier: str, after: str = "", limit: int = 100) -> dict[str, Any]:
    row = await house.store.row("reconciliation", identifier)
    if row is None:
        raise Refused(404, "not_found")
    found = await house.store.rows("differences_of", identifier, after, limit + 1)
    shown = view(row, await counts_of(house, identifier))
    shown["items"] = [_difference(one) for one in found[:limit]]
    if len(found) > limit:
        shown["cursor"] = pack_cursor([found[limit - 1]["key"]])
    return shown


def _difference(row: Row) -> dict[str, Any]:
    shown = {
        name: row[name]
        for name in ("kind", "code", "delivery", "about", "name", "reference", "ours", "theirs", "state", "outcome")
    }
    shown["mended_at"] = iso(row["mended_at"])
    return {key: value for key, value in shown.items() if value is not None}
