"""The wire between the engine and the platforms: an injected transport that loses, breaks, delays and garbles."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import httpx

from tests.simulation.platforms import KEY, Ledger, denial, refusal, somebody_elses

ARRIVES_WITHIN_S = 1.0
"""The longest that a request is on its way, also when its sender is gone."""

NOT_SENT = ("refuse",)
NOT_THERE = ("reset_before", "stall", "http_503", "http_429", "http_502", "html_before", "deny", "refuse_document")
THERE = ("reset_after", "silent_after", "cut_after", "html_after", "http_502_after", "swap", "slow")
FAULTS = NOT_SENT + NOT_THERE + THERE


class Network(httpx.AsyncBaseTransport):
    """One process's way out. ``spawn`` starts what goes on without the process."""

    def __init__(
        self,
        ledgers: dict[str, Ledger],
        random: Random,
        rate: Callable[[], float],
        spawn: Callable[[Any], asyncio.Task[Any]],
        note: Callable[..., None],
    ) -> None:
        self._ledgers = ledgers
        self._random = random
        self._rate = rate
        self._spawn = spawn
        self._note = note
        self.dead = False
        self.next: str | None = None
        """What becomes of the next filing, where somebody has decided it."""
        self.played: Counter[str] = Counter()
        self.sent: Counter[tuple[str, str]] = Counter()
        """Requests that were tried, by endpoint and operation."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See ``httpx.AsyncBaseTransport``."""
        if self.dead:
            await asyncio.Event().wait()
        name, operation = request.url.host, request.url.path.strip("/")
        self.sent[name, operation] += 1
        kind = self._draw(name, operation)
        self._note("request", name, operation, kind)
        if kind == "refuse":
            await asyncio.sleep(0.001)
            raise httpx.ConnectError("refused")
        body, headers = request.content, {key.lower(): value for key, value in request.headers.items()}
        query = dict(request.url.params)
        if kind in NOT_THERE:
            return await self._fails(kind, name, body)
        transit = self._random.choice((0.002, 0.01, 0.05, ARRIVES_WITHIN_S if self._rate() else 0.05))
        answer = await asyncio.shield(self._spawn(self._arrive(name, operation, query, headers, body, transit)))
        if kind == "slow":
            await asyncio.sleep(self._random.uniform(0.5, 2.0))
        match kind:
            case "reset_after":
                raise httpx.ReadError("reset")
            case "silent_after":
                await asyncio.Event().wait()
            case "cut_after":
                answer = answer[: self._random.randrange(len(answer))]
            case "html_after":
                answer = b"<!DOCTYPE html><html><body>login</body></html>"
            case "http_502_after":
                return _response(502, b"<html>bad gateway</html>")
            case "swap":
                answer = somebody_elses(name, answer)
        await asyncio.sleep(0.002)
        return _response(200, answer)

    def _draw(self, name: str, operation: str) -> str:
        if self.next is not None and operation in ("file", "batch"):
            kind, self.next = self.next, None
            return kind
        if self._random.random() >= self._rate():
            return "answer"
        kind = self._random.choice(FAULTS)
        if operation not in ("file", "batch") and kind in ("swap", "refuse_document"):
            kind = "reset_after"
        self.played[kind] += 1
        return kind

    async def _arrive(
        self, name: str, operation: str, query: dict[str, str], headers: dict[str, str], body: bytes, transit: float
    ) -> bytes:
        moment = asyncio.get_running_loop().time() + transit
        await asyncio.sleep(transit)
        ledger = self._ledgers[name]
        ledger.moment = moment  # when our machine sleeps, the platform's does not
        answer = ledger.handle(operation, query, headers, body) if headers.get("x-key") == KEY else denial(name)
        self._note("arrived", name, operation, len(ledger.booked))
        return answer

    async def _fails(self, kind: str, name: str, body: bytes) -> httpx.Response:
        match kind:
            case "stall":
                await asyncio.Event().wait()
            case "reset_before":
                await asyncio.sleep(0.005)
                raise httpx.ReadError("reset")
            case "deny":
                return _response(200, denial(name))
            case "refuse_document":
                return _response(200, refusal(name, body))
            case "html_before":
                return _response(200, b"<!DOCTYPE html><html></html>")
            case "http_502":
                return _response(502, b"")
        wait = self._random.choice(("1", "3", "-1", "soon", "9"))
        return _response(int(kind.removeprefix("http_")), b"", retry_after=wait)


def _response(status: int, body: bytes, retry_after: str | None = None) -> httpx.Response:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))


LAG_S = 1.5
"""How long the queryable platform does not find what it has."""

LOOKUP_LAG_S = ARRIVES_WITHIN_S + LAG_S + 0.5
"""What the endpoint's settings say of it."""
