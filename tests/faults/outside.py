"""What stands outside the process that is hurt: the client with its list of acknowledgements, the platforms, and the comparison
of the ledgers."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from gateway.security.clients import make_key
from tests.faults.served import Orders
from tests.prove.shown import Fault, Wrong
from tests.seam import documents
from tests.seam.platform import ToyPlatform
from tests.seam.scene import ASKED, BYTES, IDS
from tests.seam.toys import IdempotentPlatform, NeitherPlatform, QueryablePlatform

ROOT = Path(__file__).parents[2]
_KINDS: dict[str, type[ToyPlatform]] = {IDS: IdempotentPlatform, ASKED: QueryablePlatform, BYTES: NeitherPlatform}
_STARTS_WITHIN_S = 120.0
_UNDER_WAY = frozenset({"pending", "relayed", "in_doubt", "stored", "orphan"})

Query = Callable[[str], Sequence[Sequence[Any]]]
"""Asks the gateway's database, as it lies on the disk."""


class Hurt:
    """One process that is to be hurt. ``before`` stands before its command: a tracer, a namespace."""

    def __init__(self, orders: Path, *before: str) -> None:
        self._command = (*before, sys.executable, "-m", "tests.faults.served", str(orders))
        self.log = orders.with_suffix(".log")
        self._child: asyncio.subprocess.Process | None = None
        self.port = 0

    @property
    def child(self) -> asyncio.subprocess.Process:
        """The process, once it was started."""
        assert self._child is not None, "it was not started"
        return self._child

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._child is not None and self._child.returncode is None

    async def start(self) -> bool:
        """Start it; ``False``: it ended before it was ready, or is not in time."""
        with self.log.open("ab") as log:
            self._child = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=ROOT,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        out = self._child.stdout
        assert out is not None
        word, port = "", ""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STARTS_WITHIN_S):
                word, _, port = (await out.readline()).decode().partition(" ")
        if word != "ready":
            await self.end()
            return False
        self.port = int(port)
        return True

    def tell(self, what: signal.Signals) -> None:
        """Tell it something, if it is there to hear."""
        if self.alive:
            self.child.send_signal(what)

    async def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it and wait, if it was started."""
        if self._child is None:
            return
        self.tell(how)
        try:
            await asyncio.wait_for(self.child.wait(), 20)
        except TimeoutError:
            self.tell(signal.SIGKILL)
            await self.child.wait()
        assert self.child.stdout is not None
        await self.child.stdout.read()  # to its end: so the pipe is closed


@dataclass(slots=True)
class Upstream:
    """A mediation organisation's system: posts cases and their first step, each under its key until it is acknowledged, and
    writes down what it was told."""

    key: str = field(default_factory=lambda: make_key().shown)
    acks: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    said: list[httpx.Response] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def http(self, port: int) -> httpx.AsyncClient:
        """A way in."""
        return httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=10,
            trust_env=False,
        )

    async def chain(self, http: httpx.AsyncClient, number: int, *, steps: bool = True) -> bool:
        """One case and its step; ``False``: one of them was not acknowledged."""
        raw = documents.case(f"370102-LX001-2026-{number:05d}")
        case = await self.post(http, f"{number}-case", "/v1/cases", raw)
        if case is None or not steps:
            return case is not None
        told = await self.post(http, f"{number}-step", f"/v1/cases/{case}/progress", documents.progress())
        return told is not None

    async def post(self, http: httpx.AsyncClient, key: str, path: str, raw: bytes) -> str | None:
        """Post once; the thing's id, if it was acknowledged."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        try:
            reply = await http.post(path, content=raw, headers=headers)
        except httpx.TransportError:
            self.answers["no answer"] += 1
            return None
        self.answers[str(reply.status_code)] += 1
        if reply.status_code != 202:
            self.said.append(reply)
            return None
        found = reply.json()
        told = (found["id"], tuple(sorted(one["id"] for one in found["deliveries"])))
        if self.acks.setdefault(key, told) != told:
            self.faults.append(Fault(Wrong.DUPLICATED, f"{key}: one key, two answers"))
        return str(found["id"])

    async def all(self, port: int, numbers: Sequence[int], at_once: int = 4, within_s: float = 30.0) -> bool:
        """All chains, again until each is acknowledged or the process is gone; ``False``: some are not."""
        left, end = list(numbers), time.monotonic() + within_s
        async with self.http(port) as http:
            while left and time.monotonic() < end:
                room = asyncio.Semaphore(at_once)

                async def one(number: int, room: asyncio.Semaphore = room) -> bool:
                    async with room:
                        return await self.chain(http, number)

                done = await asyncio.gather(*(one(number) for number in left))
                left = [number for number, well in zip(left, done, strict=True) if not well]
                if left:
                    try:
                        await http.get("/healthz")
                    except httpx.TransportError:
                        return False
                    await asyncio.sleep(0.2)
        return not left

    def refusals_are_right(self) -> Iterator[str]:
        """Whoever was refused was told when to come again, and why, as a problem."""
        for reply in self.said:
            body = reply.json() if reply.headers.get("content-type") == "application/problem+json" else {}
            if reply.status_code != 503 or body.get("code") != "unavailable" or "retry-after" not in reply.headers:
                yield f"answered {reply.status_code} {body.get('code')} without a way on"


@dataclass(slots=True)
class Ground:
    """Directory, platforms and client of one run."""

    data: Path
    platforms: dict[str, ToyPlatform]
    upstream: Upstream
    orders: Orders
    port: int = 0
    heard: set[str] = field(default_factory=set)
    """Deliveries of which a platform's word was taken: its call was answered with 200."""

    async def stands(self, process: Hurt) -> bool:
        """Start a process, and tell the platforms where it is; ``False``: it ended before it was ready."""
        well = await process.start()
        self.port = process.port
        return well

    def hurt(self, *before: str, **changes: Any) -> Hurt:
        """A process on this ground, not started."""
        orders = replace(self.orders, **changes) if changes else self.orders
        return Hurt(orders.write(self.data / f"orders-{len(list(self.data.glob('orders-*')))}.json"), *before)

    async def _decided(self, http: httpx.AsyncClient) -> None:
        """A person asks the platform what it has of the deliveries in doubt; where its own word is on its way, that decides."""
        rows = (await http.get("/v1/ops/deliveries", params={"state": "in_doubt", "limit": 100})).json()["items"]
        for row in rows:
            if row["id"] not in self.platforms[row["endpoint"]].ids():
                told = {"arrived": False, "evidence": "asked by telephone"}
                await http.post(f"/v1/ops/deliveries/{row['id']}/resolve", json=told)

    async def settled(self, port: int, within_s: float = 30.0) -> bool:
        """Wait until nothing is under way any more, nor before a person, who decides by what the platform says."""
        end, quiet = time.monotonic() + within_s, 0
        async with self.upstream.http(port) as http:
            while time.monotonic() < end:
                try:
                    standing = (await http.get("/v1/ops/flow")).json()["items"]
                except httpx.TransportError:
                    return False
                if any(item["deliveries"].get("in_doubt") for item in standing):
                    await self._decided(http)
                moving = [
                    state
                    for item in standing
                    for state, many in (item["deliveries"] | item.get("callbacks", {})).items()
                    if many and state in _UNDER_WAY
                ]
                if not moving and len(self.heard) == len(
                    self.platforms[BYTES].booked if BYTES in self.platforms else ()
                ):
                    quiet += 1
                    if quiet == 3:  # between a call's applying and its loop's next look there is a moment
                        return True
                else:
                    quiet = 0
                await asyncio.sleep(0.05)
        return False


async def gives_word(place: Ground) -> None:
    """The platform that only takes bytes says of each batch that it is good, until that is taken."""
    platform = place.platforms[BYTES]
    async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
        while True:
            for booking in list(platform.booked):
                if booking.id not in place.heard:
                    event = f"W{booking.number}"
                    _, path, headers, body = platform.call(platform.word("OK", id=booking.id, event=event))
                    url = f"http://127.0.0.1:{place.port}/callbacks/{BYTES}{path}"
                    with contextlib.suppress(httpx.TransportError):
                        if (await http.post(url, content=body, headers=dict(headers))).status_code == 200:
                            place.heard.add(booking.id)
            await asyncio.sleep(0.1)


@asynccontextmanager
async def ground(data: Path, *names: str, word: bool = True, **orders: Any) -> AsyncIterator[Ground]:
    """The platforms stand while it is entered. ``word``: the one that only takes bytes gives its word by itself."""
    await asyncio.to_thread(data.mkdir, parents=True, exist_ok=True)
    platforms = {name: _KINDS[name]() for name in names or _KINDS}
    for platform in platforms.values():
        await platform.start()
    upstream = Upstream()
    ports = {name: platform.port for name, platform in platforms.items()}
    made = Orders(str(data / "house"), ports, upstream.key, **orders)
    place = Ground(data, platforms, upstream, made)
    giving = asyncio.create_task(gives_word(place)) if word and BYTES in platforms else None
    try:
        yield place
    finally:
        if giving is not None:
            giving.cancel()
            await asyncio.gather(giving, return_exceptions=True)
        for platform in platforms.values():
            await platform.stop()


def on_disk(path: Path) -> Query:
    """The SQLite database as it lies there, read from a copy: looking at it must not repair it.

    Raises:
        sqlite3.DatabaseError: it is damaged.
    """

    def ask(sql: str) -> Sequence[Sequence[Any]]:
        with tempfile.TemporaryDirectory() as room:
            for part in path.parent.glob(f"{path.name}*"):
                if part.suffix != ".lock" and not part.name.endswith("-shm"):
                    shutil.copy(part, room)
            with closing(sqlite3.connect(Path(room) / path.name)) as connection:
                return connection.execute(sql).fetchall()

    return ask


def acknowledged_is_stored(upstream: Upstream, ask: Query) -> Iterator[Fault]:
    """At any moment: what was answered with 2xx is on the disk."""
    messages = Counter(row[0] for row in ask("SELECT about FROM messages"))
    deliveries = {row[0] for row in ask("SELECT id FROM deliveries")}
    told = Counter(about for about, _ in upstream.acks.values())
    for about, many in told.items():
        if messages[about] < many:
            yield Fault(Wrong.LOST, f"{many - messages[about]} acknowledged about {about} are not on the disk")
    for key, (_, owed) in upstream.acks.items():
        if not set(owed) <= deliveries:
            yield Fault(Wrong.LOST, f"{key}: acknowledged, and a delivery of it is not on the disk")


def compare(place: Ground, ask: Query) -> Iterator[Fault]:
    """In the end: client, gateway and platforms tell one story."""
    yield from place.upstream.faults
    yield from acknowledged_is_stored(place.upstream, ask)
    rows = ask("SELECT id, endpoint, state FROM deliveries")
    doubted = {row[0] for row in ask("SELECT about FROM tasks WHERE kind = 'in_doubt'")}
    booked = {name: Counter(platform.ids()) for name, platform in place.platforms.items()}
    known = {row[0] for row in rows}
    for identifier, endpoint, state in rows:
        there = booked[endpoint][identifier]
        if there > 1:
            yield Fault(Wrong.DUPLICATED, f"{endpoint}: {there} effects of one delivery")
        if state in ("delivered", "relayed") and not there:
            yield Fault(Wrong.FALSE, f"{endpoint}: called {state}, the platform has nothing")
        if endpoint != BYTES and identifier in doubted:
            yield Fault(Wrong.LOST, f"{endpoint}: a person was asked though the platform could be asked or told again")
        if identifier in place.heard and state != "delivered":
            yield Fault(Wrong.LOST, f"{endpoint}: the platform's word was taken, and it is {state}")
        if state != "delivered":
            yield Fault(Wrong.LOST, f"{endpoint}: a delivery is {state} in the end")
    for name, platform in place.platforms.items():
        for stranger in booked[name].keys() - known:
            yield Fault(Wrong.LOST, f"{name}: an effect of {stranger}, which the gateway does not know")
        order: dict[str, list[str]] = defaultdict(list)
        for booking in platform.booked:
            order[booking.content[1]["case_no"]].append(booking.content[0])
        for operations in order.values():
            if operations != sorted(operations):
                yield Fault(Wrong.REORDERED, f"{name}: {'then '.join(operations)}")
            for operation, many in Counter(operations).items():
                if many > 1:
                    yield Fault(Wrong.DUPLICATED, f"{name}: {many} effects of {operation} of one case")
    for _, many in ask("SELECT business_key, count(*) FROM matters WHERE kind = 'case' GROUP BY 1"):
        if many > 1:
            yield Fault(Wrong.DUPLICATED, f"{many} cases under one number")
    positions = [row[0] for row in ask("SELECT position FROM events WHERE position IS NOT NULL ORDER BY position")]
    if positions != list(range(1, len(positions) + 1)):
        yield Fault(Wrong.LOST, "the log of events has gaps")
