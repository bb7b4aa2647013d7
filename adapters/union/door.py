"""The door for callbacks: the page's checks in the page's order, and what names a call over its repeats (page §2, §5)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import MappingProxyType

from adapters.http import LONG, json_bytes, read_aside
from adapters.union import form, security, wire
from contracts.adapter import Authenticated, Blocking, NonceStore, Reply

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
    address: str,
    body: bytes,
    app_key: str,
    secret: str,
    now: datetime,
    nonces: NonceStore,
    aside: Blocking,
) -> Authenticated:
    """Prove a call over its raw bytes. What is computed over long ones is computed ``aside``.

    Raises:
        Refused: B1 (coding, names, doubles, forms of timestamp and nonce), A4, A2, A1, A3, B3, B2: the first in this
            order. A nonce is noted only after the sign held, so that a forger cannot use up the platform's. A long call
            is opened only if it has the platform's appKey and time: without them that is its refusal.
    """
    methods = METHODS.get(address)
    if methods is None:
        raise Refused("address")
    if LONG < len(body) <= form.LIMIT:
        _knock(partial(form.said, body), app_key, now)
    proven = await read_aside(aside, body, partial(_proven, body, app_key, secret, now))
    if not await nonces.first_seen(proven.nonce, security.NONCE_KEPT):
        raise Refused("A3")
    if proven.method not in methods:
        raise Refused("B3")
    if proven.named is None:
        raise Refused("B2")
    return proven.named


@dataclass(frozen=True, slots=True)
class _Proven:
    """A call whose sign holds. ``named`` is absent where its items are not numbered as they should be."""

    method: str
    nonce: str
    named: Authenticated | None


def _proven(body: bytes, app_key: str, secret: str, now: datetime) -> _Proven:
    try:
        received = form.decode(body)
    except form.Malformed as problem:
        raise Refused(f"B1_{problem.code}") from None
    nonce = received.get("nonce", "")
    if not security.is_nonce(nonce):
        raise Refused("B1_form")
    _knock(lambda name: received.get(name, ""), app_key, now)
    if not security.holds(received, secret):
        raise Refused("A1")
    method = received.get("method", "")
    known = any(method in methods for methods in METHODS.values())
    return _Proven(method, nonce, _named(received) if known and wire.numbers_hold(received) else None)


def _knock(said: Callable[[str], str], app_key: str, now: datetime) -> None:
    """Whether the call names us and its time is ours."""
    try:
        time, key = security.read_stamp(said("timestamp")), said("appKey")
    except form.Malformed as problem:
        raise Refused(f"B1_{problem.code}") from None
    if time is None:
        raise Refused("B1_form")
    if key != app_key:
        raise Refused("A4")
    if abs(now - time) > security.SKEW:
        raise Refused("A2")


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
