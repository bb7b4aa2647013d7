"""Papers that the gateway makes, for the organisation whose they are (文书): as PDF, or as DOCX to be finished in Word."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts.lists import AttachmentKind, ConfirmationRoute
from gateway.flow.house import House
from gateway.flow.moving.envelope import compact
from gateway.flow.moving.order import Refused
from gateway.flow.printing.press import Form
from gateway.store.journal import AuditEntry
from gateway.web.accepts import representation
from gateway.web.api.parameters import only_its_own, word
from gateway.web.api.reading import own_file
from gateway.web.auth import Door

_KINDS: Final = {"cases": "case", "agreements": "agreement", "confirmations": "confirmation"}
_FORMS: Final = {form.media_type: form for form in Form}
_SUMMARY: Final = "文书草稿 A paper, generated: PDF, or DOCX by Accept"


def router(house: House, door: Door) -> APIRouter:
    """The routes: ``GET /v1/{cases|agreements|confirmations}/{id}/papers/{kind}``."""
    routes = APIRouter(tags=["文书 Papers"])
    drafts = house.hands.drafts

    async def paper(request: Request, home: str) -> Response:
        principal = await door.principal(request, "cases:read")
        form = _FORMS[representation(request, tuple(_FORMS))]
        route = _route(request)
        file = await own_file(house, principal, request.path_params["id"])
        matter = file.matters.get(request.path_params["id"])
        kind = request.path_params["kind"]
        if matter is None or matter.kind != _KINDS[home] or kind not in set(AttachmentKind):
            raise Refused(404, "not_found")
        printed = await house.press.print(await drafts.sheet(file, matter, AttachmentKind(kind), route), form)
        facts = {"kind": kind, "form": str(form)} | ({} if route is None else {"route": str(route)})
        await house.store.audit(AuditEntry(principal.client, "paper.read", matter.id, None, compact(facts)))
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(printed.name, safe='')}",
            "Cache-Control": "no-store",
            "Vary": "Accept",
            "X-Content-Type-Options": "nosniff",
            "Repr-Digest": f"sha-256=:{b64encode(sha256(printed.data).digest()).decode()}:",
        }
        return Response(printed.data, 200, headers, printed.media_type)

    @routes.get("/v1/cases/{id}/papers/{kind}", summary=_SUMMARY)
    async def of_case(request: Request) -> Response:
        return await paper(request, "cases")

    @routes.get("/v1/agreements/{id}/papers/{kind}", summary=_SUMMARY)
    async def of_agreement(request: Request) -> Response:
        return await paper(request, "agreements")

    @routes.get("/v1/confirmations/{id}/papers/{kind}", summary=_SUMMARY)
    async def of_confirmation(request: Request) -> Response:
        return await paper(request, "confirmations")

    return routes


def _route(request: Request) -> ConfirmationRoute | None:
    only_its_own(request)
    given = word(request, "route")
    return ConfirmationRoute(given) if given else None
