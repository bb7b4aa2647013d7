"""Callbacks as they go out, true and forged, and the test of their acknowledgement (hr_arbitration page §5, §7)."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from mocks.clock import Clock
from mocks.hr_arbitration.envelope import (
    ENCTYPE,
    REPLY_HEAD,
    SIGNTYPE,
    VERSION,
    NotJson,
    read_base64,
    read_object,
    seal,
    string_to_sign,
)
from mocks.hr_arbitration.gate import envelope_bytes, sign
from mocks.hr_arbitration.keys import Keys
from mocks.hr_arbitration.settings import Settings
from mocks.hr_arbitration.sm2 import Signer, backend, der_of_raw, new_private_key
from mocks.pushes import Answer, Outgoing, Push

FORGERIES = frozenset(
    {
        "wrong_key",
        "tampered_body",
        "tampered_head",
        "der",
        "wrong_id",
        "stale",
        "replay",
        "unsigned",
        "wrong_sm4_key",
    }
)
_HEADERS = (("Content-Type", "application/json; charset=UTF-8"),)


class Callbacks:
    """Builds each try of a callback and judges the gateway's answer. ``keys`` is asked at each use."""

    def __init__(self, settings: Settings, keys: Callable[[str], Keys], clock: Clock) -> None:
        self._settings = settings
        self._keys = keys
        self._clock = clock

    async def build(self, push: Push, how: str) -> Outgoing:
        """A fresh envelope (timestamp, nonce, IV, sign) of ``push``; ``how`` spoils it (§7)."""
        keys = self._keys(push.op)
        at = self._clock.now()
        if how == "stale":
            at -= timedelta(seconds=self._settings.clock_tolerance_s + 1)
        head = {
            "appid": self._settings.appid,
            "serviceid": push.op,
            "serialno": push.id,
            "timestamp": at.strftime("%Y%m%d%H%M%S"),
            "nonce": secrets.token_hex(16),
            "version": VERSION,
            "enctype": ENCTYPE,
            "signtype": SIGNTYPE,
        }
        key = secrets.token_bytes(16) if how == "wrong_sm4_key" else keys.sm4[0]
        body = seal(key, push.content)
        signer = keys.signer
        if how == "wrong_key":
            signer = Signer(new_private_key(), signer.signer_id)
        elif how == "wrong_id":
            signer = replace(signer, signer_id=_other_id(self._settings))
        signature = await sign(signer, string_to_sign(head, body))
        match how:
            case "tampered_body":
                body = seal(key, dict(push.content) | {"AAE013": "内容已被篡改"})
            case "tampered_head":
                head["serialno"] = f"{push.id[:-1]}{'0' if push.id[-1] != '0' else '1'}"
            case "der":
                signature = base64.b64encode(der_of_raw(base64.b64decode(signature))).decode("ascii")
        if how != "unsigned":
            head["sign"] = signature
        return Outgoing(self._settings.callback_url, _HEADERS, envelope_bytes(head, body))

    async def judge(self, push: Push, outgoing: Outgoing, answer: Answer) -> str:
        """``""`` = acknowledged: HTTP 200, the gateway's signature, ``reqnonce``, code 0000 or 1001, no body (§5)."""
        if answer.status != 200:
            return answer.error or f"HTTP {answer.status}"
        try:
            envelope = read_object(answer.body)
            sent = read_object(outgoing.body)["head"]
        except NotJson:
            return "no JSON envelope"
        head, body = envelope.get("head"), envelope.get("body")
        if set(envelope) != {"head", "body"} or not isinstance(head, dict) or not isinstance(body, str):
            return "no envelope"
        if not {*REPLY_HEAD, "sign"} <= set(head) <= {*REPLY_HEAD, "sign", "retryafter"}:
            return "fields of the head are missing or unknown"
        if not all(isinstance(value, str) for value in head.values()):
            return "a value of the head is not a string"
        for name, pattern in REPLY_HEAD.items():
            if pattern.fullmatch(head[name]) is None:
                return f"form of {name}"
        if any(head[name] != sent[name] for name in ("appid", "serviceid", "serialno")):
            return "an answer to another callback"
        if head["reqnonce"] != sent["nonce"]:
            return "reqnonce"
        if not await self._holds(push.op, head, body):
            return "signature"
        if head["code"] not in ("0000", "1001"):
            return f"code {head['code']}"
        return "" if body == "" else "body is not empty"

    async def _holds(self, op: str, head: dict[str, str], body: str) -> bool:
        try:
            signature = read_base64(head["sign"])
        except ValueError:
            return False
        verifier = self._keys(op).verifier
        text = string_to_sign(head, body)
        if backend().slow:
            return await asyncio.to_thread(verifier.holds, text, signature)
        return verifier.holds(text, signature)


def _other_id(settings: Settings) -> bytes:
    own, other = settings.platform_signer_id, settings.gateway_signer_id
    return bytes((other if other != own else f"{own}X").encode("utf-8"))
