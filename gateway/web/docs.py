"""The description of the API (OpenAPI 3.1) and its page, which works without internet; in production behind the door."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from contracts.schemas import DOCUMENTS, packaged
from gateway.flow.house import House
from gateway.web.api import tokens
from gateway.web.auth import Door
from gateway.web.examples import refusals, with_examples

_ADDRESS: Final = "/v1/openapi.json"
_IN_PATH: Final = re.compile(r"\{(\w+)\}")
_OPEN: Final = frozenset({"/healthz", "/readyz"})
_ORDERED: Final = {"post": "Idempotency-Key", "put": "If-Match"}
_QUERIES: Final[dict[str, tuple[str, ...]]] = {
    "post /v1/cases": ("dry_run",),
    "get /v1/cases": ("source_case_no", "external_ref", "status", "updated_after", "cursor", "limit"),
    "get /v1/referrals": ("status", "cursor", "limit"),
    "get /v1/mediators": ("cursor", "limit"),
    "get /v1/cases/{id}/platforms": ("at",),
    "get /v1/agreements/{id}/papers/{kind}": ("route",),
    "get /v1/clocks": ("case", "due_before", "state", "cursor", "limit"),
    "get /v1/events": ("after", "type", "limit"),
    "get /v1/events/stream": ("after", "type"),
    "get /v1/ledger": (*("organization", "from", "to", "period", "basis", "cursor", "limit", "plain"),),
    "get /v1/statistics": ("organization", "from", "to", "period"),
    "get /v1/indicators": ("organization", "from", "to", "period"),
    "get /v1/ops/deliveries": ("state", "endpoint", "case", "cursor", "limit"),
    "get /v1/ops/tasks": ("state", "kind", "cursor", "limit"),
    "get /v1/ops/orphans": ("cursor", "limit"),
    "get /v1/ops/reconciliations": ("endpoint", "cursor", "limit"),
    "get /v1/ops/reconciliations/{id}": ("cursor", "limit"),
    "get /v1/ops/redrives": ("cursor", "limit"),
    "get /v1/ops/redrives/{id}/items": ("state", "cursor", "limit"),
}
_KEYED: Final = frozenset(
    {
        "post /v1/ops/redrives",
        "post /v1/ops/deliveries/{id}/redrive",
        "post /v1/ops/deliveries/{id}/resolve",
        "post /v1/ops/reconciliations",
        "post /v1/ops/reconciliations/{id}/heal",
        "post /v1/webhook-endpoints",
        "post /v1/webhook-endpoints/{id}/rotate-secret",
    }
)
"""Acts that would act again where they are repeated after a lost answer: they take an ``Idempotency-Key``, as documents do."""
_HEADERS: Final[dict[str, tuple[str, ...]]] = {
    "get /v1/ledger": ("X-Reason",),
    "post /v1/cases:batch": ("Idempotency-Key",),
}
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "RFC 9457: 全部问题一次列出，从不回显输入值 all findings at once, never an input value",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string"},
        "link": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Finding"}},
        "warnings": {"type": "array", "items": {"$ref": "#/components/schemas/Finding"}},
    },
}
_FINDING: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["pointer", "code"],
    "properties": {name: {"type": "string"} for name in ("pointer", "code", "message", "message_zh")},
}


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


def described(drawn: dict[str, Any]) -> dict[str, Any]:
    """What the framework drew from the routes, with all that it cannot see in them: the caller's credential, the parts of
    the path, the parameters that are read by hand, the documents' schemas and the form of a refusal."""
    paths = {
        path: {method: _call(path, method, call) for method, call in calls.items()}
        for path, calls in drawn["paths"].items()
    }
    components = dict(drawn.get("components", {}))
    components["schemas"] = {**components.get("schemas", {}), **_documents(), "Problem": _PROBLEM, "Finding": _FINDING}
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "API 密钥 API key: <prefix>.<secret>"},
        "oauth2": tokens.SCHEME,
        "client": {"type": "http", "scheme": "basic", "description": "client_id:client_secret (RFC 6749 §2.3.1)"},
    }
    return {**drawn, "paths": paths, "components": components, "security": [{"key": []}, {"oauth2": []}]}


def _call(path: str, method: str, call: dict[str, Any]) -> dict[str, Any]:
    told = {(one["in"], one["name"]) for one in call.get("parameters", [])}
    wanted = [("path", name) for name in _IN_PATH.findall(path)]
    wanted += [("query", name) for name in _QUERIES.get(f"{method} {path}", ())]
    wanted += [("header", name) for name in _HEADERS.get(f"{method} {path}", ())]
    if (f"{method} {path}" in _KEYED) or ("requestBody" in call and method in _ORDERED and path != tokens.PATH):
        wanted.append(("header", _ORDERED[method]))
    more = [
        {"name": name, "in": place, "required": place == "path", "schema": {"type": "string"}}
        for place, name in wanted
        if (place, name) not in told
    ]
    refusal = {
        "description": "拒绝 Refused",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    made = with_examples(f"{method.upper()} {path}", {**call, "parameters": [*call.get("parameters", []), *more]})
    secured = path not in _OPEN and "security" not in call
    if path != tokens.PATH:
        made["responses"] = {**made.get("responses", {}), **refusals(method, path, made, secured)}
    made["responses"] = {**made["responses"], "default": refusal}
    if path in _OPEN:
        made["security"] = []
    return made


@cache
def _documents() -> dict[str, Any]:
    """Every document's schema under the name of its model, the definitions that it carries beside it."""
    found: dict[str, Any] = {}
    for name, model in DOCUMENTS.items():
        schema: dict[str, Any] = orjson.loads(packaged(name).replace(b"#/$defs/", b"#/components/schemas/"))
        found |= schema.pop("$defs", {})
        for key in ("$id", "$schema"):
            schema.pop(key, None)
        found[model.__name__] = schema
    return found
