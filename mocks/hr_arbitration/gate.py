"""The door: who may come in, in the order of checks of the hr_arbitration page (§2), and how replies are written."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mocks.clock import BEIJING, Clock
from mocks.hr_arbitration.envelope import (
    ENCTYPE,
    REQUEST_HEAD,
    SIGNTYPE,
    VERSION,
    NotDecrypted,
    NotJson,
    read_base64,
    read_object,
    seal,
    string_to_sign,
    unseal,
)
from mocks.hr_arbitration.fields import Finding, Json, moment
from mocks.hr_arbitration.keys import Keys
from mocks.hr_arbitration.layout import SERVICES
from mocks.hr_arbitration.settings import Settings
from mocks.hr_arbitration.sm2 import Signer, backend

MESSAGES = {
    "0000": "成功",
    "1001": "重复报送，返回首次受理结果",
    "2001": "系统繁忙",
    "2002": "应用维护中",
    "3001": "报文头不完整或格式错误",
    "3002": "appid无效或无权访问该服务",
    "3003": "时间戳超出允许范围",
    "3004": "验签失败",
    "3005": "随机数重复",
    "3006": "解密失败",
    "3008": "服务不存在",
    "4001": "必填项缺失",
    "4002": "格式或代码值错误",
    "4003": "超长",
    "4009": "流水号已存在且内容不一致",
    "4010": "案件不存在",
    "4011": "当前状态不允许",
    "4020": "超过15日申请且未说明理由",
    "4021": "已有在办的确认申请",
    "4022": "不属于本委管辖",
    "4023": "确认劳动关系争议不予审查",
    "4024": "协议不存在",
    "4030": "调解员不存在或证书已失效",
    "4040": "任务不存在、已答复或已逾期",
    "4050": "附件不存在",
    "5000": "系统内部错误",
}


class BadRequest(Exception):
    """HTTP 400: not one JSON object with ``head`` and ``body``."""


class TooLarge(Exception):
    """HTTP 413."""


@dataclass(slots=True)
class Message:
    """One request as far as it could be read; ``head`` holds the fields of the right form, others as ``""``."""

    head: dict[str, str] = field(default_factory=dict)
    body: str = ""
    content: Json | None = None

    @property
    def service(self) -> str:
        """serviceid."""
        return self.head.get("serviceid", "")

    @property
    def serial(self) -> str:
        """serialno."""
        return self.head.get("serialno", "")


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply before it is written."""

    code: str
    content: Json | None = None
    retry_after: str = ""


class Coded(Exception):
    """The first check that finds something answers with its code."""

    def __init__(self, code: str, findings: list[Finding] | None = None, retry_after: str = "") -> None:
        super().__init__(code)
        self.findings = findings or []
        # All findings, but a reply has to stay below 2 MiB.
        rows = [finding.row() for finding in self.findings[:1000]]
        content = {"BZR003": rows} if rows else None
        self.reply = Reply(code, content, retry_after)


class Gate:
    """Checks requests and writes replies. ``keys`` is asked at each use: a fault may change them."""

    def __init__(self, settings: Settings, keys: Callable[[str], Keys], clock: Clock) -> None:
        self._settings = settings
        self._keys = keys
        self._clock = clock
        self._nonces: dict[str, datetime] = {}
        self._sweep_at = 10_000
        self._recent: deque[float] = deque()
        #: Requests now being handled (§1: 8 at once).
        self.inside = 0
        self._replies = 0
        self._bodies = 0

    # --- in

    def read(self, data: bytes) -> tuple[Message, Json]:
        """JSON and shape. Raises :class:`BadRequest`, or :class:`TooLarge` by the limit of the service."""
        limit = self._settings.request_limit
        try:
            envelope = read_object(data)
        except NotJson:
            if len(data) > limit:
                raise TooLarge from None
            raise BadRequest("not one JSON object") from None
        head = envelope.get("head")
        if len(data) > limit and not (isinstance(head, dict) and head.get("serviceid") == "TJ9002"):
            raise TooLarge
        if set(envelope) != {"head", "body"} or not isinstance(head, dict) or not isinstance(envelope["body"], str):
            raise BadRequest("head or body is missing")
        message = Message(body=envelope["body"])
        for name, pattern in REQUEST_HEAD.items():
            value = head.get(name)
            message.head[name] = value if isinstance(value, str) and pattern.fullmatch(value) else ""
        return message, head

    async def admit(self, message: Message, head: Json) -> None:
        """Head, appid, time, signature, nonce, decryption, service. Raises :class:`Coded`."""
        if set(head) != {*REQUEST_HEAD, "sign"} or not message.body or not all(message.head.values()):
            raise Coded("3001")
        if not isinstance(head["sign"], str) or not head["sign"]:
            raise Coded("3001")
        try:
            sent = moment(head["timestamp"]).replace(tzinfo=BEIJING)
        except ValueError:
            raise Coded("3001") from None
        services = self._settings.allowed_services
        if head["appid"] != self._settings.appid or (services and message.service not in services):
            raise Coded("3002")
        # Both clocks in whole seconds, as the head has no fraction: 300 s apart is still allowed.
        now = self._clock.now()
        if abs((now.replace(microsecond=0) - sent).total_seconds()) > self._settings.clock_tolerance_s:
            raise Coded("3003")
        if not await self._signed(head, message):
            raise Coded("3004")
        self._remember(head["nonce"], now)
        self._within_rate()
        try:
            message.content = unseal(self._keys(message.service).sm4, message.body)
        except NotDecrypted:
            raise Coded("3006") from None
        if message.service not in SERVICES:
            raise Coded("3008")

    async def _signed(self, head: Json, message: Message) -> bool:
        try:
            signature = read_base64(head["sign"])
        except ValueError:
            return False
        verifier = self._keys(message.service).verifier
        text = string_to_sign(head, message.body)
        if backend().slow:
            return await asyncio.to_thread(verifier.holds, text, signature)
        return verifier.holds(text, signature)

    def _remember(self, nonce: str, now: datetime) -> None:
        window = self._settings.nonce_memory_s
        seen = self._nonces.get(nonce)
        if seen is not None and abs((now - seen).total_seconds()) < window:
            raise Coded("3005")
        self._nonces[nonce] = now
        if len(self._nonces) > self._sweep_at:
            self._nonces = {name: at for name, at in self._nonces.items() if abs((now - at).total_seconds()) < window}
            self._sweep_at = max(10_000, 2 * len(self._nonces))

    def _within_rate(self) -> None:
        now = time.monotonic()
        while self._recent and now - self._recent[0] >= 1.0:
            self._recent.popleft()
        if len(self._recent) >= self._settings.rate_per_s or self.inside > self._settings.at_once:
            raise Coded("2001", retry_after="1")
        self._recent.append(now)

    # --- out

    async def write(self, message: Message, reply: Reply) -> bytes:
        """The signed reply envelope. Oddities of §7: every third body in lower-case keys, ``message`` with & and =."""
        self._replies += 1
        text = MESSAGES.get(reply.code, "业务处理失败")
        if self._replies % 2 == 0:
            text = f"{text}（环节=受理&结果={reply.code}）"
        head = {
            "appid": message.head.get("appid", ""),
            "serviceid": message.service,
            "serialno": message.serial,
            "reqnonce": message.head.get("nonce", ""),
            "timestamp": self._clock.now().strftime("%Y%m%d%H%M%S"),
            "nonce": secrets.token_hex(16),
            "version": VERSION,
            "enctype": ENCTYPE,
            "signtype": SIGNTYPE,
            "code": reply.code,
            "message": text,
        }
        if reply.retry_after:
            head["retryafter"] = reply.retry_after
        keys = self._keys(message.service)
        body = ""
        if reply.content is not None:
            self._bodies += 1
            body = seal(keys.sm4[0], lower_keys(reply.content) if self._bodies % 3 == 0 else reply.content)
        return await write_envelope(keys.signer, head, body)


async def write_envelope(signer: Signer, head: dict[str, str], body: str) -> bytes:
    """``{"head":…,"body":…}`` with ``sign`` of ``signer``, in UTF-8."""
    signature = await sign(signer, string_to_sign(head, body))
    return envelope_bytes(head | {"sign": signature}, body)


async def sign(signer: Signer, text: bytes) -> str:
    """base64 of r‖s, 88 characters."""
    raw = await asyncio.to_thread(signer.sign, text) if backend().slow else signer.sign(text)
    return base64.b64encode(raw).decode("ascii")


def envelope_bytes(head: Mapping[str, str], body: str) -> bytes:
    """The envelope as it goes out."""
    return json.dumps({"head": head, "body": body}, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def lower_keys(content: Any) -> Any:
    """The same with every key in lower case."""
    if isinstance(content, dict):
        return {key.lower(): lower_keys(value) for key, value in content.items()}
    if isinstance(content, list):
        return [lower_keys(item) for item in content]
    return content
