"""What is read of cases and what hangs on them: the thing itself, lists, the timeline, the platforms' views, clocks."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts.agreement import effective_at
from contracts.status import CaseStatus, ClockState, ReferralStatus
from gateway.flow.envelope import BEIJING, INTERNAL
from gateway.flow.house import House
from gateway.flow.next_steps import next_steps
from gateway.flow.once import Once, answered
from gateway.flow.order import Principal, Refused
from gateway.flow.references import fold
from gateway.store.casefile import CaseFile, Matter, matter_of
from gateway.store.engine import Row, many
from gateway.store.places import of_document
from gateway.web.api import standing
from gateway.web.auth import Door

_PAGE = 100
_STATUSES: dict[str, frozenset[str]] = {
    "case": frozenset(CaseStatus),
    "referral": frozenset(ReferralStatus),
    "mediator": frozenset({"active", "left"}),
}
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


def iso(ms: int | None) -> str | None:
    """A time in ms as RFC 3339 in Beijing time."""
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(BEIJING).isoformat(timespec="milliseconds")


def answer(content: Any, headers: dict[str, str] | None = None, status: int = 200) -> Response:
    """A JSON answer that no cache keeps (it may hold personal data)."""
    return Response(orjson.dumps(content), status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


async def once_answered(
    house: House,
    once: Once | None,
    act: Callable[[], Awaitable[str]],
    tell: Callable[[str], Awaitable[dict[str, Any]]],
    status: int = 200,
    home: str | None = None,
) -> Response:
    """The answer to an act that may come under an ``Idempotency-Key``. ``act`` returns the id of what it made or moved,
    ``tell`` what is said of it; ``home``: the address that such things lie below, where one was made."""

    async def told(about: str) -> bytes:
        return orjson.dumps(await tell(about))

    body, repeated = await answered(house.store, once, act, told)
    headers = {"Cache-Control": "no-store"}
    if home is not None:
        headers["Location"] = f"{home}/{orjson.loads(body)['id']}"
    if repeated:
        headers["Idempotency-Replayed"] = "true"
    return Response(body, status, headers, "application/json")


def bad_parameter(name: str) -> Refused:
    """A refusal that names the query parameter."""
    return Refused(400, "parameter", extra={"parameter": name})


def one_of(request: Request, name: str, words: frozenset[str], default: str) -> str:
    """A parameter out of a closed list. A word that is none of it would find nothing, and look like an answer."""
    given = request.query_params.get(name, default)
    if given != default and given not in words:
        raise bad_parameter(name)
    return given


async def endpoint_of(house: House, request: Request) -> str:
    """The ``endpoint`` parameter, ``""`` without one: the name of an endpoint that there is or was."""
    return one_of(request, "endpoint", frozenset(row["name"] for row in await house.store.rows("all_endpoints")), "")


def page_limit(request: Request, most: int = _PAGE) -> int:
    """The ``limit`` parameter."""
    given = request.query_params.get("limit", str(most))
    if not given.isascii() or not given.isdigit() or len(given) > 9 or not 1 <= int(given) <= 1000:
        raise bad_parameter("limit")
    return min(int(given), most)


def pack_cursor(place: list[Any]) -> str:
    """An opaque cursor."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def unpack_cursor(request: Request, length: int) -> list[Any] | None:
    """The cursor's content, ``None`` without one."""
    given = request.query_params.get("cursor")
    if given is None:
        return None
    try:
        place = orjson.loads(base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)))
    except (binascii.Error, ValueError):
        raise bad_parameter("cursor") from None
    if not isinstance(place, list) or len(place) != length:
        raise bad_parameter("cursor")
    return place


async def own_file(house: House, principal: Principal, matter: str) -> CaseFile:
    """The file that a thing lies in, if it is the caller's; else the one 404."""
    file = await house.store.load_of_matter(matter)
    if file is None or not principal.acts_for(file.organization):
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


def delivery_view(row: Any) -> dict[str, Any]:
    """A delivery as its owner sees it."""
    view = {
        "id": row.id,
        "type": row.type,
        "endpoint": row.endpoint,
        "state": row.state,
        "attempts": row.attempts,
        "code": row.code,
        "reference": row.reference,
        "created_at": iso(row.created_at),
        "next_at": iso(row.next_at) if row.state == "pending" else None,
        "finished_at": iso(row.finished_at),
        "requires": row.requires,
    }
    return {key: value for key, value in view.items() if value is not None}


def clock_view(row: Any) -> dict[str, Any]:
    """A clock as it is read."""
    subject = "case" if row["subject"].startswith("case_") else "referral"
    view = {
        "id": row["id"],
        "about": row["about"],
        subject: row["subject"],
        "rule": row["rule"],
        "start": row["started_on"],
        "due": row["due_on"],
        "latest_safe_time": iso(row["safe_at"]),
        "state": row["state"],
        "provisional": bool(row["provisional"]),
        "calendar_version": row["calendar"],
    }
    if row["extended_by"]:
        view["extended_by"] = row["extended_by"]
    pauses = [{"from": first, "until": until} for first, until in orjson.loads(row["pauses"])]
    return view | ({"pauses": pauses} if pauses else {})


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

    @routes.get("/v1/cases", summary="查找案件 Find cases")
    async def find_cases(request: Request) -> Response:
        principal = await door.principal(request, "cases:read")
        return answer(await _find(house, principal, request))

    @routes.get("/v1/referrals", summary="委派委托列表 List referrals")
    async def list_referrals(request: Request) -> Response:
        principal = await door.principal(request, "cases:read")
        return answer(await _listed(house, principal, request, "referral"))

    @routes.get("/v1/mediators", summary="调解员名册 Roster of mediators")
    async def list_mediators(request: Request) -> Response:
        principal = await door.principal(request, "cases:read")
        return answer(await _listed(house, principal, request, "mediator"))

    @routes.get("/v1/cases/{id}/timeline", summary="全程 Everything that happened")
    async def timeline(request: Request) -> Response:
        principal = await door.principal(request, "cases:read")
        file = await own_file(house, principal, request.path_params["id"])
        return answer({"case": file.subject, "items": await reader.timeline(file, principal)})

    @routes.get("/v1/cases/{id}/platforms", summary="各平台所知 What each platform knows")
    async def platforms(request: Request) -> Response:
        principal = await door.principal(request, "cases:read")
        file = await own_file(house, principal, request.path_params["id"])
        at = request.query_params.get("at")
        moment = None
        if at is not None:
            try:
                moment = datetime.fromisoformat(at)
            except ValueError:
                raise bad_parameter("at") from None
            if moment.tzinfo is None:
                raise bad_parameter("at")
        return answer({"case": file.subject, "platforms": await standing.platforms_of(house.store, file, moment)})

    @routes.get("/v1/clocks", summary="法定期限 Clocks")
    async def clocks(request: Request) -> Response:
        principal = await door.principal(request, "cases:read")
        return answer(await _clocks(house, principal, request))

    return routes


def _bare(handler: Any) -> Any:
    """A handler with the request alone as parameter, as FastAPI reads signatures."""

    async def call(request: Request) -> Response:
        response: Response = await handler(request)
        return response

    return call


async def _find(house: House, principal: Principal, request: Request) -> dict[str, Any]:
    number = request.query_params.get("external_ref")
    if number is not None:
        rows = await house.store.rows("find_folded", fold(number))
        subjects = list(dict.fromkeys(row["subject"] for row in rows))
        found = []
        for subject in subjects[:_PAGE]:
            file = await house.store.load(subject)
            if file is not None and file.kind == "case" and principal.acts_for(file.organization):
                found.append(_listing(file.matters[subject]))
        return {"items": found}
    return await _listed(house, principal, request, "case")


async def _listed(house: House, principal: Principal, request: Request, kind: str) -> dict[str, Any]:
    limit = page_limit(request)
    cursor = unpack_cursor(request, 1)
    updated = request.query_params.get("updated_after")
    since = 0
    if updated is not None:
        try:
            moment = datetime.fromisoformat(updated)
        except ValueError:
            raise bad_parameter("updated_after") from None
        if moment.tzinfo is None:
            raise bad_parameter("updated_after")
        since = round(moment.timestamp() * 1000)
    status = one_of(request, "status", _STATUSES[kind], "")
    source_no = request.query_params.get("source_case_no", "")
    after = str(cursor[0]) if cursor else ""

    def wanted(row: Row) -> bool:
        return row["id"] > after and row["updated_at"] >= since and status in ("", row["status"])

    if "*" in principal.organizations and source_no and kind == "case":
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
    limit = page_limit(request)
    case = request.query_params.get("case")
    if case is not None:
        file = await own_file(house, principal, case)
        rows = await house.store.rows("clocks_of", file.subject)
        return {"items": [clock_view(row) | standing.rule_titles(row, house.law) for row in rows]}
    before = request.query_params.get("due_before", "9999-12-31")
    try:
        before = date.fromisoformat(
            before
        ).isoformat()  # days are compared as texts: other spellings would lie elsewhere
    except ValueError:
        raise bad_parameter("due_before") from None
    state = one_of(request, "state", frozenset(ClockState), "running")
    cursor = unpack_cursor(request, 2)
    rows = await house.store.rows(
        "list_clocks",
        state,
        before,
        orjson.dumps(sorted(principal.organizations)).decode(),
        "*" in principal.organizations,
        str(cursor[0]) if cursor else "",
        str(cursor[1]) if cursor else "",
        limit + 1,
    )
    page: dict[str, Any] = {"items": [clock_view(row) | standing.rule_titles(row, house.law) for row in rows[:limit]]}
    if len(rows) > limit:
        page["cursor"] = pack_cursor([rows[limit - 1]["due_on"], rows[limit - 1]["id"]])
    return page
