"""A person's word on a clock: suspend, resume, extend; for the organisation's own clocks, and for the operator every one."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts.findings import Code, Expected, Finding
from contracts.shape import unknown_field
from gateway.flow.house import House
from gateway.flow.moving.order import Principal, Refused
from gateway.flow.timing.clock_acts import Act
from gateway.store.engine import Row
from gateway.web.api import standing
from gateway.web.api.answers import answer
from gateway.web.api.views import clock_view
from gateway.web.auth import Door
from gateway.web.bodies import json_body, object_in, reason_fault

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
        Refused: 400 no JSON object, 422 with every finding; ``reason_missing`` where the reason alone is wrong.
    """
    body = object_in(raw)
    fault = reason_fault(body)
    takes = _KEYS if extends else _KEYS - {"extended_by"}
    findings = [unknown_field("", key) for key in body if key not in takes]
    article, by, on = body.get("article"), body.get("extended_by", 0), _day(body.get("on"))
    if article is not None and not (isinstance(article, str) and ARTICLE.fullmatch(article)):
        findings.append(Finding.of("/article", Code.WRONG_TYPE, expected=Expected.ARTICLE))
    if extends and not (isinstance(by, int) and not isinstance(by, bool) and 1 <= by <= LONGEST):
        given = "extended_by" in body
        findings.append(
            Finding.of("/extended_by", Code.WRONG_TYPE, expected=Expected.COUNT)
            if given
            else Finding.of("/extended_by", Code.MISSING)
        )
    if body.get("on") is not None and on is None:
        findings.append(Finding.of("/on", Code.WRONG_TYPE, expected=Expected.DATE))
    if findings or fault is not None:
        raise Refused(
            422, "body_field" if findings else "reason_missing", (*findings, *([] if fault is None else [fault]))
        )
    return Act(str(body["reason"]).strip(), on, None if article is None else article.strip(), by if extends else 0)


def _day(text: object) -> date | None:
    try:
        if isinstance(text, str) and len(text) == len("2026-01-01"):
            return date.fromisoformat(text)
    except ValueError:
        pass
    return None
