"""What the framework cannot see of the calls, for the description of the API: the scope that each asks for, bodies and answers
of other media types, the headers on both ways, all in both languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from contracts.lists import AttachmentKind, MediaType
from gateway.flow.printing.press import Form
from gateway.web.acts import ACTS, REASON, text

TOLD: Final = """\
劳动争议调解对接网关的接口。全部时间为带时区偏移的 RFC 3339，金额为文本；未知字段、未知查询参数一律拒绝。

- **认证**：`Authorization: Bearer <prefix>.<secret>`，或者 `POST /v1/oauth2/token` 换取的令牌；
  每个调用所需的权限写在其 security 中。
- **语言**：`Accept-Language` 决定 `title` 与 `detail` 的语言（按 q 值，缺省中文）；`errors` 中两种语言都有。
- **重发**：报送文书时带 `Idempotency-Key`，同键同内容得到同一答复（`Idempotency-Replayed: true`）。
- **拒绝**：`application/problem+json`（RFC 9457），全部问题一次列出，每项有位置、代码、问题与处理办法。

The interface of the mediation gateway. Every time is RFC 3339 with offset, every amount is text; unknown fields and unknown
query parameters are refused.

- **Credentials**: `Authorization: Bearer <prefix>.<secret>`, or a token of `POST /v1/oauth2/token`; the scope that a call
  asks for stands in its security.
- **Language**: `Accept-Language` chooses that of `title` and `detail` (by its q-values; Chinese by default); `errors` have
  both.
- **Repeats**: send documents with an `Idempotency-Key`: the same key with the same bytes is answered alike
  (`Idempotency-Replayed: true`).
- **Refusals**: `application/problem+json` (RFC 9457), all findings at once, each with its place, its code, what is wrong and
  what to do.
"""

_DOCUMENTS: Final = re.compile(r"/v1/(cases|agreements|confirmations|transfers|referrals|mediators)\b")
_SCOPES: Final = (
    ("/v1/ops/", "ops:read", "ops:write"),
    ("/v1/events", "events:read", ""),
    ("/v1/webhook-endpoints", "webhooks:write", "webhooks:write"),
    ("/v1/ledger", "ledger:read", ""),
    ("/v1/statistics", "ledger:read", ""),
    ("/v1/indicators", "ledger:read", ""),
    ("/v1/schemas/", "ops:read", ""),
    ("/v1/asyncapi.json", "ops:read", ""),
    ("/metrics", "ops:read", ""),
)


def scope_of(method: str, path: str) -> str:
    """The scope that a call asks for; of the last three only in production."""
    for begin, reads, writes in _SCOPES:
        if path.startswith(begin):
            return reads if method == "get" else writes
    return "cases:read" if method == "get" else "cases:write"


def brings_document(method: str, path: str) -> bool:
    """Whether the call brings a document of the contract."""
    return method in ("post", "put") and path != "/v1/cases:batch" and _DOCUMENTS.match(path) is not None


# ------------------------------------------------------------------------------------------------------- bodies and answers


def _object(required: tuple[str, ...], **properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "additionalProperties": False, "properties": properties}


_ON: Final = text("自何日起，缺省今日 from which day on; absent: today", format="date")
_ARTICLE: Final = text("法条引用，写明第几条 the citation, with its article's number", maxLength=200)
_BY: Final = {
    "type": "integer",
    "minimum": 1,
    "description": "累计延长多少，单位同规则 prolonged by so much in all, in the rule's unit",
}
_CLOCK: Final = _object(("reason",), reason=REASON, on=_ON, article=_ARTICLE)
_EXTENSION: Final = _object(("reason", "extended_by"), reason=REASON, on=_ON, article=_ARTICLE, extended_by=_BY)
_UPLOAD: Final = {
    "type": "object",
    "required": ["file", "kind"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "PDF, OFD, JPEG, PNG"},
        "kind": {
            "type": "string",
            "enum": [str(kind) for kind in AttachmentKind],
            "description": "材料类别 kind of paper",
        },
    },
}

BODIES: Final[Mapping[str, Mapping[str, dict[str, Any]]]] = {
    "POST /v1/cases:batch": {
        "application/x-ndjson": text("每行一个 Case（JSON），至多 10000 行 one Case (JSON) a line, 10,000 at most")
    },
    "POST /v1/attachments": {"multipart/form-data": _UPLOAD},
    **{
        f"POST {home}/{{id}}/{act}": {"application/json": _EXTENSION if act == "extend" else _CLOCK}
        for home in ("/v1/clocks", "/v1/ops/clocks")
        for act in ("suspend", "resume", "extend")
    },
    **{name: {"application/json": body} for name, body in ACTS.items()},
}
"""Bodies that the framework cannot see."""

_SCHEMA: Final = {"type": "object", "description": "JSON Schema（2020-12 版） the JSON Schema, 2020-12"}
_FILE: Final = {"type": "string", "format": "binary"}
_PRINTED: Final = {form.media_type: _FILE for form in Form}
ANSWERS: Final[Mapping[str, Mapping[str, dict[str, Any]]]] = {
    "POST /v1/cases:batch": {
        "application/x-ndjson": text(
            "每行一个结果 {line, status, result}，result 同单件报送 one result a line; result as of a single post"
        )
    },
    "GET /v1/attachments/{id}": dict.fromkeys(map(str, MediaType), _FILE),
    **{f"GET /v1/{home}/{{id}}/papers/{{kind}}": _PRINTED for home in ("cases", "agreements", "confirmations")},
    "GET /v1/events/stream": {
        "text/event-stream": text("SSE：id 为游标，data 为 CloudEvent id: the cursor, data: a CloudEvent")
    },
    "GET /healthz": {"text/plain": {"type": "string", "const": "ok"}},
    "GET /metrics": {"text/plain": text("Prometheus / OpenMetrics")},
    "GET /v1/asyncapi.json": {
        "application/json": {"type": "object", "description": "AsyncAPI 3 描述文件 the AsyncAPI 3 document"}
    },
    "GET /v1/schemas/{name}": {"application/schema+json": _SCHEMA, "application/json": _SCHEMA},
}
"""Answers that are no plain JSON document."""

# ----------------------------------------------------------------------------------------------------------------- headers

ASKED: Final[Mapping[str, str]] = {
    "Idempotency-Key": "幂等键，1 至 255 个可见 ASCII 字符；同键同内容只生效一次 "
    "1 to 255 visible ASCII characters; the same key with the same bytes has one effect",
    "If-Match": '所依据的版本，即读取时的 ETag，如 "3"；* 为不论版本 '
    'the version that it was made from (the ETag), such as "3"; *: whatever there is',
    "X-Reason": "取明文台账的理由，UTF-8 百分号编码，至多 200 字 "
    "why the ledger is wanted plain, percent-encoded UTF-8, at most 200 characters",
    "Last-Event-ID": "断线后从此游标续传 the cursor to go on from after a break",
}
"""Headers of a request, by name."""

PARTS: Final[Mapping[str, str]] = {
    "id": "编号，原样使用网关返回的 the id as the gateway gave it",
    "kind": "文书种类（附件类别之一） the paper: one of the kinds of attachments",
    "name": "名称 its name",
}
CERTIFICATE: Final = "调解员证编号，其中的斜杠写成 %2F the certificate's number; a slash in it is written %2F"
"""Parts of a path, by name."""


def _header(told: str, **schema: Any) -> dict[str, Any]:
    return {"description": told, "schema": {"type": "string", **schema}}


_NAMED: Final = _header("本次请求的编号，报障时提供 the request's id, to be told in case of trouble")
_ETAG: Final = _header('版本，如 "3" the version, such as "3"')
_REPLAYED: Final = _header("此前已有同一请求，这是当时的答复 the answer of the same request before", const="true")
_HOME: Final = _header("所生成事项的地址 where what was made is read", format="uri-reference")
_AGAIN: Final = _header("多少秒后再试 try again after so many seconds")
_BY_STATUS: Final[Mapping[str, Mapping[str, dict[str, Any]]]] = {
    "401": {"WWW-Authenticate": _header("所需的认证方式 what is asked for")},
    "405": {"Allow": _header("此地址支持的方法 the methods of this address")},
    "429": {"Retry-After": _AGAIN},
    "503": {"Retry-After": _AGAIN},
}


_SAME: Final = ("post", "/v1/ops/reports")
"""Where nothing was new, it tells where the old one is."""


def answered_headers(method: str, path: str, status: str, keyed: bool) -> dict[str, Any]:
    """The headers of an answer."""
    found = {"X-Request-Id": _NAMED, **_BY_STATUS.get(status, {})}
    if not status.startswith("2"):
        return found
    if brings_document(method, path):
        if status == "200":
            return found  # a dry run makes nothing
        found |= {"ETag": _ETAG, "Location": _HOME}
    elif status == "201" or (status == "202" and not path.endswith("/heal")) or (method, path) == _SAME:
        found["Location"] = _HOME
    elif method == "get" and _DOCUMENTS.match(path) and path.endswith("/{id}"):
        found["ETag"] = _ETAG
    if keyed and path != "/v1/cases:batch" and not (path == "/v1/ops/redrives" and status == "200"):
        found["Idempotency-Replayed"] = _REPLAYED
    return found
