"""Webhook endpoints (订阅端点): clients subscribe, change, test, rotate keys, replay and leave."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError
from starlette.responses import Response

from contracts.shape import body_findings
from contracts.webhook import Kind
from gateway.flow.house import House
from gateway.flow.moving.order import Principal, Refused
from gateway.flow.registering.subscriptions import Objection, Subscriptions, Wish, fields_refused
from gateway.web.api.answers import answer, once_answered
from gateway.web.auth import Door
from gateway.web.bodies import json_body, once, value_in

_BODY = 64 * 1024
_SCOPE = "webhooks:write"

_Codes = Annotated[list[Annotated[StrictStr, Field(min_length=1, max_length=32)]], Field(min_length=1, max_length=1000)]
_Filters = Annotated[list[Annotated[StrictStr, Field(max_length=64)]], Field(min_length=1, max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class NewWebhook(_Body):
    """A subscription (订阅)."""

    url: Annotated[StrictStr, Field(max_length=2048)]
    events: _Filters
    description: Annotated[StrictStr, Field(max_length=200)] | None = None
    organizations: _Codes | None = None
    signing: Annotated[list[Kind], Field(min_length=1, max_length=2)] | None = None


class WebhookChange(_Body):
    """Changes of a subscription; what is absent stays. ``organizations`` null: all of the client's."""

    url: Annotated[StrictStr, Field(max_length=2048)] | None = None
    events: _Filters | None = None
    description: Annotated[StrictStr, Field(max_length=200)] | None = None
    organizations: _Codes | None = None
    signing: Annotated[list[Kind], Field(min_length=1, max_length=2)] | None = None
    enabled: StrictBool | None = None
    replay_after: Annotated[StrictStr, Field(pattern="^[0-9]{1,18}$")] | None = None


class Rotation(_Body):
    """A rotation of keys (密钥轮换)."""

    overlap_hours: StrictInt = 24
    compromised: StrictBool = False


BodyT = TypeVar("BodyT", bound=_Body)


async def _read(
    request: Request, kind: type[BodyT], meant: Callable[[Mapping[str, Any]], Iterable[Objection]] = lambda given: ()
) -> BodyT:
    """The body of a call. ``meant`` tells what is wrong with the meaning of the fields that it is given.

    Raises:
        Refused: 400 no JSON, 422 with the place of every finding, about the meaning of sound fields too.
    """
    value = value_in(await json_body(request, _BODY))
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        broken = {detail["loc"][0] for detail in error.errors(include_url=False, include_input=False) if detail["loc"]}
        given = value if isinstance(value, dict) else {}
        sound = {name: given[name] for name in kind.model_fields if name in given and name not in broken}
        raise fields_refused(meant(sound), body_findings(error, value)) from None


def _wish(given: Mapping[str, Any]) -> Wish:
    """The wish of the fields of a body that were given."""
    events, organizations, signing = given.get("events"), given.get("organizations"), given.get("signing")
    replay = given.get("replay_after")
    return Wish(
        url=given.get("url"),
        description=given.get("description"),
        events=None if events is None else tuple(events),
        organizations=None if organizations is None else tuple(organizations),
        every_organization="organizations" in given and organizations is None,
        signing=None if signing is None else tuple(dict.fromkeys(signing)),
        enabled=given.get("enabled"),
        replay_after=None if replay is None else int(replay),
    )


def _given(body: _Body) -> dict[str, Any]:
    return body.model_dump(exclude_unset=True)


def router(house: House, door: Door) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/webhook-endpoints", tags=["订阅 Webhooks"])

    async def enter(request: Request) -> tuple[Principal, Subscriptions]:
        principal = await door.principal(request, _SCOPE)
        if house.subscriptions is None:
            raise Refused(503, "unavailable")
        return principal, house.subscriptions

    @routes.post("", summary="订阅 Subscribe", status_code=201, openapi_extra=_takes(NewWebhook))
    async def subscribe(request: Request) -> Response:
        principal, subscriptions = await enter(request)
        asked = await _read(request, NewWebhook, lambda given: subscriptions.objections(principal, _wish(given)))
        keyed = once(request, principal.client, asked.model_dump(mode="json", exclude_unset=True))
        subscribe = partial(subscriptions.subscribe, principal, _wish(_given(asked)), keyed)
        home = f"{house.publisher.public_base}/v1/webhook-endpoints"
        return await once_answered(house, keyed, subscribe, partial(subscriptions.shown, principal), 201, home)

    @routes.get("", summary="订阅列表 List subscriptions")
    async def listed(request: Request) -> Response:
        principal, subscriptions = await enter(request)
        return answer({"items": await subscriptions.all(principal)})

    @routes.get("/{id}", summary="一个订阅 One subscription")
    async def one(request: Request) -> Response:
        principal, subscriptions = await enter(request)
        return answer(await subscriptions.read(principal, request.path_params["id"]))

    @routes.patch("/{id}", summary="更改订阅 Change a subscription", openapi_extra=_takes(WebhookChange))
    async def change(request: Request) -> Response:
        principal, subscriptions = await enter(request)
        asked = await _read(request, WebhookChange, lambda given: subscriptions.objections(principal, _wish(given)))
        wish = _wish(_given(asked))
        return answer(await subscriptions.change(principal, request.path_params["id"], wish))

    @routes.delete("/{id}", summary="退订 Leave", status_code=204)
    async def leave(request: Request) -> Response:
        principal, subscriptions = await enter(request)
        await subscriptions.leave(principal, request.path_params["id"])
        return Response(status_code=204)

    @routes.post("/{id}/test", summary="发送测试事件 Send a test event")
    async def test(request: Request) -> Response:
        principal, subscriptions = await enter(request)
        return answer(await subscriptions.test(principal, request.path_params["id"]))

    @routes.post("/{id}/rotate-secret", summary="轮换密钥 Rotate keys", openapi_extra=_takes(Rotation))
    async def rotate(request: Request) -> Response:
        principal, subscriptions = await enter(request)
        asked = await _read(request, Rotation)
        keyed = once(request, principal.client, asked.model_dump(mode="json"))
        identifier, hours = request.path_params["id"], asked.overlap_hours
        rotate = partial(subscriptions.rotate, principal, identifier, hours, compromised=asked.compromised, once=keyed)
        return await once_answered(house, keyed, rotate, partial(subscriptions.shown, principal))

    return routes


def _takes(kind: type[_Body]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": kind.model_json_schema()}}}}
