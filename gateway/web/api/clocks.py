"""A person's word on a clock: suspend, resume, extend; for the organisation's own clocks, and for the operator every one."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts.shape import may_be_repeated
from gateway.flow.clock_acts import Act
from gateway.flow.house import House
from gateway.flow.order import Principal, Refused
from gateway.store.engine import Row
from gateway.web.api import standing
from gateway.web.api.reading import answer, bad_parameter, clock_view
from gateway.web.auth import Door
from gateway.web.bodies import json_body, reason_in

_BODY = 16 * 1024
_TITLES = {
    "suspend": "期限中止 Suspend a clock",
    "resume": "期限恢复 Resume a clock",
    "extend": "期限延长 Extend a clock",
}
_KEYS = {"reason", "on", "article", "extended_by"}
LONGEST = 1000
"""The longest extension, in the rule's unit; what the law allows is less."""
ARTICLE = re.compile(
    r"(?=.{2,200}$)[^\x00-\x1f\x7f]*(第[0-9〇一二三四五六七八九十百零]+条|art\. ?[0-9])[^\x00-\x1f\x7f]*"
)
"""A citation, thus with its article's number; events repeat it."""


def router(house: House, door: Door) -> APIRouter:
    """The routes: below ``/v1/clocks`` for upstream systems, below ``/v1/ops/clocks`` for operators."""
    routes = APIRouter(tags=["法定期限 Clocks"])
    acts = house.hands.clock_acts
    does: dict[str, Callable[[Principal, str, Act], Awaitable[Row]]] = {
        "suspend": acts.suspend,
        "resume": acts.resume,
        "extend": acts.extend,
    }
    for home, scope in (("/v1/clocks", "cases:write"), ("/v1/ops/clocks", "ops:write")):
        for name, act in does.items():
            routes.add_api_route(
                f"{home}/{{id}}/{name}",
                _handler(house, door, scope, name, act),
                methods=["POST"],
                summary=_TITLES[name],
            )
    return routes


def _handler(
    house: House, door: Door, scope: str, name: str, act: Callable[[Principal, str, Act], Awaitable[Row]]
) -> Callable[[Request], Awaitable[Response]]:
    async def call(request: Request) -> Response:
        principal = await door.principal(request, scope)
        wanted = _read(await json_body(request, _BODY), extends=name == "extend")
        row = await act(principal, request.path_params["id"], wanted)
        return answer(clock_view(row) | standing.rule_titles(row, house.law))

    return call


def _read(raw: bytes, *, extends: bool) -> Act:
    """The act of a body ``{reason, on?, article?, extended_by (of an extension)}``.

    Raises:
        Refused: 400 no JSON object, 422 no reason, 400 another value that is none.
    """
    try:
        body: Any = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Refused(400, "json_invalid") from None
    if not isinstance(body, dict):
        raise Refused(400, "json_invalid")
    for key in body:
        if key not in _KEYS or (key == "extended_by" and not extends):
            raise bad_parameter(key) if may_be_repeated(key) else Refused(400, "parameter")
    reason, article, by = reason_in(body), body.get("article"), body.get("extended_by", 0)
    if reason is None:
        raise Refused(422, "reason_missing")
    if article is not None and not (isinstance(article, str) and ARTICLE.fullmatch(article)):
        raise bad_parameter("article")
    if not isinstance(by, int) or isinstance(by, bool) or not (1 if extends else 0) <= by <= LONGEST:
        raise bad_parameter("extended_by")
    return Act(reason, _day(body.get("on")), None if article is None else article.strip(), by)


def _day(text: object) -> date | None:
    if text is None:
        return None
    try:
        if isinstance(text, str) and len(text) == len("2026-01-01"):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise bad_parameter("on")
