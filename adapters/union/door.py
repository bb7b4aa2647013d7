"""The door for callbacks: the page's checks in the page's order, and what names a call over its repeats (page §2, §5)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from adapters.http import json_bytes
from adapters.union import form, security, wire
from contracts.adapter import Authenticated, NonceStore, Reply

RESULT, STATUS, HANDOVER, RECALL = "batch.result", "case.status", "case.handover", "case.recall"

METHODS: Mapping[str, frozenset[str]] = MappingProxyType(
    {"result": frozenset({RESULT, STATUS}), "handover": frozenset({HANDOVER, RECALL})}
)
"""The methods of each address."""

_TEXT = (("Content-Type", "text/plain"),)
ACKNOWLEDGEMENT = Reply(200, _TEXT, b"success")
"""Seven bytes; one more or less, and the platform calls again."""
REFUSAL = Reply(401, _TEXT, b"fail")

_KEY_OF = MappingProxyType({RESULT: "xlh", STATUS: "sjbh", HANDOVER: "yjbh", RECALL: "yjbh"})
_EVERY_TIME = frozenset({"appKey", "timestamp", "nonce", security.SIGN})
_LONGEST_EVENT_ID = 120


class Refused(Exception):
    """A call that fails a check. ``code`` is the platform's own for that check, or the address's fault."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


async def admit(
    address: str, body: bytes, app_key: str, secret: str, now: datetime, nonces: NonceStore
) -> Authenticated:
    """Prove a call over its raw bytes.

    Raises:
        Refused: B1 (coding, names, doubles, forms of timestamp and nonce), A4, A2, A1, A3, B3, B2: the first in this
            order. A nonce is noted only after the sign held, so that a forger cannot use up the platform's.
    """
    methods = METHODS.get(address)
    if methods is None:
        raise Refused("address")
    try:
        received = form.decode(body)
    except form.Malformed as problem:
        raise Refused(f"B1_{problem.code}") from None
    said, nonce = security.read_stamp(received.get("timestamp", "")), received.get("nonce", "")
    if said is None or not security.is_nonce(nonce):
        raise Refused("B1_form")
    if received.get("appKey", "") != app_key:
        raise Refused("A4")
    if abs(now - said) > security.SKEW:
        raise Refused("A2")
    if not security.holds(received, secret):
        raise Refused("A1")
    if not await nonces.first_seen(nonce, security.NONCE_KEPT):
        raise Refused("A3")
    if received.get("method", "") not in methods:
        raise Refused("B3")
    if not wire.numbers_hold(received):
        raise Refused("B2")
    return _named(received)


def _named(received: Mapping[str, str]) -> Authenticated:
    """Number and fingerprint, of the business parameters alone: time, nonce and sign are new at every repeat."""
    # A list of pairs, unlike the string that is signed, has one reading alone.
    business = [[name, received[name]] for name in sorted(received) if name not in _EVERY_TIME and received[name]]
    digest = hashlib.sha256(json_bytes(business)).hexdigest()
    return Authenticated(_event_id(received) or f"{received['method']}:{digest}", digest)


def _event_id(received: Mapping[str, str]) -> str:
    """The platform's number of the call, made of what it is about; ``""`` where a part of that is missing.

    The items of one batch may come in several calls, each with its own items: each such call has its own number.
    """
    method = received["method"]
    keys = [row.text(_KEY_OF[method]) for row in wire.items(received)]
    if not keys or not all(keys):
        return ""
    key = keys[0] if len(keys) == 1 else hashlib.sha256(json_bytes(keys)).hexdigest()[:32]
    if method == STATUS:
        named = key
    elif method == RESULT:
        batch_no = received.get("batchNo", "")
        named = f"{batch_no}:{key}" if batch_no else ""
    else:
        named = f"{method}:{key}"
    return named if len(named) <= _LONGEST_EVENT_ID else ""
