"""Documents in: every ``POST`` and ``PUT`` of the contract that brings one, as one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts.messages import MessageType
from contracts.schemas import DOCUMENTS as NAMED
from gateway.flow.house import House
from gateway.flow.moving.documents import DOCUMENTS
from gateway.flow.moving.order import Order
from gateway.web.api.answers import answer
from gateway.web.api.parameters import bad_parameter, only_its_own
from gateway.web.api.translations import rehearsed_view
from gateway.web.auth import Door
from gateway.web.bodies import idempotency_key, if_match, json_body
from gateway.web.front import WHOLE, Handler

T = MessageType


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its address, the message type it makes, whether it revises."""

    method: str
    path: str
    type: MessageType
    title: str
    revises: bool = False


CALLS = (
    Call("POST", "/v1/cases", T.CASE_SUBMITTED, "报送案件 Submit a case"),
    Call("PUT", "/v1/cases/{id}", T.CASE_REVISED, "更正案件 Revise a case", revises=True),
    Call("POST", "/v1/cases/{id}/progress", T.CASE_PROGRESSED, "报送进展 Report progress"),
    Call("POST", "/v1/cases/{id}/agreements", T.AGREEMENT_CONCLUDED, "报送调解协议 Report an agreement"),
    Call("PUT", "/v1/agreements/{id}", T.AGREEMENT_CONCLUDED, "更正协议 Revise an agreement", revises=True),
    Call("POST", "/v1/cases/{id}/transfers", T.TRANSFER_REQUESTED, "移送 Request a transfer"),
    Call("PUT", "/v1/transfers/{id}", T.TRANSFER_REQUESTED, "更正移送 Revise a transfer", revises=True),
    Call("POST", "/v1/cases/{id}/alerts", T.CASE_ALERTED, "重大集体争议预警 Raise an alert"),
    Call("POST", "/v1/cases/{id}/follow-ups", T.CASE_FOLLOWED_UP, "回访 Record a follow-up"),
    Call("POST", "/v1/agreements/{id}/confirmations", T.CONFIRMATION_REQUESTED, "申请确认 Request a confirmation"),
    Call("PUT", "/v1/confirmations/{id}", T.CONFIRMATION_REQUESTED, "更正确认申请 Revise a request", revises=True),
    Call("POST", "/v1/agreements/{id}/performances", T.AGREEMENT_PERFORMED, "报送履行 Report performance"),
    Call("POST", "/v1/confirmations/{id}/supplements", T.CONFIRMATION_SUPPLEMENTED, "补正 Supplement"),
    Call("POST", "/v1/confirmations/{id}/withdrawal", T.CONFIRMATION_WITHDRAWAL_REQUESTED, "撤回 Withdraw"),
    Call("POST", "/v1/referrals/{id}/answer", T.REFERRAL_ANSWERED, "答复委派委托 Answer a referral"),
    Call("POST", "/v1/referrals/{id}/result", T.REFERRAL_RETURNED, "反馈结果 Return a result"),
    Call("PUT", "/v1/mediators/{id}", T.MEDIATOR_LISTED, "调解员名册 List a mediator"),
)
"""Every call that brings a document."""

_SCHEMAS = {kind: name for name, kind in NAMED.items()}


def handlers(house: House, door: Door) -> dict[tuple[str, str], Handler]:
    """The handler of each of ``CALLS``, by method and path."""
    return {(call.method, call.path): _handler(house, door, call) for call in CALLS}


def router(handlers: Mapping[tuple[str, str], Handler]) -> APIRouter:
    """The routes of ``CALLS``."""
    routes = APIRouter(tags=["文书 Documents"])
    for call in CALLS:
        document = DOCUMENTS[call.type].__name__
        routes.add_api_route(
            call.path.replace("{id}", "{id:path}") if call.path.split("/")[2] in WHOLE else call.path,
            handlers[call.method, call.path],
            methods=[call.method],
            summary=call.title,
            status_code=202,
            operation_id=f"{call.method.lower()}_{call.path.removeprefix('/v1/').replace('/', '_').replace('{id}', 'id')}",
            openapi_extra={
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{document}"}}},
                },
            },
        )
    return routes


def _rehearsed(request: Request, call: Call) -> bool:
    """Whether the call is a dry run. A word that is neither yes nor no is refused, a misspelt wish, and one where there is
    none: whoever asks for a dry run must never be taken at his word."""
    if call.type is not T.CASE_SUBMITTED and "dry_run" in request.query_params:
        raise bad_parameter("dry_run")
    only_its_own(request)
    wish = request.query_params.get("dry_run", "false").lower()
    if wish not in ("true", "1", "false", "0"):
        raise bad_parameter("dry_run", ("true", "false"))
    return wish in ("true", "1")


def _handler(house: House, door: Door, call: Call) -> Handler:
    async def take(request: Request) -> Response:
        principal = await door.principal(request, "cases:write")
        raw = await json_body(request, house.settings.limits.document)
        order = Order(
            call.type,
            principal,
            raw,
            target=request.path_params.get("id"),
            key=idempotency_key(request),
            revises=call.revises,
            if_match=if_match(request),
        )
        if request.scope["query_string"] and _rehearsed(request, call):
            return answer(rehearsed_view(await house.rehearsal.case(order)))
        accepted = await house.intake.take(order)
        headers = {"ETag": f'"{accepted.version}"'}
        location = house.publisher.links(accepted.about, None).get("self")
        if call.type is T.MEDIATOR_LISTED:
            location = f"{house.publisher.public_base}/v1/mediators/{quote(order.target or '', safe='')}"
        if location is not None:
            headers["Location"] = location
        if accepted.replayed:
            headers["Idempotency-Replayed"] = "true"
        return Response(accepted.answer, 202, headers, "application/json")

    return take
