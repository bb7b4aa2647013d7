"""The schemas of documents and events, as they are exported from the models."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts.events import EVENT_TYPES, event_schema
from contracts.schemas import DOCUMENTS, packaged
from gateway.bus import asyncapi
from gateway.flow.house import House
from gateway.flow.moving.order import Refused
from gateway.web.api.answers import answer
from gateway.web.auth import Door


def router(house: House, door: Door) -> APIRouter:
    """The routes; in production behind the door."""
    routes = APIRouter(tags=["模式 Schemas"])

    @routes.get("/v1/asyncapi.json", summary="事件主题 The event topics (AsyncAPI 3)")
    async def topics(request: Request) -> Response:
        if house.settings.env == "production":
            await door.principal(request, "ops:read")
        settings = house.settings
        scheme, _, servers = settings.bus.partition("://")
        return answer(
            asyncapi.document(
                site=settings.site,
                public_base=settings.public_base.rstrip("/"),
                prefix=settings.kafka.prefix,
                partitions=settings.kafka.partitions,
                servers=servers or None,
                tls=scheme == "kafka+tls",
                intake=settings.kafka.intake is not None,
            )
        )

    @routes.get("/v1/schemas/{name}", summary="文书与事件的 JSON Schema JSON Schema of a document or event")
    async def read(request: Request) -> Response:
        if house.settings.env == "production":
            await door.principal(request, "ops:read")
        name = request.path_params["name"]
        kind, _, event = name.partition(".")
        if kind == "event" and event in EVENT_TYPES:
            return answer(event_schema(event))
        if name not in DOCUMENTS:
            raise Refused(404, "not_found")
        return Response(packaged(name), media_type="application/schema+json")

    return routes
