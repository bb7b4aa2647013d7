"""What is read of a case and what hangs on it: the thing itself, the timeline, the platforms' views."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts.agreement import effective_at
from gateway.flow.house import House
from gateway.flow.moving.envelope import INTERNAL
from gateway.flow.moving.order import Principal, Refused
from gateway.flow.timing.next_steps import next_steps
from gateway.store.casefile import CaseFile, Matter
from gateway.store.places import of_document
from gateway.web.api import standing
from gateway.web.api.answers import answer, iso
from gateway.web.api.parameters import moment, only_its_own
from gateway.web.api.views import clock_view, delivery_view
from gateway.web.auth import Door

_TITLES = {
    "cases": "读取案件 Read a case",
    "agreements": "读取调解协议 Read an agreement",
    "confirmations": "读取确认申请 Read a confirmation",
    "transfers": "读取移送 Read a transfer",
    "referrals": "读取委派委托 Read a referral",
}
_KINDS = {
    "cases": "case",
    "agreements": "agreement",
    "confirmations": "confirmation",
    "transfers": "transfer",
    "referrals": "referral",
}


async def own_file(house: House, principal: Principal, matter: str) -> CaseFile:
    """The file that a thing lies in, if it is the caller's; else the one 404."""
    file = await house.store.load_of_matter(matter)
    if file is None or not principal.acts_for(file.organization):
        raise Refused(404, "not_found")
    return file


async def own_case(house: House, principal: Principal, case: str) -> CaseFile:
    """The file of the caller's case; the same 404 for the id of anything else, one that hangs on the case too."""
    file = await own_file(house, principal, case)
    if file.kind != "case" or file.subject != case:
        raise Refused(404, "not_found")
    return file


class Reader:
    """Composes what is read."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._links = house.hands.case_links

    async def matter(self, file: CaseFile, matter: Matter, principal: Principal) -> dict[str, Any]:
        """One thing: standing, document, deliveries, clocks, numbers, next steps."""
        store = self._house.store
        row = await store.row("message", matter.message)
        document = None
        if row is not None and matter.kind != "fulfilment":
            document = orjson.loads(store.unseal(row["document_sealed"], of_document(row["id"])))
        clocks = await store.rows("clocks_of", file.subject)
        origin = await standing.origin(self._house, file, matter)
        found: dict[str, Any] = {
            "id": matter.id,
            "kind": matter.kind,
            "status": matter.status,
            "version": matter.version,
            "organization": {"code": matter.organization},
            "case": file.subject if file.kind == "case" else None,
            "created_at": iso(matter.created_at),
            "updated_at": iso(matter.updated_at),
            "document": document,
            "clocks": [clock_view(clock) for clock in clocks if clock["about"].partition("/")[0] == matter.id],
            "deliveries": [delivery_view(row) for row in file.deliveries if row.about == matter.id],
            "external_refs": [
                {"endpoint": ref.endpoint, "kind": ref.kind, "value": ref.value}
                for ref in file.references
                if ref.about == matter.id
            ],
            "documents": await self.papers(file, matter.id),
            "next_steps": next_steps(matter, [clock_view(clock) for clock in clocks], file, *origin),
            "links": self._house.publisher.links(matter.id, file.subject if file.kind == "case" else None),
        }
        if matter.kind == "case":
            found["agreements"] = [_brief(found) for found in file.of_kind("agreement")]
            found["confirmations"] = [_brief(found) for found in file.of_kind("confirmation")]
            found["transfers"] = [_brief(found) for found in file.of_kind("transfer")]
            found["linked_cases"] = await self._links.shown(matter.id, principal) or None
        if matter.kind == "agreement":
            agreement = await self._house.contexts.agreement_of(file, matter)
            found["effective_at"] = None if agreement is None else effective_at(agreement).isoformat()
            found["fulfilment"] = [
                {"term_no": int(term.id.rpartition("/")[2]), "status": term.status, "updated_at": iso(term.updated_at)}
                for term in file.of_kind("fulfilment")
                if term.parent == matter.id and term.active
            ]
            found["confirmations"] = [
                _brief(found) for found in file.of_kind("confirmation") if found.parent == matter.id
            ]
        if matter.kind == "confirmation":
            found |= {"route": matter.facet, "agreement": matter.parent}
            found["correction"] = await standing.correction_asked(store, file, matter)
        if matter.kind == "referral" and origin[1] is not None:
            found["case"] = await standing.case_from(store, origin[1])
            if matter.status in ("offered", "accepted"):
                found["draft"] = await standing.draft_of(self._house, matter.id, origin[1])
        if matter.kind == "transfer":
            found["to"] = matter.facet
            found["correction"] = await standing.correction_asked(store, file, matter)
        return {key: value for key, value in found.items() if value is not None}

    async def papers(self, file: CaseFile, about: str) -> list[dict[str, Any]]:
        """Decision documents: where each stands, and the attachment to fetch it by."""
        rows = await self._house.store.rows("papers_of", file.subject)
        found = []
        for row in rows:
            if row["about"] != about:
                continue
            view: dict[str, Any] = {"endpoint": row["endpoint"], "state": row["state"], "code": row["code"]}
            if row["attachment"] is not None:
                info = await self._house.attachments.info(row["attachment"])
                view |= {
                    "attachment": info.id,
                    "kind": info.kind,
                    "name": info.name,
                    "media_type": info.media_type,
                    "size": info.size,
                    "sha256": info.sha256,
                    "link": f"{self._house.publisher.public_base}/v1/attachments/{info.id}",
                }
            found.append({key: value for key, value in view.items() if value is not None})
        return found

    async def timeline(self, file: CaseFile, principal: Principal) -> list[dict[str, Any]]:
        """Everything that happened, in order, over all platforms; not what tells of another organisation's case."""
        rows = await self._house.store.rows("events_of", file.subject)
        unseen = await self._links.unseen(file.subject, principal)
        rows = [row for row in rows if not unseen or not any(case in row["data"] for case in unseen)]
        return [
            {
                "sequence": row["sequence"],
                "id": row["id"],
                "type": row["type"],
                "about": row["about"],
                "at": iso(row["at"]),
                "published": row["type"] not in INTERNAL,
                "data": orjson.loads(row["data"]),
            }
            for row in rows
        ]


def _brief(matter: Matter) -> dict[str, Any]:
    brief = {"id": matter.id, "status": matter.status, "version": matter.version}
    if matter.kind == "confirmation":
        brief["route"] = matter.facet or ""
    if matter.kind == "transfer":
        brief["to"] = matter.facet or ""
    return brief


def router(house: House, door: Door) -> APIRouter:
    """The reading routes."""
    routes = APIRouter(tags=["查询 Reading"])
    reader = Reader(house)

    async def read(request: Request, home: str) -> Response:
        principal = await door.principal(request, "cases:read")
        identifier = request.path_params["id"]
        file = await own_file(house, principal, identifier)
        matter = file.matters[identifier]
        if matter.kind != _KINDS[home]:
            raise Refused(404, "not_found")
        return answer(await reader.matter(file, matter, principal), {"ETag": f'"{matter.version}"'})

    for home in _KINDS:

        async def read_one(request: Request, home: str = home) -> Response:
            return await read(request, home)

        routes.add_api_route(f"/v1/{home}/{{id}}", _bare(read_one), methods=["GET"], summary=_TITLES[home])

    @routes.get("/v1/mediators/{id:path}", summary="读取一名调解员 Read a mediator on the roster")
    async def read_mediator(request: Request) -> Response:
        principal = await door.principal(request, "cases:read")
        row = await house.store.row("find_matter", "mediator", request.path_params["id"])
        if row is None:
            raise Refused(404, "not_found")
        file = await own_file(house, principal, row["id"])
        matter = file.matters[row["id"]]
        home = f"{house.publisher.public_base}/v1/mediators/{quote(matter.business_key, safe='')}"
        named = {"certificate_no": matter.business_key, "links": {"self": home}}
        return answer(await reader.matter(file, matter, principal) | named, {"ETag": f'"{matter.version}"'})

    @routes.get("/v1/cases/{id}/timeline", summary="全程 Everything that happened")
    async def timeline(request: Request) -> Response:
        principal = await door.principal(request, "cases:read")
        file = await own_case(house, principal, request.path_params["id"])
        return answer({"case": file.subject, "items": await reader.timeline(file, principal)})

    @routes.get("/v1/cases/{id}/platforms", summary="各平台所知 What each platform knows")
    async def platforms(request: Request) -> Response:
        principal = await door.principal(request, "cases:read")
        only_its_own(request)
        file = await own_case(house, principal, request.path_params["id"])
        at = moment(request, "at")
        return answer({"case": file.subject, "platforms": await standing.platforms_of(house.store, file, at)})

    return routes


def _bare(handler: Any) -> Any:
    """A handler with the request alone as parameter, as FastAPI reads signatures."""

    async def call(request: Request) -> Response:
        response: Response = await handler(request)
        return response

    return call
