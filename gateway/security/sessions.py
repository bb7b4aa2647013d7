"""Sessions of the console: a random token in a cookie, its hash in the store, and the form token that follows from it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import deque
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

_TOKEN_CHARACTERS: Final = 43


def make_token() -> str:
    """A fresh token: 32 random bytes, URL-safe."""
    return secrets.token_urlsafe(32)


def is_token(given: str) -> bool:
    """Whether it has a token's form."""
    return len(given) == _TOKEN_CHARACTERS and given.isascii() and all(c.isalnum() or c in "-_" for c in given)


def token_hash(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def form_token(token: str) -> str:
    """The token that every form carries: it follows from the session's and does not lead back to it."""
    return hmac.new(token.encode(), b"form", hashlib.sha256).hexdigest()


def same_form_token(token: str, given: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(form_token(token).encode(), given.encode())


def same_origin(origin: str | None, referer: str | None, host: str, public_base: str) -> bool:
    """Whether a request that changes something was sent by a page of ours: its ``Origin`` (else its ``Referer``) names the
    host that it was sent to, or the address under which others reach us. A request that tells neither is none of a browser's
    forms, and is refused."""
    told = origin if origin is not None else referer
    if not told or told == "null":
        return False
    try:
        parts = urlsplit(told)
    except ValueError:  # "http://[" is no address at all
        return False
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return False
    return parts.netloc.lower() in (host.lower(), urlsplit(public_base).netloc.lower())


class Throttle:
    """Counts failed sign-ins per address in a sliding window; bounded in memory."""

    def __init__(
        self,
        most: int = 20,
        window_s: float = 300.0,
        addresses: int = 10_000,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._window_s = window_s
        self._addresses = addresses
        self._now = now
        self._failed: dict[str, deque[float]] = {}

    def wait_s(self, address: str) -> float:
        """How long this address must wait before its next try; 0 = not at all."""
        tries = self._recent(address)
        return 0.0 if len(tries) < self._most else max(tries[0] + self._window_s - self._now(), 1.0)

    def failed(self, address: str) -> None:
        """One more failure of this address."""
        if address not in self._failed and len(self._failed) >= self._addresses:
            self._failed.pop(next(iter(self._failed)))
        self._failed.setdefault(address, deque(maxlen=self._most)).append(self._now())

    def _recent(self, address: str) -> deque[float]:
        tries = self._failed.get(address, deque())
        while tries and tries[0] <= self._now() - self._window_s:
            tries.popleft()
        return tries


LOCK_AFTER: Final = 5
"""Failures in a row after which an account must wait."""

LOCK_CAP_S: Final = 900.0


def locked_for_s(failures: int, failed_at_ms: int | None, now_ms: int) -> float:
    """How long an account must wait after so many failures in a row: 30 s, doubled with each, at most 15 minutes."""
    if failures < LOCK_AFTER or failed_at_ms is None:
        return 0.0
    wait = min(30.0 * float(1 << min(failures - LOCK_AFTER, 10)), LOCK_CAP_S)
    return max(0.0, failed_at_ms / 1000 + wait - now_ms / 1000)


class Strangers:
    """Failures in a row under names that nobody has: they wait as an account's do, so that waiting tells nobody which names
    there are. Bounded in memory; the oldest goes first."""

    def __init__(self, names: int = 10_000) -> None:
        self._names = names
        self._failed: dict[str, tuple[int, int]] = {}

    def of(self, name: str) -> tuple[int, int | None]:
        """How often the name failed, and when last (ms)."""
        return self._failed.get(name, (0, None))

    def failed(self, name: str, now_ms: int) -> None:
        """One more failure under this name."""
        before, _ = self._failed.pop(name, (0, 0))
        if len(self._failed) >= self._names:
            del self._failed[next(iter(self._failed))]
        self._failed[name] = (before + 1, now_ms)
