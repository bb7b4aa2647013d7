"""The ASGI application: routes, refusals, request ids."""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match, Mount

from gateway.flow.house import House
from gateway.web import docs
from gateway.web.api import (
    attachments,
    batches,
    callbacks,
    clocks,
    documents,
    events,
    health,
    ledger,
    lists,
    ops,
    papers,
    reading,
    reconciliations,
    redrives,
    reports,
    schemas,
    tokens,
    webhooks,
)
from gateway.web.auth import Door
from gateway.web.console import mount as console
from gateway.web.front import REFUSALS, Front, Named
from gateway.web.problems import problem

_CODES = {404: "route_unknown", 405: "method_not_allowed", 413: "too_large", 415: "media_type"}
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def web(house: House) -> Front:
    """The application over a composed house."""
    application = FastAPI(
        title="劳动争议调解对接网关 Mediation gateway",
        version="1",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # it would lead to whatever host the request names
    )
    door = Door(house)
    straight = documents.handlers(house, door)
    for routes in (
        batches.router(house, door),
        documents.router(straight),
        lists.router(house, door),
        reading.router(house, door),
        clocks.router(house, door),
        attachments.router(house, door),
        papers.router(house, door),
        events.router(house, door),
        webhooks.router(house, door),
        ledger.router(house, door),
        tokens.router(door),
        reports.router(house, door),
        ops.router(house, door),
        reconciliations.router(house, door),
        redrives.router(house, door),
        health.router(house, door),
        schemas.router(house, door),
        callbacks.router(house),
    ):
        application.include_router(routes)
    console.mount(application, house)
    docs.mount(application, house, door)
    _refusals(application)
    trust_trace = house.store.tracer.on and house.settings.tracing.trust_upstream
    named = partial(Named, ids=house.store.ids, watch=house.store.watch, trust_trace=trust_trace)
    application.add_middleware(named)
    return Front(application, straight, named)


def _refusals(application: FastAPI) -> None:
    for kind, answer in REFUSALS.items():
        application.add_exception_handler(kind, answer)

    @application.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> Response:
        return problem(request, 400, "parameter")

    @application.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        code, headers = _CODES.get(error.status_code, "parameter"), dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_allowed(application, request))
        return problem(request, error.status_code, code, headers=headers)


def _allowed(application: FastAPI, request: Request) -> list[str]:
    """Every method of the called path (RFC 9110 §15.5.6): the framework tells those of the first route alone."""
    found = [
        method
        for method in _METHODS
        if any(
            not isinstance(route, Mount) and route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in application.routes
        )
    ]
    return found or ["GET", "HEAD"]  # a mounted file
