"""Bulk redrives (批量重投): look at what would happen, start over a frozen list, watch, approve as the second person, end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts.findings import Code, Expected, Finding, Measure
from contracts.messages import MessageType
from contracts.moments import to_ms
from contracts.shape import unknown_field
from gateway.flow.house import House
from gateway.flow.moving.order import Refused
from gateway.flow.moving.references import fold
from gateway.flow.operating.bulk import ACTS, CAP, MOST, Preview
from gateway.flow.operating.replay import STATES, ReplayKind
from gateway.registry import Endpoint
from gateway.store import console
from gateway.store.console import LAST, DeliveryFilter, id_at
from gateway.store.console_tables import JOB_ITEM_STATES
from gateway.store.engine import Row
from gateway.store.ids import is_bound, is_id
from gateway.store.store import Store
from gateway.web.api.answers import answer, iso, once_answered
from gateway.web.api.parameters import bad_parameter, only_its_own, pack_cursor, page_limit, unpack_cursor, word
from gateway.web.auth import Door
from gateway.web.bodies import json_object, needed_reason, once, reason_in

SAMPLE: Final = 20
"""Deliveries that a preview names."""

RATES: Final = (0.02, 100.0)
"""Deliveries a second: the least and the most."""

_LISTS: Final = ("endpoint", "state", "type", "code", "organization", "case")
_FILTER: Final = frozenset({*_LISTS, "deliveries", "from", "to"})
_BODY: Final = frozenset(
    {"filter", "kind", "preview", "overtaken", "bound", "reason", "rate", "canary", "stop_percent"}
)
_TOLD: Final = {"endpoint": "platform", "organization": "org", "code": "cause"}
"""The names under which the console tells a job's filter."""

_MOST_VALUES: Final = 50


@dataclass(slots=True)
class _Asked:
    """A body that was read; every fault is in ``findings``."""

    body: dict[str, Any]
    findings: list[Finding] = field(default_factory=list)

    def fault(self, pointer: str, code: Code, **params: Any) -> None:
        self.findings.append(Finding.of(pointer, code, **params))

    def only(self, given: dict[str, Any], known: frozenset[str], pointer: str) -> None:
        """Refuse what is not known: a filter that is misspelt would be a wider one."""
        for name in sorted(given.keys() - known):
            self.findings.append(unknown_field(pointer, name))

    def flag(self, name: str) -> bool:
        given = self.body.get(name, False)
        if not isinstance(given, bool):
            self.fault(f"/{name}", Code.WRONG_TYPE, expected=Expected.BOOLEAN)
        return given is True

    def number(self, name: str, default: float, low: float, high: float) -> float:
        given = self.body.get(name, default)
        if isinstance(given, bool) or not isinstance(given, int | float) or not low <= given <= high:
            self.fault(f"/{name}", Code.WRONG_TYPE, expected=f"{low:g} … {high:g}")
            return default
        return float(given)

    def words(self, given: dict[str, Any], name: str, allowed: frozenset[str] | None = None) -> tuple[str, ...]:
        """One text or a list of them."""
        found = given.get(name, [])
        many = [found] if isinstance(found, str) else found
        pointer = f"/filter/{name}"
        if not isinstance(many, list) or not all(
            isinstance(one, str) and 0 < len(one) <= 200 and one.isprintable() for one in many
        ):
            self.fault(pointer, Code.WRONG_TYPE, expected=Expected.WORDS)
            return ()
        if name in given and not many:
            self.fault(pointer, Code.EMPTY)
        if len(many) > _MOST_VALUES:
            self.fault(pointer, Code.TOO_LONG, limit=_MOST_VALUES, measure=Measure.ITEMS)
        if allowed is not None and not set(many) <= allowed:
            self.fault(pointer, Code.NOT_IN_LIST, allowed=tuple(sorted(allowed)))
            return ()
        return tuple(dict.fromkeys(many))

    def moment(self, given: dict[str, Any], name: str) -> int | None:
        """A time in ms."""
        text = given.get(name)
        if text is None:
            return None
        try:
            found = datetime.fromisoformat(text)
        except (TypeError, ValueError):
            self.fault(f"/filter/{name}", Code.NAIVE_TIME)
            return None
        if found.tzinfo is None:
            self.fault(f"/filter/{name}", Code.NAIVE_TIME)
            return None
        return to_ms(found)


def router(house: House, door: Door) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/ops/redrives", tags=["运维 Operating"])
    _asking(routes, house, door)
    _watching(routes, house, door)
    for act in ACTS:
        routes.post(f"/{{id}}/{act}", summary=_SUMMARIES[act])(_acting(house, door, act))
    return routes


_SUMMARIES: Final = {
    "approve": "以第二人身份批准 Approve as the second person",
    "pause": "暂停 Pause",
    "continue": "继续 Continue",
    "cancel": "取消 Cancel",
}


def _asking(routes: APIRouter, house: House, door: Door) -> None:
    @routes.post("", summary="批量重投：预览或开始 Bulk redrive: preview or start")
    async def ask(request: Request) -> Response:
        principal = await door.principal(request, "ops:write")
        body = await json_object(request)

        async def start() -> str:
            asked, reason = _Asked(body), reason_in(body)
            made, told = await _weighed(house, asked, named=reason is not None)
            rate, canary, stop = _pace(asked)
            return await house.hands.bulk.ask(
                principal,
                made,
                reason=reason or "",
                told=told,
                per_minute=max(1, round(60 * rate)),
                canary=round(canary),
                stop_percent=round(stop),
                once=keyed,
            )

        async def tell(job: str) -> dict[str, Any]:
            return await _view(house.store, await _row(house.store, job))

        if body.get("preview") is True:
            made, _ = await _weighed(house, _Asked(body), named=True)
            return answer(await _preview_view(house, made))
        keyed = once(request, principal.client, body)
        return await once_answered(house, keyed, start, tell, 202, "/v1/ops/redrives")


async def _weighed(house: House, asked: _Asked, *, named: bool) -> tuple[Preview, dict[str, Any]]:
    """What would be done, and the filter in words. ``named``: a reason was given, where one is needed.

    Raises:
        Refused: with every fault of the body.
    """
    asked.only(asked.body, _BODY, "")
    asked.flag("preview")
    _pace(asked)
    weigh, told = await _read(house, asked)
    if asked.findings:
        raise Refused(422, "redrive_form", tuple(asked.findings))
    if not named:
        needed_reason(asked.body)
    return await weigh(), told


def _pace(asked: _Asked) -> tuple[float, float, float]:
    """Deliveries a second, the canary's number, and the share of failures that stops it (per cent)."""
    return (
        asked.number("rate", 1.0, *RATES),
        asked.number("canary", 10, 1, 100),
        asked.number("stop_percent", 20, 1, 100),
    )


async def _read(house: House, asked: _Asked) -> tuple[Callable[[], Any], dict[str, Any]]:
    """How to weigh what was asked for, and the filter in words."""
    bulk, given = house.hands.bulk, asked.body.get("filter")
    if not isinstance(given, dict):
        asked.fault("/filter", Code.MISSING if given is None else Code.WRONG_TYPE, **_expected(given))
        given = {}
    asked.only(given, _FILTER, "/filter")
    kinds = tuple(sorted(kind.value for kind in ReplayKind))
    kind = asked.body.get("kind", ReplayKind.SAME.value)
    if kind not in kinds:
        asked.fault("/kind", Code.NOT_IN_LIST, allowed=kinds)
        kind = ReplayKind.SAME.value
    kind, overtaken = ReplayKind(kind), asked.flag("overtaken")
    chosen = _chosen(asked, given)
    if chosen:
        if len(given) > 1:
            asked.fault("/filter/deliveries", Code.WRONG_TYPE, expected="deliveries | filter")
        return lambda: bulk.preview_of(chosen, kind, overtaken=overtaken), {"chosen": len(chosen)}
    known = frozenset(row["name"] for row in await house.store.rows("all_endpoints"))
    lists = {
        name: asked.words(given, name, {"endpoint": known, "type": frozenset(MessageType)}.get(name))
        for name in _LISTS
        if name != "state"
    }
    lists["state"] = asked.words(given, "state", frozenset(STATES[kind]))
    since, until = asked.moment(given, "from"), asked.moment(given, "to")
    wanted = DeliveryFilter(
        states=lists["state"],
        endpoints=lists["endpoint"],
        types=lists["type"],
        codes=lists["code"],
        organizations=lists["organization"],
        subjects=await _subjects(house.store, lists["case"]),
        after=id_at("delivery", since) if since is not None else console.FIRST,
        before=_bound(asked, id_at("delivery", until) if until is not None else LAST),
    )
    if lists["case"] and not wanted.subjects:
        raise Refused(422, "nothing_to_redrive", extra={"field": "/filter/case"})
    told = {_TOLD.get(name, name): _short(values) for name, values in lists.items() if values}
    told |= {name: given[name] for name in ("from", "to") if name in given}
    return lambda: bulk.preview(wanted, kind, overtaken=overtaken), told


def _expected(given: Any) -> dict[str, str]:
    return {} if given is None else {"expected": Expected.OBJECT}


def _chosen(asked: _Asked, given: dict[str, Any]) -> list[str]:
    """Deliveries that are named one by one."""
    named = given.get("deliveries", [])
    if not isinstance(named, list) or not all(is_id(one, "delivery") for one in named):
        asked.fault("/filter/deliveries", Code.WRONG_TYPE, expected=Expected.IDS)
        return []
    if "deliveries" in given and not named:
        asked.fault("/filter/deliveries", Code.EMPTY)
    if len(named) > CAP:
        asked.fault("/filter/deliveries", Code.TOO_LONG, limit=CAP, measure=Measure.ITEMS)
    return list(dict.fromkeys(named))


def _bound(asked: _Asked, until: str) -> str:
    """The preview's upper bound: what failed since then is not of the list."""
    bound = asked.body.get("bound", LAST)
    if isinstance(bound, str) and (bound == LAST or is_bound(bound, "delivery")):
        return min(until, bound)
    asked.fault("/bound", Code.WRONG_TYPE, expected="bound of a preview")
    return until


def _short(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)


async def _subjects(store: Store, numbers: tuple[str, ...]) -> tuple[str, ...]:
    """The cases that ids, or numbers in any spelling, name."""
    found: list[str] = []
    for number in numbers:
        if number.startswith("case_"):
            found.append(number)
            continue
        folded = fold(number)
        own = await store.runner.read(console.find_numbers, folded, 20)
        given = await store.rows("find_folded", folded)
        found += [row["subject"] for row in [*own, *given] if row["folded"] == folded]
    return tuple(dict.fromkeys(found))


async def _preview_view(house: House, made: Preview) -> dict[str, Any]:
    """What would happen; nothing has. Ids, codes and counts alone."""
    sample = [row for one in made.deliveries[:SAMPLE] if (row := await house.store.row("delivery", one)) is not None]
    return {
        "preview": True,
        "kind": made.kind.value,
        "count": len(made.deliveries),
        "more": made.more,
        "most": MOST,
        "bound": made.bound,
        "needs_second": made.needs_second,
        "statutory": made.statutory,
        "oldest": iso(made.oldest),
        "newest": iso(made.newest),
        "by_class": dict(made.by_class),
        "by_endpoint": [
            {
                "endpoint": name,
                "count": many,
                "delivery_class": _class_of(house.endpoints.get(name)),
                "paused": name in made.paused,
            }
            for name, many in sorted(made.by_endpoint.items())
        ],
        "by_type": dict(made.by_type),
        "by_code": dict(made.by_code),
        "left_out": dict(made.left_out),
        "overtaken": [
            {"id": one, "why": passed.why, "by": passed.by} for one, passed in list(made.passed.items())[:SAMPLE]
        ],
        "sample": [
            {
                "id": row["id"],
                "endpoint": row["endpoint"],
                "type": row["type"],
                "class": row["class"],
                "state": row["state"],
                "code": row["code"],
                "case": row["subject"],
            }
            for row in sample
        ],
    }


def _class_of(endpoint: Endpoint | None) -> str | None:
    return None if endpoint is None else endpoint.adapter.info.delivery_class.value


def _watching(routes: APIRouter, house: House, door: Door) -> None:
    @routes.get("", summary="批量重投列表 Bulk redrives, newest first")
    async def listed(request: Request) -> Response:
        await door.principal(request, "ops:read")
        only_its_own(request)
        limit = page_limit(request)
        cursor = unpack_cursor(request, 1)
        if cursor is not None and not is_id(cursor[0], "job"):
            raise bad_parameter("cursor")
        rows = await house.store.rows("newest_jobs", cursor[0] if cursor else LAST, limit + 1)
        page: dict[str, Any] = {"items": [await _view(house.store, row) for row in rows[:limit]]}
        if len(rows) > limit:
            page["cursor"] = pack_cursor([rows[limit - 1]["id"]])
        return answer(page)

    @routes.get("/{id}", summary="一个批量重投的进度 Progress of one bulk redrive")
    async def one(request: Request) -> Response:
        await door.principal(request, "ops:read")
        return answer(await _view(house.store, await _row(house.store, request.path_params["id"])))

    @routes.get("/{id}/items", summary="其中的投递 Its deliveries")
    async def items(request: Request) -> Response:
        await door.principal(request, "ops:read")
        only_its_own(request)
        row = await _row(house.store, request.path_params["id"])
        state = word(request, "state", "failed")
        limit = page_limit(request)
        cursor = unpack_cursor(request, 1)
        if cursor is not None and not (isinstance(cursor[0], int) and 0 <= cursor[0] <= MOST):
            raise bad_parameter("cursor")
        after = cursor[0] if cursor else 0
        rows = await house.store.rows("job_items_in", row["id"], state, after, limit + 1)
        page: dict[str, Any] = {
            "items": [{"delivery": item["delivery"], "state": item["state"], "code": item["code"]} for item in rows][
                :limit
            ]
        }
        if len(rows) > limit:
            page["cursor"] = pack_cursor([rows[limit - 1]["place"]])
        return answer(page)


def _acting(house: House, door: Door, act: str) -> Callable[[Request], Any]:
    async def acted(request: Request) -> Response:
        principal = await door.principal(request, "ops:write")
        body = await json_object(request)
        reason = needed_reason(body)
        identifier = (await _row(house.store, request.path_params["id"]))["id"]
        await house.hands.bulk.move(principal, identifier, act, reason)
        return answer(await _view(house.store, await _row(house.store, identifier)))

    return acted


async def _row(store: Store, identifier: str) -> Row:
    row = await store.row("job", identifier) if is_id(identifier, "job") else None
    if row is None:
        raise Refused(404, "not_found")
    return row


async def _view(store: Store, row: Row) -> dict[str, Any]:
    counts = dict.fromkeys(JOB_ITEM_STATES, 0)
    for found in await store.rows("job_counts", row["id"]):
        counts[found["state"]] = found["many"]
    names = {told: name for name, told in _TOLD.items()}
    view = {
        "id": row["id"],
        "state": row["state"],
        "kind": row["kind"],
        "filter": {names.get(name, name): value for name, value in orjson.loads(row["filter"]).items()},
        "reason": row["reason"],
        "asked_by": row["actor"],
        "approved_by": row["approver"],
        "needs_second": bool(row["needs_second"]),
        "overtaken": bool(row["overtaken"]),
        "rate": round(row["per_minute"] / 60, 2),
        "canary": row["canary"],
        "stop_percent": row["stop_percent"],
        "total": row["total"],
        "counts": counts,
        "code": row["code"],
        "created_at": iso(row["created_at"]),
        "finished_at": iso(row["finished_at"]),
    }
    return {name: value for name, value in view.items() if value is not None}
