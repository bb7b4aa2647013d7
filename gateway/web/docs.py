"""Where the description of the API is served, and its page, which works without internet; in production behind the door."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

import orjson
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from gateway.flow.house import House
from gateway.web.auth import Door

_ADDRESS: Final = "/v1/openapi.json"


def mount(application: FastAPI, house: House, door: Door) -> None:
    """The page at ``/docs`` and the description that it shows."""
    guarded = house.settings.env == "production"
    static = StaticFiles(directory=str(files("fastapi_offline").joinpath("static")))

    async def files_of_the_page(scope: Scope, receive: Receive, send: Send) -> None:
        if guarded:
            await door.principal(Request(scope), "ops:read")
        await static(scope, receive, send)

    application.mount("/docs/static", files_of_the_page, name="docs-static")

    @application.get(_ADDRESS, include_in_schema=False)
    async def description(request: Request) -> Response:
        if guarded:
            await door.principal(request, "ops:read")
        from gateway.web.description import described

        return Response(orjson.dumps(described(application.openapi())), media_type="application/json")

    @application.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        if guarded:
            await door.principal(request, "ops:read")
        return get_swagger_ui_html(
            openapi_url=_ADDRESS,
            title="API",
            swagger_js_url="/docs/static/swagger-ui-bundle.js",
            swagger_css_url="/docs/static/swagger-ui.css",
            swagger_favicon_url="/docs/static/favicon.png",
        )
