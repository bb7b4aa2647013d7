"""Refusals as ``application/problem+json`` (RFC 9457), in both languages, with all findings and never an input value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from contracts.findings import Code, Finding, Language, register
from gateway.flow.moving.order import Refused
from gateway.store.ids import has_id_form
from gateway.texts import problem_texts
from gateway.web.accepts import language

_HEADERS = {
    "busy": {"Retry-After": "2"},
    "crowded": {"Retry-After": "30"},
    "streams_full": {"Retry-After": "60"},
    "unauthorized": {"WWW-Authenticate": "Bearer"},
    "token_invalid": {"WWW-Authenticate": 'Bearer error="invalid_token"'},
}
"""What HTTP wants beside some refusals (RFC 9110 §10.2.3, §11.6.1; RFC 6750 §3.1)."""

_TYPE = "urn:mediation-gateway:problem:"
_IN_TEMPLATE = re.compile(r"\{(\w+)\}")


def wants_chinese(request: Request) -> bool:
    """Whether the caller reads Chinese: unless it likes English better."""
    return language(request) is Language.ZH


def _texts(code: str, chinese: bool) -> tuple[str, str]:
    texts = problem_texts(code)
    if texts is not None:
        return (texts["title_zh"], texts["detail_zh"]) if chinese else (texts["title_en"], texts["detail_en"])
    entry = register()[Code(code)].texts(Language.ZH if chinese else Language.EN)
    return entry.title, f"{entry.cause}{'' if chinese else ' '}{entry.cure}"


def _first_of(errors: Sequence[Finding], chinese: bool) -> str:
    """How many findings refuse, and the first of them: where, what, and its cure. An unknown field's name is the caller's word
    and stands in its pointer alone: its object is named."""
    first, many = errors[0], len(errors)
    place = first.pointer.rpartition("/")[0] if first.code is Code.UNKNOWN_FIELD else first.pointer
    told = first.message(Language.ZH if chinese else Language.EN)
    cure = register()[first.code].texts(Language.ZH if chinese else Language.EN).cure
    if chinese:
        counted = "" if many == 1 else f"共 {many} 处问题，逐项见 errors；第一处："
        return f"{counted}{place or '整个正文'}：{told}{cure}"
    counted = "" if many == 1 else f"{many} problems, each in errors; the first: "
    return f"{counted}{place or 'the whole body'}: {told} {cure}"


def template_of(request: Request) -> str | None:
    """The route's path with its parts by name; ``None`` where no route was found."""
    found: str | None = request.scope.get("template") or getattr(request.scope.get("route"), "path_format", None)
    return found


def instance(request: Request) -> str | None:
    """The called path as far as it is ours: the route's, with the ids that have our form; ``None`` where no route was found.
    What else a caller wrote into it (a name, a number, another's id) is not repeated."""
    template = template_of(request)
    if template is None:
        return None
    given = request.scope.get("path_params", {})

    def shown(found: re.Match[str]) -> str:
        value = str(given.get(found.group(1), ""))
        return value if has_id_form(value) else found.group()

    return _IN_TEMPLATE.sub(shown, template)


def problem(
    request: Request,
    status: int,
    code: str,
    findings: Iterable[Finding] = (),
    *,
    link: str | None = None,
    extra: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """The answer to a refused call. ``errors`` holds the findings that refuse, ``warnings`` the others."""
    found = list(findings)
    chinese = wants_chinese(request)
    title, detail = _texts(code, chinese)
    errors = [finding for finding in found if finding.is_error]
    if errors:
        first = _first_of(errors, chinese)
        detail = first if problem_texts(code) is None else f"{detail}{'' if chinese else ' '}{first}"
    body: dict[str, Any] = {
        "type": _TYPE + code,
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        **(extra or {}),
    }
    if (place := instance(request)) is not None:
        body["instance"] = place
    if found:
        body["errors"] = [finding.as_error() for finding in errors]
        body["warnings"] = [finding.as_error() for finding in found if not finding.is_error]
    if link is not None:
        body["link"] = link
    return Response(orjson.dumps(body), status, headers, "application/problem+json")


def refused(request: Request, error: Refused) -> Response:
    """The answer to a ``Refused``."""
    headers = _HEADERS.get(error.code)
    return problem(
        request, error.status, error.code, error.findings, link=error.link, extra=error.extra, headers=headers
    )
