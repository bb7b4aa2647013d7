"""The door for the platform's callbacks (page §2, §5): the receiver's checks in the page's order, and its answers."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from functools import partial

from adapters.beijing import D14
from adapters.hr_arbitration import callbacks, wire
from adapters.hr_arbitration.replies import DUPLICATE, SUCCESS
from adapters.hr_arbitration.security import Keys, Undecipherable
from adapters.http import Doorway, read_aside
from contracts.adapter import Authenticated, InboundCall, Reply, Tools
from contracts.errors import CallbackRejected

PATH = "exchange"

_TEXT = (("Content-Type", "text/plain; charset=UTF-8"),)
_SKEW = timedelta(seconds=300)
_NONCE_KEPT = timedelta(minutes=15)


class Door:
    """Lets in what the platform signed, once. ``appid``: ours, the same in both directions."""

    def __init__(self, appid: str, keys: Keys, tools: Tools) -> None:
        self._appid = appid
        self._keys = keys
        self._tools = tools
        self._at_the_door = Doorway(tools.blocking)

    async def authenticate(self, call: InboundCall) -> Authenticated:
        """The receiver's checks in the page's order (§2): the first finding answers.

        Raises:
            CallbackRejected: an HTTP status for what is no envelope, else a signed reply with the code.
        """
        if call.path.strip("/") != PATH:
            raise CallbackRejected("http_404", Reply(404))
        if call.method != "POST":
            raise CallbackRejected("http_405", Reply(405, (("Allow", "POST"),)))
        if len(call.body) > wire.LIMIT:
            raise CallbackRejected("http_413", Reply(413))
        try:
            envelope = await self._envelope(call)
        except wire.NotAnEnvelope as error:
            raise CallbackRejected(f"http_400_{error.code}", Reply(400, _TEXT, b"not an envelope")) from None
        if not wire.call_head_is_sound(envelope.head):
            raise await self._refusal(envelope, "3001", "报文头不符合规范")
        if envelope.field("appid") != self._appid:
            raise await self._refusal(envelope, "3002", "应用标识不符")
        if not self._is_fresh(envelope):
            raise await self._refusal(envelope, "3003", "时间戳超出允许范围")
        if not await self._at_the_door(self._keys.platform_signed, envelope):
            raise await self._refusal(envelope, "3004", "签名验证失败")
        if not await self._tools.nonces.first_seen(envelope.field("nonce"), _NONCE_KEPT):
            raise await self._refusal(envelope, "3005", "随机数重复")
        try:
            digest: str = await self._at_the_door(self._digest, envelope)
        except Undecipherable:
            raise await self._refusal(envelope, "3006", "报文体解密失败") from None
        if envelope.field("serviceid") not in callbacks.SERVICES:
            raise await self._refusal(envelope, "3008", "服务编号不存在")
        return Authenticated(envelope.field("serialno"), digest)

    async def acknowledge(self, call: InboundCall, *, duplicate: bool) -> Reply:
        """The signed 0000, or 1001 for a call that was stored before."""
        code, text = (DUPLICATE, "重复报文") if duplicate else (SUCCESS, "成功")
        return await self._answer(await self._envelope(call), code, text)

    async def _envelope(self, call: InboundCall) -> wire.Envelope:
        return await read_aside(self._at_the_door, call.body, partial(wire.read_envelope, call.body))

    def _is_fresh(self, envelope: wire.Envelope) -> bool:
        try:
            said = D14.read(envelope.field("timestamp"))
        except ValueError:
            return False
        return abs(self._tools.now() - said) <= _SKEW

    async def _refusal(self, envelope: wire.Envelope, code: str, text: str) -> CallbackRejected:
        return CallbackRejected(code, await self._answer(envelope, code, text))

    async def _answer(self, envelope: wire.Envelope, code: str, text: str) -> Reply:
        """A signed reply without body; what could not be read is echoed as ``""``."""
        asked = {
            name: envelope.field(name) if wire.readable(name, envelope.head.get(name)) else ""
            for name in ("appid", "serviceid", "serialno", "nonce")
        }
        head = wire.fresh_head(
            asked["appid"], asked["serviceid"], asked["serialno"], self._tools.now(), self._tools.random_bytes(16)
        )
        head |= {"reqnonce": asked["nonce"], "code": code, "message": text}
        raw: bytes = await self._at_the_door(self._keys.seal, head, None, b"")
        return Reply(200, wire.HEADERS, raw)

    def _digest(self, envelope: wire.Envelope) -> str:
        """Fingerprint of a callback's business content, compared as JSON values: order and spacing of keys do not count.

        Raises:
            Undecipherable: from ``Keys.open``.
        """
        plaintext = self._keys.open(envelope.body)
        text = json.dumps([envelope.field("serviceid"), plaintext], sort_keys=True, ensure_ascii=False, default=str)
        return hashlib.sha256(text.encode()).hexdigest()
