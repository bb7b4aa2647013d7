"""Examples of calls and the refusals that each may meet, for the description of the API (``examples.json``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson

from contracts.findings import Code, Expected, Finding, Language, register
from gateway.security.clients import OVER_ALL
from gateway.texts import problem_texts
from gateway.web import answered
from gateway.web.calls import brings_document, scope_of

_PROBLEM: Final = {"schema": {"$ref": "#/components/schemas/Problem"}}
_LEDGER: Final = ("/v1/ledger", "/v1/statistics", "/v1/indicators")
_NO_JSON: Final = frozenset({"/v1/cases:batch", "/v1/attachments"})
_BESIDE: Final[Mapping[tuple[str, str], Mapping[int, tuple[str, ...]]]] = {
    ("post", r"/v1/cases/\{id\}/(progress|agreements)"): {409: ("illegal_transition",)},
    ("post", r"/v1/agreements/\{id\}/confirmations"): {409: ("confirmation_active",), 422: ("deadline_passed",)},
    ("post", r"/v1/confirmations/\{id\}/supplements"): {409: ("correction_not_open", "confirmation_closed")},
    ("post", r"/v1/confirmations/\{id\}/withdrawal"): {409: ("confirmation_closed",)},
    ("post", r"/v1/referrals/\{id\}/(answer|result)"): {409: ("referral_closed",)},
    ("post", r"/v1/referrals/\{id\}/result"): {422: ("referral_not_accepted",)},
    ("put", r"/v1/mediators/\{id\}"): {422: ("organization_unknown", "certificate_no_differs")},
    ("get", r"/v1/events/stream"): {429: ("streams_full",)},
    ("post", r"/v1/attachments"): {400: ("attachment_form",), 422: ("attachment_form", "attachment_empty")},
    ("post|patch", r"/v1/webhook-endpoints(/\{id\})?"): {409: ("webhook_limit",), 422: ("webhook_field",)},
    ("post", r"/v1/webhook-endpoints/\{id\}/test"): {409: ("webhook_disabled",)},
    ("post", r"/v1/webhook-endpoints/\{id\}/rotate-secret"): {409: ("rotation_open",), 422: ("webhook_field",)},
    ("post", r"/v1(/ops)?/clocks/.*"): {409: ("clock_state",), 422: ("reason_missing", "body_field")},
    ("post", r"/v1(/ops)?/clocks/.*/suspend"): {409: ("no_suspension",)},
    ("post", r"/v1(/ops)?/clocks/.*/extend"): {409: ("no_extension",)},
    ("post", r"/v1/ops/(deliveries|endpoints|papers|tasks)/.*"): {409: ("state",)},
    ("post", r"/v1/ops/(?!deliveries/\{id\}/resolve|reconciliations$|clocks/).*"): {422: ("reason_missing",)},
    ("post", r"/v1/ops/(reports|reconciliations.*|tasks/.*|deliveries/.*/reveal)"): {422: ("body_field",)},
    ("post", r"/v1/ops/deliveries/\{id\}/resolve"): {422: ("resolve_form",)},
    ("post", r"/v1/ops/deliveries/\{id\}/redrive"): {409: ("overtaken", "doubt"), 422: ("redrive_form",)},
    ("post", r"/v1/ops/reconciliations"): {404: ("not_found",)},
    ("post", r"/v1/ops/reconciliations/\{id\}/heal"): {409: ("state",)},
    ("post", r"/v1/ops/reports"): {404: ("not_found",), 422: ("period_open",)},
    ("post", r"/v1/ops/redrives"): {422: ("redrive_form", "empty_filter", "nothing_to_redrive")},
    ("post", r"/v1/ops/redrives/.*"): {409: ("redrive_state", "second_person")},
    ("get", r"/v1/\w+/\{id\}/papers/\{kind\}"): {406: ("not_acceptable",), 409: ("paper_not_ready",)},
    ("get", r"/v1/(ledger|statistics|indicators)"): {406: ("not_acceptable",)},
    ("get", r"/v1/ledger"): {403: ("plain_refused",), 422: ("ledger_too_long", "reason_missing")},
}
"""Refusals of single calls."""


@cache
def examples() -> Mapping[str, dict[str, Any]]:
    """By ``METHOD path`` the status of success, and an example of request and answer where there is one; ``beside``: of answers
    of another status."""
    found: dict[str, dict[str, Any]] = orjson.loads(files("gateway.web").joinpath("examples.json").read_bytes())
    return found


def with_examples(name: str, call: dict[str, Any]) -> dict[str, Any]:
    """The call with its examples; a body that the framework cannot see is described by its example."""
    known = examples().get(name)
    if known is None:
        return call
    made = dict(call)
    if "request" in known:
        body = made.get(
            "requestBody", {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
        )
        content = {kind: {**told, "example": known["request"]} for kind, told in body["content"].items()}
        made["requestBody"] = {**body, "content": content}
    told = {status: one for status, one in made.get("responses", {}).items() if status != "422"}
    usual = str(known["status"])
    if usual != "200":
        told.pop("200", None)
    shown = {usual: known.get("answer")} | known.get("beside", {})
    for status in shown.keys() | answered.FORMS.get(name, {}).keys():
        one = {"description": answered.BESIDE.get((name, status), "成功 Success")} | told.get(status, {})
        schema = answered.schema_of(name, status)
        if schema is not None:
            example = {} if shown.get(status) is None else {"example": shown[status]}
            one["content"] = {**one.get("content", {}), "application/json": {"schema": schema, **example}}
        told[status] = one
    made["responses"] = told
    return made


def refusals(method: str, path: str, call: Mapping[str, Any], secured: bool) -> dict[str, Any]:
    """The refusals that a call may meet, by status, each with an example."""
    codes: dict[int, list[str]] = {}

    def may(status: int, *found: str) -> None:
        codes.setdefault(status, []).extend(found)

    given = {(one["in"], one["name"]) for one in call.get("parameters", ())}
    document = brings_document(method, path)
    if secured:
        may(401, "unauthorized", "token_invalid")
        may(403, "forbidden", *(["out_of_scope"] if scope_of(method, path) in OVER_ALL else []))
    if "{" in path or path in (*_LEDGER, "/v1/clocks"):
        may(404, "not_found")
    if any(place == "query" for place, _ in given):
        may(400, "parameter", "parameter_unknown")
    if ("header", "Idempotency-Key") in given:
        may(400, "idempotency_key_form")
        may(409, "busy")
        may(422, "idempotency_key_reused")
    if ("header", "If-Match") in given:
        may(400, "if_match_form")
        may(412, "version_stale")
    if "requestBody" in call:
        may(413, "attachment_too_large" if path == "/v1/attachments" else "too_large")
        may(415, "media_type", *(["attachment_type"] if path == "/v1/attachments" else []))
        if path not in _NO_JSON:
            may(400, "json_invalid")
    if document:
        _of_document(may, method, path)
    for (verb, begin), found in _BESIDE.items():
        if method in verb.split("|") and re.fullmatch(begin, path):
            for status, some in found.items():
                may(status, *some)
    may(503, "unavailable")
    return {str(status): _refusal(path, status, found) for status, found in sorted(codes.items())}


def _of_document(may: Callable[..., None], method: str, path: str) -> None:
    """What a document may meet: in its form, beside others, as things stand."""
    may(422, "missing")
    if path in ("/v1/cases", "/v1/mediators/{id}"):
        may(403, "organization_foreign")
    if path == "/v1/cases" or (method == "post" and not path.endswith("/progress")):
        may(409, "already_posted")
    if path in ("/v1/cases", "/v1/cases/{id}"):
        may(409, "referral_has_case")
        may(422, "referral_not_accepted")
    if path.startswith(("/v1/cases/{id}", "/v1/agreements/", "/v1/confirmations/{id}")):
        may(409, "case_closed")
    if method == "put" and not path.startswith("/v1/mediators/"):
        may(422, "business_key_changed")
        may(428, "if_match_missing")
        if not path.startswith("/v1/cases/"):
            may(409, "already_delivered")


def _refusal(path: str, status: int, codes: list[str]) -> dict[str, Any]:
    shown = {code: {"value": _problem(path, status, code)} for code in dict.fromkeys(codes)}
    content = {"application/problem+json": {**_PROBLEM, "examples": shown}}
    title = " / ".join(one["value"]["title"] for one in shown.values())
    return {"description": title, "content": content}


def _problem(path: str, status: int, code: str) -> dict[str, Any]:
    texts = problem_texts(code)
    body: dict[str, Any] = {
        "type": f"urn:mediation-gateway:problem:{code}",
        "status": status,
        "instance": path,
        "code": code,
    }
    if texts is not None:
        return body | {"title": texts["title_zh"], "detail": texts["detail_zh"], **_SHOWN.get(code, {})}
    entry = register()[Code(code)].texts(Language.ZH)
    body |= {"title": entry.title, "detail": f"{entry.cause}{entry.cure}"}
    if code in _FOUND:
        body["errors"] = [_FOUND[code].as_error()]
    return body


_FOUND: Final = {
    Code.MISSING.value: Finding.of("/organization/code", Code.MISSING),
    Code.ORGANIZATION_FOREIGN.value: Finding.of("/organization/code", Code.ORGANIZATION_FOREIGN),
    Code.VERSION_STALE.value: Finding.of("", Code.VERSION_STALE),
    Code.REFERRAL_CLOSED.value: Finding.of("", Code.REFERRAL_CLOSED),
}
_SHOWN: Final[Mapping[str, dict[str, Any]]] = {
    "parameter": {"parameter": "limit", "allowed": ["1 … 1000"]},
    "parameter_unknown": {"parameter": "stauts", "takes": ["status", "cursor", "limit"]},
    "if_match_form": {"header": "If-Match"},
    "idempotency_key_form": {"header": "Idempotency-Key"},
    "media_type": {"accepts": ["application/json"]},
    "body_field": {
        "errors": [Finding.of("/reason", Code.WRONG_TYPE, expected=Expected.TEXT).as_error()],
        "warnings": [],
    },
    "reason_missing": {"errors": [Finding.of("/reason", Code.MISSING).as_error()], "warnings": []},
    "resolve_form": {"errors": [Finding.of("/arrived", Code.MISSING).as_error()], "warnings": []},
    "forbidden": {"scope": "cases:write"},
}
"""What stands beside the texts of some problems."""
