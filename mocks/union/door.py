"""The union's door: what is checked about a request before its items are looked at, in the order of union page §2."""

import re
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from mocks.union import digest
from mocks.union.form import FormError, decode
from mocks.union.layout import LAYOUTS

_COMMON = frozenset({"appKey", "method", "timestamp", "nonce", "n", "sign"})
_ITEM_NAME = re.compile(r"i[0-9]{1,9}\.[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*")
_ITEM = re.compile(r"i([1-9][0-9]{0,8})\.(.+)")
_TIMESTAMP = re.compile(r"[0-9]{13}")
_NONCE = re.compile(r"[0-9A-Za-z]{16,32}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,5}")
_MEDIA = re.compile(r"application/x-www-form-urlencoded\s*;\s*charset=\"?GB18030\"?", re.IGNORECASE)
# Two clocks and the network stand between sender and door: a paced sender may come a little early.
_BUCKET_GRACE = 0.1

TEXTS = {
    "A1": "签名错误",
    "A2": "时间戳超出范围",
    "A3": "随机串重复",
    "A4": "应用标识错误",
    "B1": "报文格式错误",
    "B2": "批次编号错误",
    "B3": "服务不存在",
    "C1": "系统繁忙，请稍后再试",
    "C2": "系统维护",
    "C9": "系统异常",
}
"""Texts of the batch codes (§3)."""


class Denied(Exception):
    """The request is answered with ``result`` 1 and ``code``; ``params`` is what could be read of it."""

    def __init__(self, code: str, reason: str, params: list[tuple[str, str]] | None = None) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.params = params or []


@dataclass(frozen=True, slots=True)
class Received:
    """A request that passed the door: ``items`` by number from 1, without empty fields and without ``i<k>.``."""

    method: str
    nonce: str
    items: dict[int, dict[str, str]]


class Door:
    """The checks of §2 with their memory: nonces seen and the rate of batches."""

    def __init__(self, *, app_key: str, tolerance_ms: int, nonce_memory_s: float, items_max: int, rate: float) -> None:
        """``rate``: batches a second, 0 = no limit; ``nonce_memory_s`` counts on the union's clock."""
        self._app_key = app_key
        self._tolerance_ms = tolerance_ms
        self._nonce_memory = timedelta(seconds=nonce_memory_s)
        self._items_max = items_max
        self._rate = rate
        self._nonces: dict[str, datetime] = {}
        self._tokens = max(1.0, rate)
        self._filled = time.monotonic()

    def remember(self, nonce: str, at: datetime) -> None:
        """Note a nonce as seen at ``at`` (also after a restart)."""
        self._nonces[nonce] = at

    def check(self, body: bytes, content_type: str, *, secret: str, now: datetime, ping: bool) -> Received:
        """Let a request in.

        Raises:
            Denied: with the code of §3, the first that fits in the order of §2.
        """
        if _MEDIA.fullmatch(content_type.strip()) is None:
            raise Denied("B1", "content type")
        try:
            params = decode(body)
        except FormError as error:
            raise Denied("B1", str(error)) from None
        values = self._form(params)
        if values.get("appKey") != self._app_key:
            raise Denied("A4", "appKey", params)
        if abs(int(values["timestamp"]) - round(now.timestamp() * 1000)) > self._tolerance_ms:
            raise Denied("A2", "timestamp", params)
        if not digest.holds(params, secret):
            raise Denied("A1", "sign", params)
        self._fresh(values["nonce"], now, params)
        method = values.get("method", "")
        if method != "ping" if ping else method not in LAYOUTS:
            raise Denied("B3", "method", params)
        items = self._items(values, params, ping=ping)
        if not ping and not self._within_rate():
            raise Denied("C1", "rate", params)
        return Received(method, values["nonce"], items)

    def _form(self, params: list[tuple[str, str]]) -> dict[str, str]:
        values: dict[str, str] = {}
        for name, value in params:
            if name not in _COMMON and _ITEM_NAME.fullmatch(name) is None:
                raise Denied("B1", "parameter name", params)
            if name in values:
                raise Denied("B1", "parameter twice", params)
            values[name] = value
        if _TIMESTAMP.fullmatch(values.get("timestamp", "")) is None:
            raise Denied("B1", "form of timestamp", params)
        if _NONCE.fullmatch(values.get("nonce", "")) is None:
            raise Denied("B1", "form of nonce", params)
        return values

    def _fresh(self, nonce: str, now: datetime, params: list[tuple[str, str]]) -> None:
        oldest = now - self._nonce_memory
        while self._nonces and self._nonces[first := next(iter(self._nonces))] <= oldest:
            del self._nonces[first]
        seen = self._nonces.pop(nonce, None)
        if seen is not None and seen > oldest:
            self._nonces[nonce] = seen
            raise Denied("A3", "nonce", params)
        self._nonces[nonce] = now

    def _items(self, values: dict[str, str], params: list[tuple[str, str]], *, ping: bool) -> dict[int, dict[str, str]]:
        count = values.get("n", "")
        if _NUMBER.fullmatch(count) is None:
            raise Denied("B2", "n", params)
        items: dict[int, dict[str, str]] = {}
        for name, value in values.items():
            if name in _COMMON or not value:
                continue
            match = _ITEM.fullmatch(name)
            if match is None:
                raise Denied("B2", "item number", params)
            items.setdefault(int(match[1]), {})[match[2]] = value
        wanted = int(count)
        if ping and wanted != 0:
            raise Denied("B2", "a probe has no items", params)
        if not ping and not 1 <= wanted <= self._items_max:
            raise Denied("B2", "number of items", params)
        if sorted(items) != list(range(1, wanted + 1)):
            raise Denied("B2", "item numbers", params)
        return dict(sorted(items.items()))

    def _within_rate(self) -> bool:
        if self._rate <= 0:
            return True
        now = time.monotonic()
        self._tokens = min(max(1.0, self._rate), self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        if self._tokens < 1.0 - _BUCKET_GRACE:
            return False
        self._tokens -= 1.0
        return True
