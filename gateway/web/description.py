"""The description of the API (OpenAPI 3.1). The forms of its answers take some megabytes: this room is read at the first
question, not at the start."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

import orjson

from contracts.schemas import DOCUMENTS, packaged
from gateway.web import answered, calls
from gateway.web.api import tokens
from gateway.web.examples import refusals, with_examples
from gateway.web.queries import QUERIES

_IN_PATH: Final = re.compile(r"\{(\w+)\}")
_NO_WORD: Final = re.compile(r"[^A-Za-z0-9]+")
_OPEN: Final = frozenset({"/healthz", "/readyz"})
_KEYED: Final = frozenset(
    {
        "post /v1/cases:batch",
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
    "get /v1/events/stream": ("Last-Event-ID",),
}
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "RFC 9457: 全部问题一次列出，从不回显输入值 all findings at once, never an input value",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "description": "urn:mediation-gateway:problem:<code>"},
        "title": {"type": "string", "description": "按 Accept-Language 的语言 in the language of Accept-Language"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "原因与处理办法 the cause, then the cure"},
        "instance": {
            "type": "string",
            "description": "所调用的地址，只含网关的编号 the called path, with ids of ours alone",
        },
        "code": {"type": "string", "description": "代码，程序据此判断 the code for programs"},
        "link": {"type": "string", "format": "uri", "description": "已有的事项 what stands in the way"},
        "parameter": {"type": "string", "description": "有问题的查询参数 the query parameter that is wrong"},
        "header": {"type": "string", "description": "有问题的请求头 the header that is wrong"},
        "allowed": {"type": "array", "items": {"type": "string"}, "description": "允许值 the values that it takes"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Finding"}},
        "warnings": {"type": "array", "items": {"$ref": "#/components/schemas/Finding"}},
    },
}


def described(drawn: dict[str, Any]) -> dict[str, Any]:
    """What the framework drew from the routes, with all that it cannot see in them: the caller's credential, the parts of
    the path, the parameters that are read by hand, the schemas of documents and answers, the form of a refusal."""
    paths = {
        path: {method: _call(path, method, call) for method, call in methods.items()}
        for path, methods in drawn["paths"].items()
    }
    components = dict(drawn.get("components", {}))
    forms = {name: form for name, form in answered.components().items() if name not in documents()}
    components["schemas"] = {**components.get("schemas", {}), **documents(), **forms, "Problem": _PROBLEM}
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "API 密钥 API key: <prefix>.<secret>"},
        "oauth2": tokens.SCHEME,
        "client": {"type": "http", "scheme": "basic", "description": "client_id:client_secret (RFC 6749 §2.3.1)"},
    }
    info = {**drawn["info"], "description": calls.TOLD}
    security: list[dict[str, list[str]]] = [{"key": []}, {"oauth2": []}]
    return {**drawn, "info": info, "paths": paths, "components": components, "security": security}


def _call(path: str, method: str, call: dict[str, Any]) -> dict[str, Any]:
    name = f"{method.upper()} {path}"
    secured = path not in _OPEN and "security" not in call
    made = with_examples(name, _with_bodies(name, {**call, "parameters": _parameters(path, method, call)}))
    made["operationId"] = _NO_WORD.sub("_", f"{method}_{path.removeprefix('/v1')}").strip("_")
    made.pop("description", None)  # a docstring of ours
    keyed = any(one["name"] == "Idempotency-Key" for one in made["parameters"])
    refusal = {
        "description": "拒绝 Refused",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if path != tokens.PATH:
        made["responses"] = _joined(made.get("responses", {}), refusals(method, path, made, secured))
    made["responses"] = {
        status: {**told, **_said(told), "headers": calls.answered_headers(method, path, status, keyed)}
        for status, told in (made["responses"] | {"default": refusal}).items()
    }
    if path in _OPEN:
        made["security"] = []
    elif secured:
        scope = calls.scope_of(method, path)
        made["security"] = [{"key": [scope]}, {"oauth2": [scope]}]
    return made


def _joined(answers: dict[str, Any], refused: dict[str, Any]) -> dict[str, Any]:
    """Answers and refusals by status; one status may be both, in two media types."""
    both = {status: answers[status].get("content", {}) for status in answers.keys() & refused.keys()}
    beside = {
        status: {**refused[status], "content": {**content, **refused[status]["content"]}}
        for status, content in both.items()
    }
    return {**answers, **refused, **beside}


def _said(told: dict[str, Any]) -> dict[str, str]:
    """The framework's own word for success, in both languages."""
    return {"description": "成功 Success"} if told["description"] == "Successful Response" else {}


def _parameters(path: str, method: str, call: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of the path, what stands in the query, the headers that count."""
    place = f"{method} {path}"
    document = calls.brings_document(method, path)
    headers = [*_HEADERS.get(place, ()), *(["Idempotency-Key"] if document or place in _KEYED else [])]
    if method == "put":
        headers.append("If-Match")
    told = {(one["in"], one["name"]) for one in call.get("parameters", [])}
    parts = dict(calls.PARTS) | ({"id": calls.CERTIFICATE} if path.startswith("/v1/mediators/") else {})
    more = [_given("path", name, parts[name], required=True) for name in _IN_PATH.findall(path)]
    more += [
        _given("header", name, calls.ASKED[name], required=name == "If-Match" and not path.startswith("/v1/mediators/"))
        for name in headers
    ]
    more += [query.described for query in QUERIES.get(f"{method.upper()} {path}", ())]
    return [*call.get("parameters", []), *(one for one in more if (one["in"], one["name"]) not in told)]


def _given(place: str, name: str, told: str, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "description": told, "schema": {"type": "string"}}


def _with_bodies(name: str, call: dict[str, Any]) -> dict[str, Any]:
    """The call with the bodies and answers that the framework cannot see."""
    made = dict(call)
    if name in calls.BODIES:
        bodies = {kind: {"schema": schema} for kind, schema in calls.BODIES[name].items()}
        made["requestBody"] = {"required": True, "content": bodies}
    if name in calls.ANSWERS:
        piece = answered.piece_of(name)
        answers = {kind: {"schema": schema, **piece} for kind, schema in calls.ANSWERS[name].items()}
        made["responses"] = {**made["responses"], "200": {**made["responses"]["200"], "content": answers}}
    return made


@cache
def documents() -> dict[str, Any]:
    """Every document's schema under the name of its model, the definitions that it carries beside it."""
    found: dict[str, Any] = {}
    for name, model in DOCUMENTS.items():
        schema: dict[str, Any] = orjson.loads(packaged(name).replace(b"#/$defs/", b"#/components/schemas/"))
        found |= schema.pop("$defs", {})
        for key in ("$id", "$schema"):
            schema.pop(key, None)
        found[model.__name__] = schema
    return found
