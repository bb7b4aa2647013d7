"""The door for platforms: ``/callbacks/<endpoint>/…``, authenticated and answered in the platform's own dialect."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.flow.house import House
from gateway.flow.moving.order import Refused
from gateway.web.bodies import Strangers

_LARGE_AT_ONCE = 4
"""Calls of the largest size that are in memory at the same time."""

_SKIPPED = frozenset({"content-length", "transfer-encoding", "connection"})


def router(house: House) -> APIRouter:
    """The routes."""
    routes = APIRouter(include_in_schema=False)
    limit = house.settings.limits.callback
    strangers = Strangers(_LARGE_AT_ONCE * limit)

    @routes.api_route("/callbacks/{endpoint}", methods=["GET", "POST"])
    @routes.api_route("/callbacks/{endpoint}/{rest:path}", methods=["GET", "POST"])
    async def call(request: Request) -> Response:
        endpoint = request.path_params["endpoint"]
        if not house.receiver.knows(endpoint):
            raise Refused(404, "not_found")
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)
        path = "/" + request.path_params.get("rest", "")
        query = request.scope["query_string"].decode("latin-1")
        async with strangers.body(request, limit) as body:
            reply = await house.receiver.receive(endpoint, request.method, path, query, headers, body)
        response = Response(reply.body, reply.status)
        del response.headers["content-length"]
        for name, value in reply.headers:
            if name.lower() not in _SKIPPED:
                response.headers.append(name, value)
        response.headers["content-length"] = str(len(reply.body))
        return response

    return routes
