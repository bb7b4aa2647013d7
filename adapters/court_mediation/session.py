"""The login session (page §2): one cookie for all attempts, renewed once where the platform answers with a login page.

The account is locked after five failures within 10 minutes. Therefore nobody here repeats a refused login: all who wait
for it get its error, and a later attempt logs in again only after ``login_again_s``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from adapters.beijing import D14
from adapters.court_mediation import replies, wire
from adapters.court_mediation.security import password_proof
from adapters.court_mediation.settings import CourtMediationSettings
from contracts.adapter import Exchange, Reply, Request, Tools
from contracts.errors import EndpointError, PermanentError, RetryableError

LOGIN_PATH = "/fayuan/a/login"
LOGIN_PAGE = "login_page"

_SESSION, _REFUSED = "session", "login_refused"
_MARGIN = 0.05
"""A session is given up by this part of its idle time before its end, so that no filing meets the end on the way; as
often the memory hears of its use. A minute of the page's 20."""
_MOST_SECONDS = 240
"""How far a login's moment may go ahead of our clock: the platform takes 300 s."""


@dataclass(frozen=True, slots=True)
class Session:
    """A cookie with the moments that end it: of its login, of the last use that we noted, and the idle time told."""

    cookie: str
    since: datetime
    used: datetime
    idle_s: float

    def write(self) -> str:
        """As text for the memory."""
        return json.dumps([self.cookie, self.since.isoformat(), self.used.isoformat(), self.idle_s])

    @staticmethod
    def read(text: str | None) -> Session | None:
        """What ``write`` made."""
        if text is None:
            return None
        cookie, since, used, idle_s = json.loads(text)
        return Session(cookie, datetime.fromisoformat(since), datetime.fromisoformat(used), idle_s)


class Sessions:
    """Sends what needs a session. One login at a time in this process; what it brings is shared through the memory."""

    def __init__(self, settings: CourtMediationSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools
        self._one_login = asyncio.Lock()

    async def call(
        self,
        step: str,
        request: Callable[[str], Request],
        exchange: Exchange,
        *,
        filing: bool = False,
        within: float | None = None,
    ) -> Reply:
        """Send a request, made for a ``Cookie`` header's value, until its answer is no login page.

        A request that a login page answers was not processed, so a filing is sent again in the same attempt: both
        exchanges are marked as filings, and only the last one can have had an effect.

        Raises:
            EndpointError: the login was refused, or a login page again after it.
            RetryableError: from the exchange; with ``maybe_accepted`` for a filing alone.
        """
        session = await self._current(exchange)
        ended: set[str] = set()
        logged_in = False
        while True:
            sent = request(f"JSESSIONID={session.cookie}")
            try:
                reply = await exchange.call(step, sent, filing=filing, within=within)
            except RetryableError as error:
                error.maybe_accepted = error.maybe_accepted and filing
                raise
            if not wire.is_login_page(reply):
                await self._note_use(session)
                return reply
            if logged_in:
                raise EndpointError(LOGIN_PAGE, "a login page again right after our login")
            ended.add(session.cookie)
            session, logged_in = await self._renewed(ended, exchange)

    async def _current(self, exchange: Exchange) -> Session:
        return await self._remembered() or await self._first(exchange)

    async def _first(self, exchange: Exchange) -> Session:
        async with self._one_login:
            return await self._remembered() or await self._login(exchange)

    async def _renewed(self, ended: set[str], exchange: Exchange) -> tuple[Session, bool]:
        """Another session, and whether we logged in for it: what another attempt brought meanwhile is tried once."""
        async with self._one_login:
            known = await self._remembered()
            if known is not None and known.cookie not in ended and len(ended) == 1:
                return known, False
            return await self._login(exchange), True

    async def _remembered(self) -> Session | None:
        session = Session.read(await self._tools.memory.get(_SESSION))
        return session if session is not None and self._life(session) > timedelta(0) else None

    def _life(self, session: Session) -> timedelta:
        """What is left of a session, if nobody uses it."""
        end = min(
            session.since + timedelta(seconds=self._settings.session_s),
            session.used + timedelta(seconds=session.idle_s),
        )
        return end - _margin(session) - self._tools.now()

    async def _note_use(self, session: Session) -> None:
        """Every use prolongs the session; the memory hears of it now and then."""
        now = self._tools.now()
        if now - session.used < _margin(session):
            return
        known = Session.read(await self._tools.memory.get(_SESSION))
        if known is not None and known.cookie == session.cookie:
            await self._keep(Session(session.cookie, session.since, now, session.idle_s))

    async def _keep(self, session: Session) -> None:
        life = self._life(session)
        if life > timedelta(0):
            await self._tools.memory.put(_SESSION, session.write(), life)

    # ---------------------------------------------------------------------------------------------------------- login

    async def _login(self, exchange: Exchange) -> Session:
        """Log in once. To be called with the lock held."""
        await self._check_refused()
        settings = self._settings
        moment = await self._moment()
        proof = password_proof(settings.password.get_secret_value(), settings.username, moment)
        body = wire.form(("username", settings.username), ("yzsj", moment), ("password", proof))
        request = Request("POST", settings.base_url + LOGIN_PATH, (("Content-Type", wire.FORM_TYPE),), body)
        try:
            reply = await exchange.call("login", request, within=settings.exchange_s)
            session = await self._opened(reply)
        except RetryableError as error:
            # Whatever was sent before the login was answered by a login page: it had no effect.
            error.maybe_accepted = False
            raise
        await self._keep(session)
        return session

    async def _opened(self, reply: Reply) -> Session:
        if wire.is_login_page(reply):
            await self._refuse(LOGIN_PAGE, "the login itself is answered by a login page")
        settings, now = self._settings, self._tools.now()
        try:
            content = replies.judge(
                reply,
                now=now,
                rate_wait=timedelta(seconds=settings.rate_wait_s),
                filing=False,
            )
        except (EndpointError, PermanentError) as error:
            await self._refuse(error.code, error.text)
        cookie = wire.session_cookie(reply)
        if cookie is None:
            raise replies.unreadable("no_session", filing=False)
        told = wire.text_of(content, "yxsj")
        idle_s = float(told) if told.isascii() and told.isdigit() and len(told) < 7 else settings.idle_s
        return Session(cookie, now, now, min(idle_s, settings.idle_s))

    async def _moment(self) -> str:
        """``yzsj``: a second that no login of ours has used; where it is taken, a later one.

        The nonce store knows them, because it alone is asked and noted in one step by all processes."""
        now = self._tools.now().astimezone(UTC)
        for ahead in range(_MOST_SECONDS):
            moment = D14.write(now + timedelta(seconds=ahead))
            if await self._tools.nonces.first_seen(f"yzsj:{moment}", timedelta(minutes=15)):
                return moment
        raise RetryableError("no_yzsj", "too many logins within four minutes")

    # ------------------------------------------------------------------------------------------------ refused logins

    def _credentials(self) -> str:
        """Names our credentials without telling them: other ones may try at once."""
        settings = self._settings
        return password_proof(settings.password.get_secret_value(), settings.username, _REFUSED)

    async def _check_refused(self) -> None:
        noted = await self._tools.memory.get(_REFUSED)
        if noted is None:
            return
        credentials, code, until = json.loads(noted)
        if credentials == self._credentials() and self._tools.now() < datetime.fromisoformat(until):
            raise EndpointError(code, "the platform refused our login a short while ago; it is not repeated at once")

    async def _refuse(self, code: str, text: str) -> NoReturn:
        wait = timedelta(seconds=self._settings.login_again_s)
        noted = json.dumps([self._credentials(), code, (self._tools.now() + wait).isoformat()])
        await self._tools.memory.put(_REFUSED, noted, wait)
        raise EndpointError(code, text)


def _margin(session: Session) -> timedelta:
    return timedelta(seconds=session.idle_s * _MARGIN)
