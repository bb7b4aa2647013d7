"""Writing answers: what every one of them carries (page §1), problems, and how failures look (§9)."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final

from aiohttp import web

from mocks.faults import Fault
from mocks.national_mediation.problems import Problem
from mocks.national_mediation.quota import Quota
from mocks.platform import bomb_bytes

_JSON: Final = "application/json"
_PROBLEM: Final = "application/problem+json"
_LOGIN: Final = "<!DOCTYPE html><html><head><title>统一登录</title></head><body><form>用户名 密码</form></body></html>"
_BOMB_MIB: Final = 1024
#: Codes of the statuses that a fault ``http`` may ask for; others have one of their own kind.
_CODES: Final[Mapping[int, str]] = {429: "RATE_LIMITED", 503: "BUSY", 500: "INTERNAL"}


class Answers:
    """Makes the answers of the platform, on its own clock."""

    def __init__(self, quota: Quota, now: Callable[[], datetime]) -> None:
        self._quota = quota
        self._now = now

    def dressed(self, answer: web.StreamResponse) -> web.StreamResponse:
        """``answer`` with ``Date``, ``X-Trace-Id`` and the quota, where it has none of its own."""
        calls = self._quota.calls
        for name, value in (
            ("Date", self.http_date()),
            ("X-Trace-Id", secrets.token_hex(8)),
            ("RateLimit-Limit", str(calls.limit)),
            ("RateLimit-Remaining", str(calls.remaining)),
            ("RateLimit-Reset", str(calls.reset)),
        ):
            answer.headers.setdefault(name, value)
        return answer

    def http_date(self, seconds: float = 0) -> str:
        """The platform's time in ``seconds``, as HTTP writes it."""
        return format_datetime(self._now().astimezone(UTC) + timedelta(seconds=seconds), usegmt=True)

    def json(self, status: int, value: Mapping[str, Any] | bytes, **headers: str) -> web.Response:
        """JSON, UTF-8."""
        return web.Response(status=status, body=_bytes(value), content_type=_JSON, headers=headers)

    def got(self, url: str, value: Mapping[str, Any] | bytes, media: str = _JSON) -> web.Response:
        """The answer 200 to a GET of ``url``, with its ETag: it belongs to the full URL."""
        body = _bytes(value)
        tag = hashlib.sha256(url.encode("utf-8", "surrogateescape") + b"\n" + body).hexdigest()[:32]
        return web.Response(body=body, content_type=media, headers={"ETag": f'"{tag}"'})

    def problem(self, problem: Problem) -> web.Response:
        """``application/problem+json``."""
        headers: dict[str, str] = {}
        if problem.retry_after is not None:
            headers["Retry-After"] = problem.retry_after
        if problem.status == 401:
            headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
        if problem.code == "RATE_LIMITED":
            headers["RateLimit-Remaining"] = "0"
        trace = secrets.token_hex(8)
        return self._problem(problem.status, problem.document(trace), headers)

    def _problem(self, status: int, document: dict[str, Any], headers: dict[str, str]) -> web.Response:
        headers["X-Trace-Id"] = document["traceId"]
        return web.Response(status=status, body=_bytes(document), content_type=_PROBLEM, headers=headers)

    def of_status(self, fault: Fault) -> web.Response:
        """The answer of a fault ``http`` that is no redirect and has a body."""
        code = _CODES.get(fault.status)
        if code is not None:
            return self.problem(Problem(code, retry_after=fault.retry_after))
        headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": "平台返回的状态",
            "status": fault.status,
            "detail": "平台返回的状态",
            "code": f"STATUS_{fault.status}",
            "traceId": secrets.token_hex(8),
            "errors": [],
        }
        return self._problem(fault.status, document, headers)

    def garbage(self, kind: str, answer: web.Response) -> web.Response:
        """What stands in place of ``answer``, always 200."""
        body = answer.body if isinstance(answer.body, bytes) else b""
        match kind:
            case "html":
                return web.Response(text=_LOGIN, content_type="text/html")
            case "truncated":
                return web.Response(body=body[: len(body) // 2], content_type=_JSON)
            case "empty":
                return web.Response(body=b"", content_type=_JSON)
            case "gbk":
                # A reply may be all ASCII: a word is put in that is not the same in GBK.
                text = body.decode("utf-8", "replace")
                text = f'{{"message":"成功",{text[1:]}' if text.startswith("{") else f"{text}成功"
                return web.Response(body=text.encode("gbk", "replace"), content_type=_JSON)
            case _:
                bomb = web.Response(body=bomb_bytes(_BOMB_MIB), content_type=_JSON)
                bomb.headers["Content-Encoding"] = "gzip"
                return bomb


def _bytes(value: Mapping[str, Any] | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
