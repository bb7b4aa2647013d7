"""The ASGI application: routes, refusals, request ids."""

from __future__ import annotations

import re
import sqlite3

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.base import RequestResponseEndpoint
from starlette.responses import Response

from gateway.flow.house import House
from gateway.flow.order import Refused
from gateway.store.engine import StoreUnavailable
from gateway.web import docs
from gateway.web.api import attachments, batches, callbacks, documents, events, health, ops, reading, schemas, webhooks
from gateway.web.auth import Door
from gateway.web.console import mount as console
from gateway.web.problems import problem, refused

log = structlog.get_logger("gateway.web")

_REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "media_type"}


def web(house: House) -> FastAPI:
    """The application over a composed house."""
    application = FastAPI(
        title="劳动争议调解对接网关 Mediation gateway",
        version="1",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    door = Door(house)
    for routes in (
        batches.router(house, door),
        documents.router(house, door),
        reading.router(house, door),
        attachments.router(house, door),
        events.router(house, door),
        webhooks.router(house, door),
        ops.router(house, door),
        health.router(house, door),
        schemas.router(house, door),
        callbacks.router(house),
    ):
        application.include_router(routes)
    console.mount(application, house)
    docs.mount(application, house, door)
    _refusals(application)
    _request_ids(application, house)
    return application


def _refusals(application: FastAPI) -> None:
    @application.exception_handler(Refused)
    async def on_refused(request: Request, error: Refused) -> Response:
        log.info("refused", status=error.status, code=error.code, codes=sorted({f.code for f in error.findings}))
        return refused(request, error)

    @application.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> Response:
        return problem(request, 400, "parameter")

    @application.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        code = _CODES.get(error.status_code, "parameter")
        return problem(request, error.status_code, code, headers=dict(error.headers or {}))  # ``Allow`` above all

    @application.exception_handler(StoreUnavailable)
    @application.exception_handler(sqlite3.OperationalError)
    async def on_store(request: Request, error: Exception) -> Response:
        log.error("store_failed", error=type(error).__name__)
        return problem(request, 503, "unavailable", headers={"Retry-After": "5"})


def _request_ids(application: FastAPI, house: House) -> None:
    @application.middleware("http")
    async def name_request(request: Request, call_next: RequestResponseEndpoint) -> Response:
        given = request.headers.get("x-request-id", "")
        identifier = given if _REQUEST_ID.fullmatch(given) else house.store.ids.new("request")
        try:
            response = await call_next(request)
        except Exception as error:
            log.error("request_failed", request=identifier, error=type(error).__name__)
            response = problem(request, 500, "internal")
        response.headers["X-Request-Id"] = identifier
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response
