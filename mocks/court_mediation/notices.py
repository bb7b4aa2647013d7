"""Callbacks 推送 (court_mediation §2, §5): their numbers, signature, forgeries, and the acknowledgement test."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from mocks.clock import Clock
from mocks.court_mediation.settings import Settings
from mocks.pushes import Answer, Outgoing, Push

FORGERIES: Final = frozenset(
    {
        "wrong_key",
        "empty_key",
        "tampered_body",
        "no_signature",
        "upper_hex",
        "stale",
        "future",
        "replay",
        "two_headers",
        "parsed_body",
    }
)
RAW: Final = "raw"
"""The one key of a push whose body is sent as it stands (a tester's unreadable JSON)."""

_STALE: Final = timedelta(seconds=900)


def signature(key: bytes, timestamp: str, nonce: str, body: bytes) -> str:
    """Lower-case hex of HMAC-SHA256(key, timestamp ‖ nonce ‖ raw body), nothing between the parts."""
    return hmac.new(key, timestamp.encode() + nonce.encode() + body, hashlib.sha256).hexdigest()


def compact(content: Mapping[str, Any]) -> bytes:
    """JSON without a space, UTF-8."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


class Notices:
    """Builds each try of a callback afresh and judges what came back."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._count = 0

    def number(self, now: datetime) -> str:
        """The next tsbh, `TS` + date + running number."""
        self._count += 1
        return f"TS{now:%Y%m%d}{self._count:06d}"

    def recall(self, tsbh: str) -> None:
        """Take up the number of a push in the journal, so that none is given twice."""
        self._count = max(self._count, int(tsbh[-6:]))

    async def build(self, push: Push, how: str) -> Outgoing:
        """One request with a new timestamp and nonce; `how` is "" or one of `FORGERIES`."""
        body = self._body(push)
        now = self._clock.now()
        match how:
            case "stale":
                now -= _STALE
            case "future":
                now += _STALE
            case _:
                pass
        timestamp, nonce = f"{int(now.timestamp()):010d}", secrets.token_hex(16)
        key = self._settings.key
        signed = body
        match how:
            case "wrong_key":
                key = secrets.token_bytes(32)
            case "empty_key":
                key = b""
            case "tampered_body":
                body = compact({**push.content, "fydm": "鲁9999"})
            case "parsed_body":
                # Holds for a receiver that checks what it parsed and wrote again, not for one that checks the bytes.
                body = json.dumps(push.content, ensure_ascii=True, indent=1).encode("ascii")
            case _:
                pass
        sealed = signature(key, timestamp, nonce, signed)
        seals = {"no_signature": [], "upper_hex": [sealed.upper()], "two_headers": [sealed, sealed]}.get(how, [sealed])
        headers = [
            ("Content-Type", "application/json; charset=UTF-8"),
            ("X-Fy-Timestamp", timestamp),
            ("X-Fy-Nonce", nonce),
            *(("X-Fy-Signature", seal) for seal in seals),
        ]
        return Outgoing(self._settings.callback_url, headers, body)

    def _body(self, push: Push) -> bytes:
        raw = push.content.get(RAW)
        return raw.encode("utf-8") if isinstance(raw, str) else compact(push.content)


async def judge(push: Push, outgoing: Outgoing, answer: Answer) -> str:
    """The acknowledgement test (§5, §8.5): HTTP 200, JSON, `code` 200 as text, the same `tsbh`; "" = acknowledged."""
    if answer.status != 200:
        return f"status {answer.status}" if answer.status else answer.error
    try:
        reply: object = json.loads(answer.body.decode("utf-8"))
    except (ValueError, RecursionError):
        return "no JSON"
    if not isinstance(reply, dict):
        return "no JSON object"
    if reply.get("code") != "200":
        return "code is not the text 200"
    if reply.get("tsbh") != push.id:
        return "another tsbh"
    return ""
