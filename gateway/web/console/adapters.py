"""适配器: which platform takes which type under which name; and a dry run: paste a case, see what would be sent where."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from contracts.findings import Language
from contracts.messages import MESSAGE_TYPES, MessageType
from gateway.flow.examining.rehearsal import Rehearsed
from gateway.flow.moving.order import Order, Refused
from gateway.web.console.desk import Page, Visit

_LONGEST: Final = 200_000


async def adapters(visit: Visit) -> Response:
    """The capability table."""
    return await _page(visit)


async def _page(
    visit: Visit, status: int = 200, *, body: str = "", result: Rehearsed | None = None, findings: Any = None
) -> Response:
    endpoints = visit.desk.house.endpoints
    table = {
        kind: {
            name: next((one.operation for one in endpoint.adapter.info.capabilities if one.type == kind), "")
            for name, endpoint in sorted(endpoints.items())
        }
        for kind in MessageType
    }
    return visit.render(
        "adapters.html",
        status,
        names=sorted(endpoints),
        infos={name: endpoint.adapter.info for name, endpoint in endpoints.items()},
        table=table,
        kinds=MESSAGE_TYPES,
        body=body,
        result=result,
        findings=findings,
    )


async def dry_run(visit: Visit) -> Response:
    """Nothing is stored and nothing leaves."""
    body = visit.form.text("body", _LONGEST)
    if not body:
        return await _page(visit, 422, findings=[("", visit.t("dryrun.empty"))])
    language = Language.ZH if visit.chinese else Language.EN
    try:
        found = await visit.desk.house.rehearsal.case(Order(MessageType.CASE_SUBMITTED, visit.principal, body.encode()))
    except Refused as refusal:
        told = [(finding.pointer, finding.message(language)) for finding in refusal.findings]
        return await _page(visit, 422, body=body, findings=told or [("", refusal.code)])
    return await _page(visit, body=body, result=found)


PAGES = (Page("/adapters", adapters, "view"), Page("/adapters", dry_run, "dryrun", "POST"))
