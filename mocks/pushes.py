"""The sender of callbacks: repeats on the platform's clock, survives a restart, and can misbehave on command."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from mocks.clock import Clock
from mocks.faults import Faults
from mocks.journal import Journal

_log = logging.getLogger(__name__)
_ANSWER_LIMIT = 64 * 1024


@dataclass(slots=True)
class Push:
    """One callback: ``id`` is the platform's event number, the same at every repeat.

    ``op`` is the name faults go by; ``content`` is what it says, in clear and as JSON (it stands in the journal, and
    ``build`` makes the bytes of each try from it); ``ref`` and ``business_key`` go to the journal.
    """

    id: str
    op: str
    content: dict[str, Any]
    ref: str = ""
    business_key: str = ""
    tries: int = 0
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request as it goes out."""

    url: str
    headers: Sequence[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; ``status`` 0 = nothing (``error`` says why). ``body`` holds at most 64 KiB."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    error: str = ""


Build = Callable[[Push, str], Awaitable[Outgoing]]
Judge = Callable[[Push, Outgoing, Answer], Awaitable[str]]


class Pushes:
    """The queue of callbacks of one platform.

    ``waits_s``: the page's repeat schedule, on the platform's clock; after the last wait's try it gives up.
    ``timeout_s``: silence that counts as no acknowledgement. ``build(push, how)`` makes a fresh request (new time,
    nonce, signature); ``how`` is ``""`` or the forgery asked for. ``judge(push, outgoing, answer)`` is the page's
    acknowledgement test: ``""`` = acknowledged, else why not.

    In the journal: kind ``push_queued`` (the content, before the first try) and kind ``push`` for each try, effect
    ``acknowledged``, ``unacknowledged`` (``next`` = when again) or ``given_up``, ``forged`` and ``duplicate`` for what
    faults added; payload ``{op, content, attempt, how, status, answer, reason}``.

    Faults, by ``op``: ``duplicate_callback`` {n}: after its first try the same event n times more (1).
    ``reorder_callbacks`` {n, after_ms}: n pushes (2) are gathered, at most after_ms (5000), and go out in reverse.
    ``forge_callback`` {how}: a forged one goes first, then the true one; ``replay`` sends the true one, then its same
    bytes again. ``early_callback`` is the platform's to take: it awaits :meth:`put` with ``now=True`` first.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        clock: Clock,
        faults: Faults,
        waits_s: Sequence[float],
        timeout_s: float,
        build: Build,
        judge: Judge,
        at_once: int = 8,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._faults = faults
        self._waits_s = list(waits_s)
        self._timeout_s = timeout_s
        self._build = build
        self._judge = judge
        self._open: dict[str, Push] = {}
        self._sending: set[str] = set()
        self._gathered: list[Push] = []
        self._gather_until = 0.0
        self._gather_size = 0
        self._wake = asyncio.Event()
        self._slots = asyncio.Semaphore(at_once)
        self._tasks: set[asyncio.Task[None]] = set()
        self._dispatcher: asyncio.Task[None] | None = None
        self._session: aiohttp.ClientSession | None = None

    # --- life

    def restore(self, entries: Iterable[dict[str, Any]]) -> None:
        """Take up the callbacks that the journal shows as queued and neither acknowledged nor given up."""
        for entry in entries:
            payload = entry["payload"]
            if entry["kind"] == "push_queued":
                self._open[entry["message_id"]] = Push(
                    id=entry["message_id"],
                    op=payload["op"],
                    content=payload["content"],
                    ref=entry["ref"],
                    business_key=entry["business_key"],
                    due=self._clock.now(),
                )
            elif entry["kind"] == "push" and (push := self._open.get(entry["message_id"])) is not None:
                if entry["effect"] in ("acknowledged", "given_up"):
                    del self._open[push.id]
                elif entry["effect"] == "unacknowledged":
                    push.tries = payload["attempt"]
                    push.due = datetime.fromisoformat(entry["next"])

    async def start(self) -> None:
        """Begin to send."""
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._timeout_s, connect=min(5.0, self._timeout_s)),
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(limit=64),
            auto_decompress=False,
        )
        self._clock.changed.append(self._wake.set)
        self._dispatcher = asyncio.create_task(self._dispatch())

    async def stop(self) -> None:
        """Stop sending; what is not acknowledged stays in the journal."""
        if self._wake.set in self._clock.changed:
            self._clock.changed.remove(self._wake.set)
        tasks = [*self._tasks, *([self._dispatcher] if self._dispatcher else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def waiting(self) -> list[dict[str, Any]]:
        """The callbacks not yet acknowledged: id, op, tries, due."""
        return [
            {
                "id": push.id,
                "op": push.op,
                "ref": push.ref,
                "tries": push.tries,
                "due": push.due and push.due.isoformat(),
            }
            for push in self._open.values()
        ]

    # --- queue

    async def put(self, push: Push, *, now: bool = False) -> None:
        """Queue ``push``: it is in the journal when this returns. With ``now`` its first try is over, too."""
        await self._journal.append(
            kind="push_queued",
            business_key=push.business_key,
            message_id=push.id,
            digest=_digest(push.content),
            effect="created",
            ref=push.ref,
            payload={"op": push.op, "content": push.content},
        )
        self._open[push.id] = push
        if now:
            self._sending.add(push.id)
            await self._attempt(push)
            return
        fault = self._faults.take(push.op, "reorder_callbacks")
        if fault is not None and not self._gathered:
            self._gather_size = fault.n or 2
            self._gather_until = asyncio.get_running_loop().time() + (fault.after_ms or 5000) / 1000
        if fault is not None or self._gathered:
            self._gathered.append(push)
        else:
            push.due = self._clock.now()
        self._wake.set()

    async def _dispatch(self) -> None:
        while True:
            self._wake.clear()
            await self._release_gathered()
            now = self._clock.now()
            next_due: datetime | None = None
            for push in list(self._open.values()):
                if push.due is None or push.id in self._sending:
                    continue
                if push.due <= now:
                    self._sending.add(push.id)
                    task = asyncio.create_task(self._attempt(push))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                elif next_due is None or push.due < next_due:
                    next_due = push.due
            wait = 60.0
            if next_due is not None:
                wait = min(wait, (next_due - now).total_seconds())
            if self._gathered:
                wait = min(wait, max(0.0, self._gather_until - asyncio.get_running_loop().time()))
            try:
                async with asyncio.timeout(wait):  # wait_for may swallow a cancellation in Python 3.11
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _release_gathered(self) -> None:
        loop = asyncio.get_running_loop()
        if self._gathered and (len(self._gathered) >= self._gather_size or loop.time() >= self._gather_until):
            gathered, self._gathered = self._gathered[::-1], []
            for push in gathered:
                self._sending.add(push.id)
            task = asyncio.create_task(self._in_turn(gathered))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _in_turn(self, pushes: list[Push]) -> None:
        for push in pushes:
            await self._attempt(push)

    # --- one try

    async def _attempt(self, push: Push) -> None:
        try:
            async with self._slots:
                forged = self._faults.take(push.op, "forge_callback")
                if forged is not None and forged.how != "replay":
                    await self._forge(push, forged.how)
                duplicate = self._faults.take(push.op, "duplicate_callback")
                outgoing = await self._send(push)
                if forged is not None and forged.how == "replay":
                    await self._extra(push, outgoing, "forged", "replay")
                if duplicate is not None:
                    for _ in range(duplicate.n or 1):
                        await self._extra(push, await self._build(push, ""), "duplicate", "")
        except Exception:
            # Neither a full disk nor an error in a platform's own code may turn into a loop without a pause.
            _log.exception("a try of callback %s went wrong", push.op)
            push.due = self._clock.now() + timedelta(seconds=60)
        finally:
            self._sending.discard(push.id)
            self._wake.set()

    async def _send(self, push: Push) -> Outgoing:
        outgoing = await self._build(push, "")
        answer = await self._exchange(outgoing)
        reason = await self._judge(push, outgoing, answer)
        push.tries += 1
        more: dict[str, Any] = {}
        if not reason:
            effect = "acknowledged"
            self._open.pop(push.id, None)
        elif push.tries > len(self._waits_s):
            effect = "given_up"
            self._open.pop(push.id, None)
        else:
            effect = "unacknowledged"
            push.due = self._clock.now() + timedelta(seconds=self._waits_s[push.tries - 1])
            more["next"] = push.due.isoformat()
        await self._note(push, effect, "", answer, reason, **more)
        return outgoing

    async def _forge(self, push: Push, how: str) -> None:
        await self._extra(push, await self._build(push, how), "forged", how)

    async def _extra(self, push: Push, outgoing: Outgoing, effect: str, how: str) -> None:
        answer = await self._exchange(outgoing)
        reason = await self._judge(push, outgoing, answer)
        await self._note(push, effect, how, answer, reason)

    async def _exchange(self, outgoing: Outgoing) -> Answer:
        if self._session is None:
            raise RuntimeError("start() comes before the first try")
        try:
            async with self._session.post(
                outgoing.url, data=outgoing.body, headers=list(outgoing.headers), allow_redirects=False
            ) as response:
                body = await _read(response)
                return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, body)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return Answer(0, error=type(error).__name__)

    async def _note(self, push: Push, effect: str, how: str, answer: Answer, reason: str, **more: Any) -> None:
        await self._journal.append(
            kind="push",
            business_key=push.business_key,
            message_id=push.id,
            digest=_digest(push.content),
            effect=effect,
            ref=push.ref,
            payload={
                "op": push.op,
                "content": push.content,
                "attempt": push.tries,
                "how": how,
                "status": answer.status,
                "answer": answer.error or answer.body[:4096].decode("utf-8", "backslashreplace"),
                "reason": reason,
            },
            **more,
        )


async def _read(response: aiohttp.ClientResponse) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > _ANSWER_LIMIT:
            break
    return b"".join(parts)[:_ANSWER_LIMIT]


def _digest(content: dict[str, Any]) -> str:
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()
