"""The mock upstream system: it receives thin events, trusts few, checks all, and fails on command (webhook page §8)."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, ClassVar

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from mocks.clock import Clock
from mocks.control import read_order
from mocks.faults import ACTIONS, Fault, Faults
from mocks.journal import Journal
from mocks.platform import Json, Platform, Refused
from mocks.transport import gone
from mocks.webhook.catalogue import VERIFICATION
from mocks.webhook.inspection import Finding, inspect
from mocks.webhook.settings import Settings, fresh
from mocks.webhook.standing import Memory
from mocks.webhook.trust import Trust

_DAY_S = 24 * 3600
_BOMB_CHUNK = bytes(16 * 1024)
_BOMB_CHUNKS = 4096
_BOMB_S = 30.0
_PAGE = "<html><head><title>统一门户</title></head><body><p>系统繁忙，请稍后再试</p></body></html>"


@dataclass(slots=True)
class Visit:
    """One request on the path of the webhooks, from its arrival to its line in the journal."""

    finding: Finding
    dripping: bool = False
    """The answer will be sent byte by byte: it needs a body (204 has none)."""
    noted: bool = False


class NotedFirst(web.Response):
    """A response that goes out only after ``before`` is done (the journal's line)."""

    def __init__(self, before: Callable[[], Awaitable[None]], **parts: Any) -> None:
        super().__init__(**parts)
        self._before = before

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send the header, after the line is on disk."""
        await self._before()
        return await super().prepare(request)


class Webhook(Platform):
    """A receiver at ``path`` and everything below it; each endpoint of the gateway is known by its keys.

    ``op`` of faults: the event's type, ``<noun>.*`` or ``*``. In the journal beside the common keys: ``breaches``
    (names, with a place after a colon), ``answer`` (status sent, 0 = none), ``endpoint`` (name in the trust, null = no
    key fits), ``timestamp``, ``verified`` (the handshake was answered), ``untrusted`` (no key in force: not the
    sender's fault).
    """

    name: ClassVar[str] = "webhook"
    actions: ClassVar[frozenset[str]] = ACTIONS - {"duplicate_callback", "reorder_callbacks", "early_callback"}
    forgeries: ClassVar[frozenset[str]] = frozenset({"wrong_challenge", "no_challenge", "text"})

    def __init__(self, *, data: Path, config: Json, clock: Clock, faults: Faults, journal: Journal) -> None:
        """Raises ``ValueError`` for a key in the settings that is none."""
        super().__init__(data=data, config=config, clock=clock, faults=faults, journal=journal)
        self._settings = Settings.model_validate(config)
        self.body_limit = self._settings.read_limit
        self._path = "/" + self._settings.path.strip("/")
        self._trust = Trust(data / "trust.json", list(self._settings.secrets), list(self._settings.public_keys))
        self._memory = Memory(self._settings.grace_s)
        self._visits: dict[asyncio.Task[Any], Visit] = {}
        self._late: set[asyncio.Task[None]] = set()
        self._expired = 0
        self._open = True

    @classmethod
    def default_config(cls, base_url: str, callbacks: str) -> Json:
        """§8's settings and the limits of §1 and §2; no key is trusted before it is told."""
        return fresh(base_url)

    def routes(self) -> list[web.RouteDef]:
        """The address of the webhooks; a tail tells endpoints apart where a tester wants it."""
        return [web.post(self._path, self._receive), web.post(self._path + "/{tail:.+}", self._receive)]

    def control_routes(self) -> list[web.RouteDef]:
        """``POST /_mock/trust``."""
        return [web.post("/_mock/trust", self._set_trust)]

    async def stop(self) -> None:
        """Write what ended without an answer."""
        self._open = False
        await asyncio.gather(*self._late, return_exceptions=True)

    # --- requests

    def operation_of(self, request: web.Request, body: bytes) -> str:
        """The event's type, empty where there is none; here each request is judged, in the order of arrival."""
        if request.method != "POST" or not (request.path + "/").startswith(self._path + "/"):
            return ""
        finding = inspect(
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers],
            body,
            trust=self._trust,
            now=self.clock.now(),
            tolerance_s=self._settings.clock_tolerance_s,
            limit=self._settings.request_limit,
        )
        self._admit(request, finding)
        return finding.type

    def _admit(self, request: web.Request, finding: Finding) -> None:
        if finding.status != 401:
            finding.breaches += self._memory.judge(finding)
        task = asyncio.current_task()
        if task is not None:
            self._memory.depart(finding, task, lambda: gone(request))
            self._visits[task] = Visit(finding, dripping=self.faults.standing(finding.type, "drip") is not None)
            task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[Any]) -> None:
        """A request ended: one that got no answer (stall, reset) is noted now."""
        visit = self._visits.pop(task, None)
        if visit is not None and not visit.noted and self._open:
            late = asyncio.get_running_loop().create_task(self._note(visit, 0, "refused"))
            self._late.add(late)
            late.add_done_callback(self._late.discard)

    def _visit(self) -> Visit | None:
        task = asyncio.current_task()
        return self._visits.get(task) if task is not None else None

    def _answered(self) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._memory.answered(task)

    async def _note(self, visit: Visit, answer: int, effect: str, *, verified: bool = False) -> None:
        if visit.noted:
            return
        visit.noted = True
        finding = visit.finding
        await self.journal.append(
            kind=finding.type or "unreadable",
            business_key=finding.text("subject")[:200],
            message_id=finding.webhook_id,
            digest=finding.digest,
            effect=effect,
            ref=finding.webhook_id,
            payload=finding.event if finding.event is not None else finding.raw,
            breaches=finding.breaches,
            answer=answer,
            endpoint=finding.endpoint,
            timestamp=finding.timestamp,
            verified=verified,
            untrusted=finding.untrusted,
        )

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        visit = self._visit()
        if visit is None:  # the path was written in another way, such as percent coded
            return web.Response(status=404)
        finding = visit.finding
        if status := finding.status:
            await self._note(visit, status, "refused")
            return web.json_response({"breaches": finding.breaches}, status=status)
        if finding.type == VERIFICATION:
            return await self._handshake(visit)
        effect = self._memory.take(finding)
        error = self.faults.take(finding.type, "business_error")
        if error is not None:
            answer = web.json_response({"error": error.code})
        elif visit.dripping:
            answer = web.json_response({"received": True})
            self._answered()  # the header goes at once, and the sender may go on after the last byte
        else:
            answer = web.Response(status=204)
        await self._note(visit, answer.status, effect)
        return answer

    async def _handshake(self, visit: Visit) -> web.Response:
        challenge = visit.finding.data["challenge"]
        forged = self.faults.take(VERIFICATION, "forge_callback")
        effect = self._memory.take(visit.finding)
        match forged.how if forged is not None else "":
            case "wrong_challenge":
                answer = web.json_response({"challenge": challenge[::-1] if challenge != challenge[::-1] else "x" * 43})
            case "no_challenge":
                answer = web.json_response({})
            case "text":
                answer = web.Response(text=challenge)
            case _:
                answer = web.json_response({"challenge": challenge})
        verified = forged is None
        if verified:
            self._memory.verified(visit.finding.endpoint or "")
        await self._note(visit, 200, effect, verified=verified)
        return answer

    def too_large(self, request: web.Request) -> web.StreamResponse:
        """A body that was not even read to its end."""
        visit = Visit(Finding(digest="", breaches=["size"]))

        async def before() -> None:
            await self._note(visit, 413, "refused")

        return NotedFirst(before, status=413)

    # --- how failures look

    def http_answer(self, fault: Fault) -> web.StreamResponse:
        """Any status; a redirect points to the trap. ``Retry-After`` with 429 and 503, and 410, are held against what
        comes after them; a sound request that is answered 2xx counts as received."""
        plain = super().http_answer(fault)
        return self._scripted(plain, fault.retry_after if fault.status in (429, 503) else None)

    def maintenance_page(self, fault: Fault, seconds: float) -> web.StreamResponse:
        """503 with ``Retry-After``."""
        plain = super().maintenance_page(fault, seconds)
        return self._scripted(plain, plain.headers["Retry-After"])

    def _scripted(self, plain: web.StreamResponse, retry_after: str | None) -> web.StreamResponse:
        visit = self._visit()
        if visit is None or not isinstance(plain, web.Response):
            return plain
        finding, effect = visit.finding, "refused"
        if finding.endpoint is not None and retry_after is not None:
            self._memory.answered_wait(finding.endpoint, wait_of(retry_after))
        if finding.endpoint is not None and plain.status == 410:
            self._memory.answered_gone(finding.endpoint)
        if 200 <= plain.status < 300 and not finding.status:
            effect = self._memory.take(finding)

        async def before() -> None:
            await self._note(visit, plain.status, effect)

        headers = {name: value for name, value in plain.headers.items() if name.lower() != "content-length"}
        return NotedFirst(before, status=plain.status, body=plain.body or None, headers=headers)

    async def garbage(self, fault: Fault, request: web.Request, answer: web.Response) -> web.StreamResponse:
        """Still 2xx, with a body that means nothing; ``bomb``: a body without end. A refusal stays as it is."""
        if answer.status >= 300:
            return answer
        json_type = {"Content-Type": "application/json"}
        match fault.kind:
            case "html":
                return web.Response(text=_PAGE, content_type="text/html")
            case "truncated":
                return web.Response(body=b'{"challenge": "', headers=json_type)
            case "empty":
                return web.Response(body=b"", headers=json_type)
            case "gbk":
                return web.Response(body=_PAGE.encode("gbk"), headers=json_type)
            case _:
                return await self._endless(request)

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        bomb = web.StreamResponse(headers={"Content-Type": "application/json"})
        await bomb.prepare(request)
        self._answered()
        end = time.monotonic() + _BOMB_S
        try:
            for _ in range(_BOMB_CHUNKS):
                if gone(request) or time.monotonic() > end:
                    break
                await bomb.write(_BOMB_CHUNK)
        except ConnectionError:
            pass
        return bomb

    async def faults_changed(self) -> None:
        """``expire_session``: every key is forgotten when it is scripted, until ``POST /_mock/trust``."""
        expired = sum(1 for fault in self.faults.pending() if fault["action"] == "expire_session")
        if expired > self._expired:
            self._trust.forget()
        self._expired = expired

    async def _set_trust(self, request: web.Request) -> web.Response:
        """``POST /_mock/trust`` {endpoint_id?, secrets[], public_keys[], retired[]}."""
        try:
            name = self._trust.renew(await read_order(request))
        except ValueError as error:
            raise Refused(422, str(error)) from None
        return web.json_response({"endpoint_id": name, "verified": self._memory.of(name).verified})

    # --- state

    def records(self) -> list[Json]:
        """One entry per event and endpoint, with how many times it came."""
        return self._memory.records()

    def restore(self, entries: Iterable[Json]) -> None:
        """Ids, order and handshakes as the journal shows them."""
        for entry in entries:
            if "breaches" in entry:
                self._memory.restore(entry)


def wait_of(retry_after: str) -> float:
    """Seconds of a ``Retry-After`` (number or HTTP-date, at most 24 h; §6); 0 where it says nothing."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _DAY_S)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return max(0.0, min((until - datetime.now(UTC)).total_seconds(), _DAY_S))
