"""Operating: deliveries with their attempts and wires, endpoints, tasks, orphans. Every act is audited with its reason."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts.findings import Code, Expected, Finding
from gateway.flow.delivering import wires
from gateway.flow.delivering.exchange import unpack_steps
from gateway.flow.gauges import now_standing
from gateway.flow.house import House
from gateway.flow.moving.once import Once
from gateway.flow.moving.order import Principal, Refused
from gateway.flow.operating.operate import Standing
from gateway.flow.operating.replay import ReplayKind
from gateway.flow.operating.reveal import REVEALED_S, Side, reveal
from gateway.flow.reconciling.comparing import method_of
from gateway.store.casefile import delivery_of
from gateway.store.lists import list_deliveries
from gateway.store.places import of_reasons, of_steps, of_wire
from gateway.web.api.answers import answer, iso, once_answered
from gateway.web.api.flow import flow_items
from gateway.web.api.parameters import endpoint_of, only_its_own, pack_cursor, page_limit, unpack_cursor, word
from gateway.web.api.translations import wire_view
from gateway.web.api.views import delivery_view
from gateway.web.auth import Door
from gateway.web.bodies import bad_field, json_object, needed_reason, once, reason_fault


def router(house: House, door: Door) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/ops", tags=["运维 Operating"])
    _deliveries(routes, house, door)
    _endpoints(routes, house, door)
    _tasks(routes, house, door)
    return routes


async def _act(request: Request, door: Door) -> tuple[Principal, dict[str, Any], str]:
    """Caller, body and reason of an act.

    Raises:
        Refused: no right, a malformed body, no reason.
    """
    principal = await door.principal(request, "ops:write")
    body = await json_object(request)
    return principal, body, needed_reason(body)


_OF_REPLAYS = frozenset(
    {
        "overtaken",
        "newer_version",
        "doubt",
        "cannot_be_asked",
        "never_sent",
        "not_translated",
        "unanswered",
        "words_unread",
    }
)
"""Refusals that have a problem code of their own."""


def _done(standing: Standing) -> Response:
    return answer(_told(standing))


def _told(standing: Standing) -> dict[str, Any]:
    """How an act ended.

    Raises:
        Refused: it was refused.
    """
    if standing.refused is not None:
        code = standing.refused if standing.refused in _OF_REPLAYS else "state"
        raise Refused(409 if standing.found else 404, code if standing.found else "not_found", extra=standing.extra)
    return {"id": standing.id, "state": standing.state} | standing.extra


async def _done_once(house: House, keyed: Once | None, act: Callable[[], Awaitable[Standing]]) -> Response:
    """The same for an act that would act again where it is repeated after a lost answer."""
    ended: dict[str, Any] = {}

    async def does() -> str:
        ended.update(_told(await act()))
        return str(ended["id"])

    async def tell(delivery: str) -> dict[str, Any]:
        if ended:
            return ended
        row = await house.store.row("delivery", delivery)
        return {"id": delivery, "state": "pending" if row is None else row["state"]}

    return await once_answered(house, keyed, does, tell)


def _kind(body: dict[str, Any]) -> tuple[ReplayKind, bool]:
    """The kind of replay, and the second word about what was overtaken.

    Raises:
        Refused: 422, no such kind.
    """
    kinds = [kind.value for kind in ReplayKind]
    kind, overtaken = body.get("kind", ReplayKind.SAME.value), body.get("overtaken", False)
    findings = []
    if kind not in kinds:
        findings.append(Finding.of("/kind", Code.NOT_IN_LIST, allowed=tuple(sorted(kinds))))
    if not isinstance(overtaken, bool):
        findings.append(Finding.of("/overtaken", Code.WRONG_TYPE, expected=Expected.BOOLEAN))
    if findings:
        raise Refused(422, "redrive_form", tuple(findings))
    return ReplayKind(kind), overtaken


def _deliveries(routes: APIRouter, house: House, door: Door) -> None:
    operator, replayer = house.hands.operator, house.hands.replayer

    @routes.get("/deliveries", summary="投递列表 List deliveries")
    async def listed(request: Request) -> Response:
        await door.principal(request, "ops:read")
        only_its_own(request)
        limit = page_limit(request)
        cursor = unpack_cursor(request, 1)
        query = request.query_params
        state = word(request, "state")
        endpoint, case = await endpoint_of(house, request), query.get("case", "")
        after = str(cursor[0]) if cursor else ""
        if case:  # a case has few: they are read by its index, not looked for among all
            mine = [row for row in await house.store.rows("deliveries_of", case) if row["id"] > after]
            mine = [row for row in mine if state in ("", row["state"]) and endpoint in ("", row["endpoint"])]
            rows = sorted(mine, key=lambda row: str(row["id"]))[: limit + 1]
        else:
            rows = await house.store.run(list_deliveries, state, endpoint, after, limit + 1)
        page: dict[str, Any] = {"items": [_delivery(row) for row in rows[:limit]]}
        if len(rows) > limit:
            page["cursor"] = pack_cursor([rows[limit - 1]["id"]])
        return answer(page)

    async def found(request: Request) -> Any:
        await door.principal(request, "ops:read")
        row = await house.store.row("delivery", request.path_params["id"])
        if row is None:
            raise Refused(404, "not_found")
        return row

    @routes.get("/deliveries/{id}", summary="一个投递 One delivery")
    async def one(request: Request) -> Response:
        row = await found(request)
        view = _delivery(row)
        if row["reasons_sealed"] is not None:
            view["reasons"] = orjson.loads(house.store.unseal(row["reasons_sealed"], of_reasons(row["id"])))
        return answer(view)

    @routes.get("/deliveries/{id}/attempts", summary="投递的每次尝试 Its attempts")
    async def attempts(request: Request) -> Response:
        row = await found(request)
        rows = await house.store.rows("attempts_of", row["id"])
        return answer({"items": [_attempt(house, attempt) for attempt in rows]})

    @routes.get("/deliveries/{id}/wire", summary="译文与损失报告 Its wire and loss report")
    async def wire(request: Request) -> Response:
        row = await found(request)
        if row["wire_sealed"] is None:
            return answer({"id": row["id"], "translated": False})
        kept = wires.unpack(house.store.unseal(row["wire_sealed"], of_wire(row["id"])))
        seen = await house.disclosure.of(row["subject"], row["endpoint"], message=row["message"])
        await house.store.audit(operator.entry(await door.principal(request, "ops:read"), "wire.read", row["id"], None))
        return answer(
            {
                "id": row["id"],
                "translated": True,
                "mapping": kept.mapping,
                **wire_view(kept, seen),
            }
        )

    @routes.post("/deliveries/{id}/wire/reveal", summary="查看一个字段的明文 Reveal one field")
    async def reveal_one(request: Request) -> Response:
        principal, body, reason = await _act(request, door)
        side, pointer = body.get("side", Side.WIRE), body.get("pointer")
        if not isinstance(side, str) or side not in set(Side):
            raise bad_field("side", Code.NOT_IN_LIST, allowed=tuple(Side))
        if not isinstance(pointer, str) or not pointer.startswith("/") or len(pointer) > 300:
            raise bad_field("pointer", expected=Expected.POINTER)
        row = await house.store.row("delivery", request.path_params["id"])
        value = None if row is None else await reveal(house.store, principal.client, row, side, pointer, reason)
        if row is None or value is None:
            raise Refused(404, "not_found")
        until = iso(house.store.now_ms() + 1000 * REVEALED_S)
        return answer({"id": row["id"], "side": side, "pointer": pointer, "value": value, "show_until": until})

    @routes.post("/deliveries/{id}/redrive", summary="重新投递 Redrive")
    async def redrive(request: Request) -> Response:
        principal, body, reason = await _act(request, door)
        kind, overtaken = _kind(body)
        keyed = once(request, principal.client, body)
        replay = partial(replayer.replay, principal, request.path_params["id"], reason, kind, anyway=overtaken)
        return await _done_once(house, keyed, partial(replay, once=keyed))

    @routes.post("/deliveries/{id}/cancel", summary="取消 Cancel")
    async def cancel(request: Request) -> Response:
        principal, _, reason = await _act(request, door)
        return _done(await operator.cancel(principal, request.path_params["id"], reason))

    @routes.post("/deliveries/{id}/resolve", summary="裁决存疑投递 Decide a delivery in doubt")
    async def resolve(request: Request) -> Response:
        principal = await door.principal(request, "ops:write")
        body = await json_object(request)
        arrived = _decided(body)
        keyed = once(request, principal.client, body)
        decide = partial(
            operator.resolve, principal, request.path_params["id"], arrived, str(body["evidence"]).strip(), keyed
        )
        return await _done_once(house, keyed, decide)


def _decided(body: dict[str, Any]) -> bool:
    """Whether a delivery in doubt arrived, by evidence.

    Raises:
        Refused: 422, the decision lacks one or the other.
    """
    arrived, fault = body.get("arrived"), reason_fault(body, "evidence")
    findings = [] if fault is None else [fault]
    if not isinstance(arrived, bool):
        known = Finding.of("/arrived", Code.WRONG_TYPE, expected=Expected.BOOLEAN)
        findings.insert(0, Finding.of("/arrived", Code.MISSING) if arrived is None else known)
    if findings:
        raise Refused(422, "resolve_form", tuple(findings))
    return arrived is True


def _delivery(row: Any) -> dict[str, Any]:
    view = delivery_view(delivery_of(row))
    return view | {"about": row["about"], "case": row["subject"], "class": row["class"], "message": row["message"]}


def _step(kept: dict[str, object]) -> dict[str, object]:
    """One request of an attempt, without its bodies; its time as every other one."""
    at = kept["at"]
    told = {key: value for key, value in kept.items() if key not in ("request", "reply")}
    return told | {"at": iso(at if isinstance(at, int) else None)}


def _attempt(house: House, row: Any) -> dict[str, Any]:
    steps = []
    if row["steps_sealed"] is not None:
        packed = house.store.unseal(row["steps_sealed"], of_steps(row["delivery"], row["number"]))
        steps = [_step(step) for step in unpack_steps(packed)]
    return {
        "number": row["number"],
        "trigger": row["trigger"],
        "outcome": row["outcome"],
        "code": row["code"],
        "exchanges": row["exchanges"],
        "ended_at": iso(row["ended_at"]),
        "duration_ms": row["duration_ms"],
        "steps": steps,
    }


def _endpoints(routes: APIRouter, house: House, door: Door) -> None:
    operator = house.hands.operator

    @routes.get("/endpoints", summary="平台列表 Endpoints")
    async def listed(request: Request) -> Response:
        await door.principal(request, "ops:read")
        return answer({"items": [_endpoint(house, row) for row in await house.store.rows("all_endpoints")]})

    @routes.get("/flow", summary="流量 Flow by endpoint and state")
    async def flow(request: Request) -> Response:
        await door.principal(request, "ops:read")
        return answer({"items": flow_items(await now_standing(house.store, house.endpoints))})

    @routes.post("/endpoints/{name}/pause", summary="暂停 Pause")
    async def pause(request: Request) -> Response:
        principal, _, reason = await _act(request, door)
        return _done(await operator.pause(principal, request.path_params["name"], reason))

    @routes.post("/endpoints/{name}/resume", summary="恢复 Resume")
    async def resume(request: Request) -> Response:
        principal, _, reason = await _act(request, door)
        return _done(await operator.resume(principal, request.path_params["name"], reason))


def _endpoint(house: House, row: Any) -> dict[str, Any]:
    connected = house.endpoints.get(row["name"])
    view: dict[str, Any] = {
        "name": row["name"],
        "adapter": row["adapter"],
        "connected": connected is not None,
        "paused": bool(row["paused"]),
        "paused_by": row["paused_by"],
        "reason": row["reason"],
        "quiet_until": iso(row["quiet_until"]) if row["quiet_until"] > row["now"] else None,
        "breaker": row["breaker"],
        "failures": row["failures"],
        "slots": row["slots"],
    }
    if connected is not None:
        info = connected.adapter.info
        view |= {
            "title_zh": info.title_zh,
            "title_en": info.title_en,
            "delivery_class": info.delivery_class.value,
            "reconciles_by": method_of(connected.adapter).value,
            "takes": [capability.type.value for capability in info.capabilities],
        }
    return {key: value for key, value in view.items() if value is not None}


def _tasks(routes: APIRouter, house: House, door: Door) -> None:
    operator = house.hands.operator

    @routes.get("/tasks", summary="待办列表 Tasks")
    async def listed(request: Request) -> Response:
        await door.principal(request, "ops:read")
        only_its_own(request)
        limit = page_limit(request)
        cursor = unpack_cursor(request, 1)
        rows = await house.store.rows(
            "list_tasks",
            word(request, "state", "open"),
            word(request, "kind"),
            str(cursor[0]) if cursor else "",
            limit + 1,
        )
        page: dict[str, Any] = {"items": [_task(row) for row in rows[:limit]]}
        if len(rows) > limit:
            page["cursor"] = pack_cursor([rows[limit - 1]["id"]])
        return answer(page)

    @routes.post("/tasks/{id}/assign", summary="指派待办 Assign a task")
    async def assign(request: Request) -> Response:
        principal, body, reason = await _act(request, door)
        assignee = body.get("assignee")
        if not isinstance(assignee, str) or not 0 < len(assignee) <= 100 or not assignee.isprintable():
            raise bad_field("assignee", expected=Expected.PERSON)
        return _done(await operator.assign(principal, request.path_params["id"], assignee, reason))

    @routes.post("/tasks/{id}/resolve", summary="办结待办 Resolve a task")
    async def resolve(request: Request) -> Response:
        principal, body, reason = await _act(request, door)
        decision, cases = body.get("decision"), body.get("cases")
        if cases is not None and not (
            isinstance(cases, list) and all(isinstance(one, str) and one.isprintable() for one in cases)
        ):
            raise bad_field("cases", expected=Expected.IDS)
        wanted = decision if isinstance(decision, str) and decision.isprintable() else None
        return _done(await operator.close_task(principal, request.path_params["id"], reason, wanted, cases))

    @routes.post("/papers/{id}/fetch", summary="重新下载文书 Fetch a document again")
    async def fetch(request: Request) -> Response:
        principal, _, reason = await _act(request, door)
        return _done(await operator.fetch_paper(principal, request.path_params["id"], reason))

    @routes.get("/orphans", summary="未匹配回调 Unmatched callbacks")
    async def orphans(request: Request) -> Response:
        await door.principal(request, "ops:read")
        only_its_own(request)
        limit = page_limit(request)
        cursor = unpack_cursor(request, 1)
        after = str(cursor[0]) if cursor else ""
        rows = await house.store.rows("list_callbacks", word(request, "state", "orphan"), after, limit + 1)
        page: dict[str, Any] = {
            "items": [
                {
                    "id": row["id"],
                    "endpoint": row["endpoint"],
                    "state": row["state"],
                    "tries": row["tries"],
                    "code": row["code"],
                    "received_at": iso(row["received_at"]),
                }
                for row in rows[:limit]
            ]
        }
        if len(rows) > limit:
            page["cursor"] = pack_cursor([rows[limit - 1]["id"]])
        return answer(page)


def _task(row: Any) -> dict[str, Any]:
    view = {
        "id": row["id"],
        "kind": row["kind"],
        "about": row["about"],
        "case": row["subject"],
        "endpoint": row["endpoint"],
        "state": row["state"],
        "assignee": row["assignee"],
        "code": row["code"],
        "due_at": iso(row["due_at"]),
        "created_at": iso(row["created_at"]),
        "resolved_at": iso(row["resolved_at"]),
        "resolution": row["resolution"],
    }
    return {key: value for key, value in view.items() if value is not None}
