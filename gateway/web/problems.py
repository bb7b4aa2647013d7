"""Refusals as ``application/problem+json`` (RFC 9457), in both languages, with all findings and never an input value."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from contracts.findings import Code, Finding, Language, register
from gateway.flow.order import Refused
from gateway.store.ids import has_id_form
from gateway.texts import problem_texts

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
    """Whether the caller reads Chinese: unless it asks for English first."""
    first = request.headers.get("accept-language", "zh").split(",")[0].strip().lower()
    return not first.startswith("en")


def _texts(code: str, chinese: bool) -> tuple[str, str]:
    texts = problem_texts(code)
    if texts is not None:
        return (texts["title_zh"], texts["detail_zh"]) if chinese else (texts["title_en"], texts["detail_en"])
    entry = register()[Code(code)].texts(Language.ZH if chinese else Language.EN)
    return entry.title, f"{entry.cause}{'' if chinese else ' '}{entry.cure}"


def instance(request: Request) -> str | None:
    """The called path as far as it is ours: the route's, with the ids that have our form; ``None`` where no route was found.
    What else a caller wrote into it (a name, a number, another's id) is not repeated."""
    template = request.scope.get("template") or getattr(request.scope.get("route"), "path_format", None)
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
    title, detail = _texts(code, wants_chinese(request))
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
        body["errors"] = [finding.as_error() for finding in found if finding.is_error]
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
