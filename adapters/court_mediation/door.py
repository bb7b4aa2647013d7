"""The door for the platform's pushes (page §2, §5): the receiver's checks in the page's order, and its answers."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from functools import partial
from typing import Any

from adapters.court_mediation import security, wire
from adapters.court_mediation.settings import CourtMediationSettings
from adapters.http import Doorway, NotJson, json_bytes, read_aside, read_json_object
from contracts.adapter import Authenticated, InboundCall, Json, Reply, Tools
from contracts.errors import CallbackRejected

PATH = "notify"
TIMESTAMP, NONCE, SIGNATURE = "X-Fy-Timestamp", "X-Fy-Nonce", "X-Fy-Signature"
_LONGEST_EVENT = 32
_HEADERS = (("Content-Type", wire.JSON_TYPE),)
_OF_LINKS = frozenset({"wjlj", "wjyxq"})
"""A repeat may bring a new link to the same document."""


class Door:
    """Lets in what the platform signed, once."""

    def __init__(self, settings: CourtMediationSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools
        self._at_the_door = Doorway(tools.blocking)

    async def authenticate(self, call: InboundCall) -> Authenticated:
        """Form of the headers, clock, signature over the raw body, nonce; then what the body has to be.

        Raises:
            CallbackRejected: 401 for the first four, 400 for a body that is no sound JSON of strings.
        """
        if call.path.strip("/") != PATH:
            raise _refusal(404, "not_found", "地址不存在")
        if call.method != "POST":
            raise _refusal(405, "method", "请求方法不支持", (("Allow", "POST"),))
        if len(call.body) > self._settings.push_limit:
            raise _refusal(413, "too_large", "报文过大")
        timestamp, nonce, signature = self._headers(call)
        skew = abs(self._tools.now().timestamp() - int(timestamp))
        if skew > self._settings.push_skew_s:
            raise _refusal(401, "stale", "时间戳超出允许范围")
        if not security.push_holds(self._settings.push_key, timestamp, nonce, call.body, signature):
            raise _refusal(401, "wrong_signature", "签名验证失败")
        keep = timedelta(seconds=self._settings.nonce_kept_s)
        if not await self._tools.nonces.first_seen(nonce, keep):
            raise _refusal(401, "replay", "随机数重复")
        return await read_aside(self._at_the_door, call.body, partial(self._authenticated, call.body))

    async def acknowledge(self, call: InboundCall) -> Reply:
        """The answer to a stored push, with its number."""
        number = await read_aside(self._at_the_door, call.body, partial(self._number, call.body))
        return Reply(200, _HEADERS, json_bytes({"code": "200", "msg": "success", "tsbh": number}))

    def _headers(self, call: InboundCall) -> tuple[str, str, str]:
        """The three headers, each once and in its form."""
        found = []
        for name, form in (
            (TIMESTAMP, security.TIMESTAMP),
            (NONCE, security.NONCE),
            (SIGNATURE, security.SIGNATURE),
        ):
            values = call.header_values(name)
            if len(values) != 1 or not form.fullmatch(values[0]):
                raise _refusal(401, "header_form", "签名头缺失、重复或者格式不符")
            found.append(values[0])
        return found[0], found[1], found[2]

    def _authenticated(self, body: bytes) -> Authenticated:
        push = self._read(body)
        return Authenticated(wire.text_of(push, "tsbh"), _digest(push))

    def _number(self, body: bytes) -> str:
        return wire.text_of(read_json_object(body, limit=self._settings.push_limit, depth=wire.DEPTH), "tsbh")

    def _read(self, body: bytes) -> Json:
        try:
            push = read_json_object(body, limit=self._settings.push_limit, depth=wire.DEPTH)
        except NotJson as error:
            raise _refusal(400, f"json_{error.code}", "报文不是合法的 JSON") from None
        if not wire.only_strings(push):
            raise _refusal(400, "not_strings", "报文的值不是字符串")
        if not 0 < len(wire.text_of(push, "tsbh")) <= _LONGEST_EVENT:
            raise _refusal(400, "no_tsbh", "推送编号缺失或者过长")
        return push


def _refusal(status: int, code: str, text: str, headers: tuple[tuple[str, str], ...] = ()) -> CallbackRejected:
    body = json_bytes({"code": str(status), "msg": text})
    return CallbackRejected(code, Reply(status, (*_HEADERS, *headers), body))


def _digest(push: Json) -> str:
    """Of the business content alone: whatever the order of the keys, without links that a repeat renews."""
    text = json.dumps(_without_links(push), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _without_links(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_links(below) for key, below in value.items() if key not in _OF_LINKS}
    return [_without_links(below) for below in value] if isinstance(value, list) else value
