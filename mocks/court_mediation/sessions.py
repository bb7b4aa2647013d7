"""Login and sessions of the one account (court_mediation §1, §2): HMAC password, lock, cookie, its two ends, rate."""

import hashlib
import hmac
import secrets
import time
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from mocks.court_mediation.moments import read_second
from mocks.court_mediation.reading import Denied
from mocks.court_mediation.settings import Settings

COOKIE: Final = "JSESSIONID"
_RATE_SECOND: Final = 0.9
"""Real seconds that count as one: a sender that keeps 5 a second must not fail by a hundred milliseconds of jitter."""


@dataclass(slots=True)
class _Session:
    began: datetime
    used: datetime


def password_of(username: str, yzsj: str, password: str) -> str:
    """Upper-case hex of HMAC-SHA256(key = password, message = username ‖ yzsj), all UTF-8 (§2)."""
    return hmac.new(password.encode(), (username + yzsj).encode(), hashlib.sha256).hexdigest().upper()


class Sessions:
    """Sessions live in memory alone: a restart ends them all, as a restart of the real server does."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sessions: dict[str, _Session] = {}  # oldest login first
        self._spent: dict[str, datetime] = {}  # yzsj → when it was used
        self._failures: deque[datetime] = deque()
        self._locked_until: datetime | None = None
        self._sent: deque[float] = deque()

    def login(self, username: str, yzsj: str, password: str, now: datetime) -> str:
        """A new session's cookie value. Raises Denied 401, or 423 while the account is locked."""
        if not hmac.compare_digest(username.encode(), self._settings.username.encode()):
            raise Denied("401", "用户名或密码错误")
        if self._locked_until is not None and now < self._locked_until:
            raise Denied("423", "账号已锁定")
        if not self._proved(yzsj, password, now):
            raise self._failed(now)
        self._spent[yzsj] = now
        self._locked_until = None
        while len(self._sessions) >= self._settings.sessions:
            del self._sessions[next(iter(self._sessions))]
        cookie = secrets.token_hex(16).upper()
        self._sessions[cookie] = _Session(now, now)
        return cookie

    def replay(self, yzsj: str, at: datetime, code: str) -> None:
        """Take up a login of the journal: "" = it succeeded, else the code it was refused with."""
        if not code:
            self._spent[yzsj] = at
            self._locked_until = None
        elif self._locked_until is None or at >= self._locked_until:
            self._failed(at)

    def open(self, cookie: str | None, now: datetime) -> bool:
        """Whether `cookie` is a living session; if so, it counts as used now."""
        session = self._sessions.get(cookie or "")
        if session is None or cookie is None:
            return False
        idle = timedelta(seconds=self._settings.session_idle_s)
        life = timedelta(seconds=self._settings.session_life_s)
        if now - session.used >= idle or now - session.began >= life:
            del self._sessions[cookie]
            return False
        session.used = now
        return True

    def end(self, cookie: str | None) -> None:
        """End a session before its time (fault `expire_session`)."""
        self._sessions.pop(cookie or "", None)

    def count_request(self) -> None:
        """Count one request of the account. Raises Denied 429 over the rate; a refused request is not counted."""
        rate = self._settings.rate_per_s
        if rate == 0:
            return
        # Real time: the platform's clock may jump.
        now = time.monotonic()
        while self._sent and now - self._sent[0] >= _RATE_SECOND:
            self._sent.popleft()
        if len(self._sent) >= rate:
            raise Denied("429", "请求过于频繁")
        self._sent.append(now)

    def _proved(self, yzsj: str, password: str, now: datetime) -> bool:
        at = read_second(yzsj)
        window = timedelta(seconds=self._settings.clock_tolerance_s)
        if at is None or abs(now - at) > window:
            return False
        self._spent = {text: used for text, used in self._spent.items() if abs(now - used) <= 2 * window}
        expected = password_of(self._settings.username, yzsj, self._settings.password)
        return hmac.compare_digest(expected.encode(), password.encode()) and yzsj not in self._spent

    def _failed(self, now: datetime) -> Denied:
        window = timedelta(seconds=self._settings.failure_window_s)
        self._failures.append(now)
        while now - self._failures[0] > window:
            self._failures.popleft()
        if len(self._failures) < self._settings.failures:
            return Denied("401", "用户名或密码错误")
        self._failures.clear()
        self._locked_until = now + timedelta(seconds=self._settings.lock_s)
        return Denied("423", "账号已锁定")
