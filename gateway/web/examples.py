"""Examples of calls and the refusals that each may meet, for the description of the API (``examples.json``)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson

from contracts.findings import Code, Finding, Language, register
from gateway.texts import problem_texts

_PROBLEM: Final = {"schema": {"$ref": "#/components/schemas/Problem"}}
_DOCUMENTS: Final = ("/v1/cases", "/v1/agreements", "/v1/confirmations", "/v1/transfers", "/v1/referrals")
_LEDGER: Final = ("/v1/ledger", "/v1/statistics", "/v1/indicators")
_ACTS: Final = "/v1/ops/"


@cache
def examples() -> Mapping[str, dict[str, Any]]:
    """By ``METHOD path`` the status of success, and an example of request and answer where there is one."""
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
    responses = {status: told for status, told in made.get("responses", {}).items() if status != "422"}
    status = str(known["status"])
    if status != "200":
        responses.pop("200", None)
    told = {"description": responses.get(status, {}).get("description", "成功 Success")}
    if "answer" in known:
        shown = {"schema": {"type": "object"}, "example": known["answer"]}
        told["content"] = {**responses.get(status, {}).get("content", {}), "application/json": shown}
    made["responses"] = {**responses, status: {**responses.get(status, {}), **told}}
    return made


def refusals(method: str, path: str, call: Mapping[str, Any], secured: bool) -> dict[str, Any]:
    """The refusals that a call may meet, by status, each with an example."""
    codes: dict[int, list[str]] = {}

    def may(status: int, *found: str) -> None:
        codes.setdefault(status, []).extend(found)

    if secured:
        may(401, "unauthorized", "token_invalid")
        may(403, "forbidden")
    if "{" in path or path in _LEDGER:
        may(404, "not_found")
    if any(one["in"] == "query" for one in call.get("parameters", ())):
        may(400, "parameter")
    document = "requestBody" in call and path.startswith(_DOCUMENTS) and method in ("post", "put")
    if document or (path.startswith("/v1/mediators") and method == "put"):
        may(400, "json_invalid", "idempotency_key_form")
        may(409, "already_posted" if path == "/v1/cases" else "busy")
        may(413, "too_large")
        may(415, "media_type")
        may(422, "missing", "idempotency_key_reused")
    if document and path in ("/v1/cases", "/v1/cases/{id}"):
        may(409, "referral_has_case")
    if document and method == "put":
        may(412, "version_stale")
        may(428, "if_match_missing")
    if path == "/v1/events/stream":
        may(429, "streams_full")
    if path == "/v1/cases/{id}/progress":
        may(409, "illegal_transition", "case_closed")
    if path == "/v1/attachments":
        may(413, "attachment_too_large")
        may(415, "attachment_type")
        may(422, "attachment_form")
    if path.startswith("/v1/webhook-endpoints") and method in ("post", "patch"):
        may(409, "webhook_limit")
        may(422, "webhook_field")
    if path.startswith(_ACTS) and method == "post":
        may(409, "state")
        may(422, "reason_missing")
    if not document and any(one["name"] == "Idempotency-Key" for one in call.get("parameters", ())):
        may(400, "idempotency_key_form")
        may(422, "idempotency_key_reused")
    if path in _LEDGER:
        may(406, "not_acceptable")
        may(422, "ledger_too_long")
    may(503, "unavailable")
    return {str(status): _refusal(path, status, found) for status, found in sorted(codes.items())}


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
        return body | {"title": texts["title_zh"], "detail": texts["detail_zh"]}
    entry = register()[Code(code)].texts(Language.ZH)
    body |= {"title": entry.title, "detail": f"{entry.cause}{entry.cure}"}
    if code == Code.MISSING:
        body["errors"] = [Finding.of("/organization/code", Code.MISSING).as_error()]
    return body
