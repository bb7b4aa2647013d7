"""One call of this platform: signed with the token, its answer judged, a refused token dropped (page §1, §2, §4)."""

from __future__ import annotations

from functools import partial

from adapters.http import read_aside
from adapters.national_mediation import replies, wire
from adapters.national_mediation.replies import Answer
from adapters.national_mediation.settings import NationalMediationSettings
from adapters.national_mediation.tokens import Tokens
from contracts.adapter import Exchange, Reply, Request, Tools
from contracts.errors import EndpointError, PermanentError, RetryableError

_BEFORE_THE_TOKEN = frozenset({401, 429})
"""Refusals that say nothing of the token: nobody may have looked at it."""


class Calls:
    """Calls with one client."""

    def __init__(self, settings: NationalMediationSettings, tools: Tools) -> None:
        self.tokens = Tokens(settings, tools)
        self._settings = settings
        self._tools = tools

    def request(
        self,
        method: str,
        path: str,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> Request:
        """A request below the platform's address, with a number of its own."""
        own = (("Accept", wire.JSON_TYPE), ("X-Request-Id", self._tools.random_bytes(16).hex()))
        return Request(method, f"{self._settings.base_url}{path}", (*own, *headers), body)

    async def call(
        self,
        step: str,
        request: Request,
        exchange: Exchange,
        *,
        filing: bool = False,
        within: float | None = None,
        limit: int | None = None,
    ) -> Reply:
        """Send it with the token, and note whether the platform took that.

        Raises:
            RetryableError, EndpointError: of the token or the exchange; with ``maybe_accepted`` for a filing alone.
        """
        token = await self.tokens.bearer(exchange)
        headers = (("Authorization", f"Bearer {token}"), *request.headers)
        signed = Request(request.method, request.url, headers, request.body)
        longest = within or self._settings.exchange_s
        try:
            reply = await exchange.call(step, signed, filing=filing, within=longest, limit=limit)
        except RetryableError as error:
            error.maybe_accepted = error.maybe_accepted and filing
            raise
        refused = await read_aside(self._tools.blocking, reply.body, partial(replies.token_refused, reply))
        if refused is not None:
            await self.tokens.dropped(token, refused)
        elif reply.status < 500 and reply.status not in _BEFORE_THE_TOKEN:
            await self.tokens.taken()
        return reply

    async def judged(self, reply: Reply, *, filing: bool, answer: str | None = None) -> Answer:
        """What the reply means. See ``replies.judge``."""
        read = partial(replies.judge, reply, self._tools.now(), filing=filing, answer=answer)
        return await read_aside(self._tools.blocking, reply.body, read)

    async def asked(self, reply: Reply) -> Answer:
        """The answer to a question, which carries no document: whatever the platform refuses in it is for the operator."""
        try:
            return await self.judged(reply, filing=False)
        except PermanentError as refusal:
            raise EndpointError(refusal.code, "the platform refuses a question of ours") from None
