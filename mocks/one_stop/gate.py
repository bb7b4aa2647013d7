"""The gateway in front of the platform: the x-tif headers in the order of page §2, and the rate of page §1."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Final

from multidict import CIMultiDict, CIMultiDictProxy

from mocks.one_stop.refusal import SoapFault
from mocks.one_stop.settings import Settings

_FORMS: Final = {
    "x-tif-paasid": re.compile(r"[!-~]{1,128}", re.ASCII),
    "x-tif-serviceId": re.compile(r"[!-~]{1,128}", re.ASCII),
    "x-tif-timestamp": re.compile(r"[0-9]{10}", re.ASCII),
    "x-tif-nonce": re.compile(r"[0-9a-zA-Z]{16,32}", re.ASCII),
    "x-tif-signature": re.compile(r"[0-9A-F]{64}", re.ASCII),
}


def signature(timestamp: str, token: str, nonce: str) -> str:
    """Upper-case hex of SHA-256(timestamp ‖ token ‖ nonce ‖ timestamp), page §2."""
    return hashlib.sha256(f"{timestamp}{token}{nonce}{timestamp}".encode("ascii")).hexdigest().upper()


class Gate:
    """Checks the headers of each request; keeps the nonces it saw and the moments of the last second."""

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        self._nonces: dict[str, float] = {}
        self._moments: deque[float] = deque()

    def check(self, headers: CIMultiDictProxy[str] | CIMultiDict[str], *, token: str) -> None:
        """Raises :class:`SoapFault` S001, S002 or S003, in the order of the page; ``token`` is the one in force."""
        found: dict[str, str] = {}
        for name, form in _FORMS.items():
            values = headers.getall(name, [])
            if len(values) != 1 or form.fullmatch(values[0]) is None:
                raise SoapFault("S001", name)
            found[name] = values[0]
        settings = self._settings
        if found["x-tif-paasid"] != settings.paasid or found["x-tif-serviceId"] != settings.service_id:
            raise SoapFault("S001")
        stamp, nonce = found["x-tif-timestamp"], found["x-tif-nonce"]
        now = self._now().timestamp()
        if abs(int(stamp) - now) > settings.clock_tolerance_s:
            raise SoapFault("S002")
        if not hmac.compare_digest(signature(stamp, token, nonce), found["x-tif-signature"]):
            raise SoapFault("S001")
        self._note(nonce, now)

    def _note(self, nonce: str, now: float) -> None:
        memory = self._settings.nonce_memory_s
        # In order of arrival; a moved clock may leave older ones behind younger ones, which only keeps them longer.
        while self._nonces:
            oldest, seen = next(iter(self._nonces.items()))
            if now - seen <= memory:
                break
            del self._nonces[oldest]
        seen_at = self._nonces.get(nonce)
        if seen_at is not None and now - seen_at <= memory:
            raise SoapFault("S003")
        self._nonces[nonce] = now

    def admit(self) -> None:
        """Count one request of this paasid. Raises :class:`SoapFault` S004 over the rate, on real time."""
        moment = time.monotonic()
        while self._moments and moment - self._moments[0] >= 1:
            self._moments.popleft()
        if len(self._moments) >= self._settings.rate_per_s:
            raise SoapFault("S004", retry_after=self._settings.rate_retry_s)
        self._moments.append(moment)
