"""Who may come in and with which headers (page §1, §2)."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from aiohttp import web

from mocks.control import is_loopback
from mocks.national_mediation.problems import Finding, Problem, refused
from mocks.national_mediation.settings import Settings

_REQUEST_ID = re.compile(r"[!-~]{1,64}", re.ASCII)
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)


class Door:
    """Checks where a call comes from and what it carries beside its body."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._request_ids: dict[str, float] = {}

    def check_peer(self, request: web.Request) -> None:
        """TLS or loopback, and an address that is allowed. Raises :class:`Problem` ``IP_NOT_ALLOWED``."""
        allowed = self._settings.allowed_ips
        if not (request.secure or is_loopback(request)) or (allowed and request.remote not in allowed):
            raise Problem("IP_NOT_ALLOWED")

    def check_headers(self, request: web.Request) -> None:
        """``Accept`` and ``X-Request-Id``, new per attempt. Raises :class:`Problem` ``VALIDATION_FAILED``."""
        findings: list[Finding] = []
        accepted = request.headers.getall("Accept", [])
        if accepted != ["application/json"]:
            findings.append(Finding("Accept", "FORMAT" if accepted else "FIELD_MISSING"))
        ids = request.headers.getall("X-Request-Id", [])
        if not ids:
            findings.append(Finding("X-Request-Id", "FIELD_MISSING"))
        elif len(ids) > 1 or _REQUEST_ID.fullmatch(ids[0]) is None or not self._is_new(ids[0]):
            findings.append(Finding("X-Request-Id", "FORMAT"))
        if findings:
            raise refused(*findings)

    def _is_new(self, request_id: str) -> bool:
        memory = self._settings.request_id_memory_s
        moment = time.monotonic()
        while self._request_ids:
            oldest, seen = next(iter(self._request_ids.items()))
            if moment - seen <= memory:
                break
            del self._request_ids[oldest]
        if request_id in self._request_ids:
            return False
        if memory:
            self._request_ids[request_id] = moment
        return True

    def check_body(self, request: web.Request, body: bytes) -> None:
        """The media type and size of a JSON body. Raises :class:`Problem` ``TYPE_REFUSED`` or ``TOO_LARGE``."""
        charset = (request.charset or "utf-8").lower()
        if request.content_type != "application/json" or charset != "utf-8" or is_encoded(request):
            raise Problem("TYPE_REFUSED")
        if len(body) > self._settings.request_limit:
            raise Problem("TOO_LARGE")


def key_of(keys: Sequence[str]) -> str:
    """The ``Idempotency-Key``. Raises :class:`Problem` ``IDEMPOTENCY_KEY_MISSING`` for none, two, or another form."""
    if len(keys) != 1 or _KEY.fullmatch(keys[0]) is None:
        raise Problem("IDEMPOTENCY_KEY_MISSING")
    return keys[0]


def is_encoded(request: web.Request) -> bool:
    """Whether the body came compressed, which the page does not know."""
    return request.headers.get("Content-Encoding", "identity").lower() != "identity"
