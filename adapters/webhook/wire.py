"""The bytes of a webhook: the event as compact JSON, the headers of one attempt, the receiver's answer to the handshake."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from importlib.metadata import version

from adapters.http import NotJson, json_bytes, read_json_object
from contracts.adapter import Json, Reply
from contracts.webhook import SigningKey, signed_headers

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
USER_AGENT = f"mediation-gateway/{version('mediation-gateway')}"
REPLY_LIMIT = 64 * 1024
"""The most bytes of an answer that are read."""
_MOST_VALUES = 1000


def body_of(event: Json) -> bytes:
    """Compact JSON in UTF-8: the same event is the same bytes, at every attempt and replay."""
    return json_bytes(event)


def headers_of(keys: Iterable[SigningKey], event_id: str, timestamp: int, body: bytes) -> tuple[tuple[str, str], ...]:
    """Every header of one attempt (§1, §2)."""
    return (
        ("Content-Type", CONTENT_TYPE),
        ("User-Agent", USER_AGENT),
        *signed_headers(keys, event_id, timestamp, body),
    )


def repeats(reply: Reply, challenge: str) -> bool:
    """Whether the answer is JSON that repeats the challenge (§5)."""
    kind = (reply.header("Content-Type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return False
    try:
        said = read_json_object(reply.body, limit=REPLY_LIMIT, depth=4, values=_MOST_VALUES).get("challenge")
    except NotJson:
        return False
    return isinstance(said, str) and hmac.compare_digest(said.encode(), challenge.encode())
