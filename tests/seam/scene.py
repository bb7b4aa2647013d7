"""One gateway among its toy platforms, and what a test does and sees there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import orjson

from contracts.adapter import Reply
from contracts.messages import MessageType
from gateway.flow.delivering.exchange import unpack_steps
from gateway.flow.delivering.transport import Transport
from gateway.flow.house import House
from gateway.flow.moving.order import Order, Principal
from gateway.flow.operating.operate import Operator
from gateway.registry import AnyAdapter
from gateway.settings import RetrySettings, RouteSettings
from gateway.store.casefile import CaseFile, DeliveryRow
from gateway.store.lists import list_deliveries
from tests.house import ENGINE, FAST, Gateways
from tests.seam import documents
from tests.seam.adapters import ToyIdempotent, ToyNeither, ToyQueryable
from tests.seam.counted import POLLED, Counted, Sent
from tests.seam.dialect import OPERATIONS
from tests.seam.platform import CALL_KEY, KEY, ToyPlatform
from tests.seam.toys import IdempotentPlatform, NeitherPlatform, QueryablePlatform
from tests.servers.databases import table

OPERATOR = Principal("operator", frozenset({"*"}), frozenset())
LAG_S = 0.25
ATTEMPT_S = 3.0
SILENCE_S = 0.15 if ENGINE == "sqlite" else 0.6
"""An attempt's time: long, so that a busy machine makes no lost answers; short where the platform falls silent."""

IDS, ASKED, BYTES = "ids", "asked", "bytes"
"""Endpoint names of the toys: idempotent, queryable, neither."""

_DEAD_CLAIMS = """
SELECT DISTINCT l.endpoint FROM lanes l JOIN deliveries d ON d.id = l.head WHERE l.tries > d.attempts OR l.token IS NOT NULL
"""

_TOYS: dict[str, tuple[type[ToyPlatform], type[AnyAdapter]]] = {
    IDS: (IdempotentPlatform, ToyIdempotent),
    ASKED: (QueryablePlatform, ToyQueryable),
    BYTES: (NeitherPlatform, ToyNeither),
}


async def until(check: Callable[[], Awaitable[Any]], what: str, seconds: float = 8.0) -> Any:
    """Wait until the check gives something, and give that."""
    try:
        async with asyncio.timeout(seconds):
            while not (found := await check()):  # what is waited for is in a database
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"in vain: {what}") from None
    return found


class Scene:
    """Platforms, the house, and the ways between them."""

    def __init__(self, gateway: Gateways) -> None:
        self.gateway = gateway
        self.platforms: dict[str, ToyPlatform] = {}
        self.adapters: dict[str, type[AnyAdapter]] = {}
        self.endpoints: dict[str, dict[str, Any]] = {}
        self._house: House | None = None
        self.sent = Sent()
        self._numbers = count(123)

    @property
    def house(self) -> House:
        """The house that is open."""
        assert self._house is not None, "no house was opened"
        return self._house

    @property
    def ids(self) -> IdempotentPlatform:
        """The idempotent platform."""
        found = self.platforms[IDS]
        assert isinstance(found, IdempotentPlatform)
        return found

    @property
    def asked(self) -> QueryablePlatform:
        """The queryable platform."""
        found = self.platforms[ASKED]
        assert isinstance(found, QueryablePlatform)
        return found

    @property
    def batches(self) -> NeitherPlatform:
        """The platform that only takes bytes."""
        found = self.platforms[BYTES]
        assert isinstance(found, NeitherPlatform)
        return found

    async def stand(self, *names: str, slots: int = 8, adapter: type[AnyAdapter] | None = None, **limits: Any) -> None:
        """Put platforms up. ``limits`` are settings of the endpoints' adapters."""
        for name in names:
            platform_type, adapter_type = _TOYS[name]
            platform = platform_type(self.gateway.clock.now)
            if isinstance(platform, QueryablePlatform):
                platform.lag_s = LAG_S
            await platform.start()
            kind = adapter or adapter_type
            self.platforms[name] = platform
            self.adapters[kind.info.name] = kind
            settings = {"base_url": platform.url, "key": KEY, "call_key": CALL_KEY, "lookup_lag_s": LAG_S}
            limits.setdefault("deadline_files_s", limits.get("deadline_s", ATTEMPT_S))
            settings |= {
                "connect_s": 1.0,
                "deadline_s": ATTEMPT_S,
            } | limits
            self.endpoints[name] = {"adapter": kind.info.name, "slots": slots, "settings": settings}

    async def open(self, **more: Any) -> House:
        """Open the house; everything that the toys take is routed to all of them. Platforms call into it."""
        routes = tuple(
            RouteSettings(type=kind.value, endpoint=name)
            for name, endpoint in self.endpoints.items()
            for kind in OPERATIONS
            if self.adapters[endpoint["adapter"]].info.takes(kind)
        )
        more["transport"] = Counted(more.get("transport") or Transport(), self.sent)
        self._house = await self.gateway(self.endpoints, adapters=self.adapters, routes=routes, **more)
        for name, platform in self.platforms.items():
            platform.door = self._door(name)
        return self._house

    def _door(self, endpoint: str) -> Callable[..., Awaitable[int]]:
        async def door(method: str, path: str, headers: tuple[tuple[str, str], ...], body: bytes) -> int:
            reply: Reply = await self.house.receiver.receive(endpoint, method, path, "", headers, body)
            return reply.status

        return door

    async def reopen(self, **more: Any) -> House:
        """The process was killed; another one is started on the same data."""
        await self.gateway.abandon(self.house)
        return await self.open(**more)

    @staticmethod
    def retry(**changes: Any) -> RetrySettings:
        """The short waits, some of them changed."""
        return FAST.model_copy(update=changes)

    async def recorded_is_sent(self) -> None:
        """Every request that left for a platform is told by an attempt, and what an attempt tells has left and come there, to
        the unit: there is one retry layer, and it writes down what it does. A claim that died took what it had sent with it:
        where there is one, no more is told than was sent. A reconciliation asks and lists beside the attempts: then the filings
        alone are compared."""
        if self._house is None or not self.gateway.holds(self.house):
            return
        await self.house.worker.stop()
        steps: dict[str, list[dict[str, object]]] = {name: [] for name in self.platforms}
        died = {row[0] for row in await table(self.house.store, _DEAD_CLAIMS)}
        for row in await self.house.store.run(list_deliveries, "", "", "", 10_000):
            told = await self.attempts(row["id"])
            found = await self.steps(row["id"])
            assert sum(attempt["exchanges"] for attempt in told) == len(found), row["endpoint"]
            steps.setdefault(row["endpoint"], []).extend(found)
            if row["attempts"] > len(told):
                died.add(row["endpoint"])
        beside = bool(await self.house.store.rows("newest_reconciliations", "~", 1))
        for name, platform in self.platforms.items():
            self._compare(name, platform, steps[name], exact=name not in died, filings=beside)

    def _compare(
        self, name: str, platform: ToyPlatform, told: list[dict[str, object]], *, exact: bool, filings: bool
    ) -> None:
        address = self.endpoints[name]["settings"]["base_url"]
        only = f"/{platform.file_operation}" if filings else None
        if filings:
            told = [step for step in told if step["filing"]]
        sent = self.sent.to(address, only)
        counts = f"{name}: {sent} requests on the wire, {len(told)} exchanges recorded"
        assert sent >= len(told), counts
        assert sent == len(told) or not exact, counts
        if address != platform.url:
            return  # a proxy stands between, which counts by itself
        came = sum(only in (None, f"/{one.operation}") and f"/{one.operation}" not in POLLED for one in platform.seen)
        # What did not get through may have come, or not: the wire was cut before, or while it came.
        through = sum(step["status"] is not None for step in told)
        cut = sum(step["status"] is None and step["error"] != "unreachable" for step in told)
        counts = f"{name}: {came} requests came, {through} exchanges were answered, {cut} cut off"
        assert came >= through, counts
        assert came <= through + cut or not exact, counts

    async def end(self) -> None:
        """Take the platforms down."""
        for platform in self.platforms.values():
            await platform.stop()

    # ---- what an upstream does
    async def post(self, kind: MessageType, raw: bytes, target: str | None = None) -> str:
        """Post a document; returns the id of the thing."""
        accepted = await self.house.intake.take(Order(kind, OPERATOR, raw, target))
        return accepted.about

    async def case(self, number: str = "370102-LX001-2026-00123", **changes: Any) -> str:
        """Post a case; returns its id."""
        return await self.post(MessageType.CASE_SUBMITTED, documents.case(number, **changes))

    async def progress(self, case: str, status: str = "mediating", **changes: Any) -> None:
        """Post a step of the case."""
        await self.post(MessageType.CASE_PROGRESSED, documents.progress(status, **changes), case)

    async def agreement(self, case: str) -> str:
        """Upload the agreement's paper and post it; returns its id."""
        paper = await self.house.attachments.keep("client:operator", "mediation_agreement", "协议.pdf", documents.PDF)
        raw = documents.agreement(paper.id, agreement_no=f"历下劳人调〔2026〕{next(self._numbers)}号")
        return await self.post(MessageType.AGREEMENT_CONCLUDED, raw, case)

    async def confirmation(self, agreement: str) -> str:
        """Ask for arbitration review; returns the request's id."""
        return await self.post(MessageType.CONFIRMATION_REQUESTED, documents.confirmation(), agreement)

    @property
    def operator(self) -> Operator:
        """An operator's hands."""
        return Operator(self.house.store, self.house.bells.committed)

    # ---- what is seen
    async def file(self, subject: str) -> CaseFile:
        """The subject's file."""
        file = await self.house.store.load(subject)
        assert file is not None
        return file

    async def deliveries(self, subject: str, endpoint: str, kind: MessageType | None = None) -> list[DeliveryRow]:
        """The subject's deliveries to an endpoint, oldest first."""
        file = await self.file(subject)
        return [row for row in file.deliveries if row.endpoint == endpoint and kind in (None, row.type)]

    async def delivery(
        self, subject: str, endpoint: str, kind: MessageType = MessageType.CASE_SUBMITTED
    ) -> DeliveryRow:
        """The one delivery of that type."""
        (found,) = await self.deliveries(subject, endpoint, kind)
        return found

    async def reaches(
        self, state: str, subject: str, endpoint: str, kind: MessageType = MessageType.CASE_SUBMITTED
    ) -> DeliveryRow:
        """Wait until the delivery is in that state."""

        async def there() -> DeliveryRow | None:
            row = await self.delivery(subject, endpoint, kind)
            return row if row.state == state else None

        try:
            found: DeliveryRow = await until(there, f"{kind} at {endpoint} becomes {state}")
        except AssertionError as error:
            row = await self.delivery(subject, endpoint, kind)
            raise AssertionError(f"{error}; it is {row.state}, code {row.code}, {row.attempts} attempts") from None
        return found

    async def attempts(self, delivery: str) -> list[Any]:
        """The rows of its attempts."""
        return await self.house.store.rows("attempts_of", delivery)

    async def steps(self, delivery: str) -> list[dict[str, object]]:
        """Every request of every attempt, as kept."""
        found: list[dict[str, object]] = []
        for row in await self.attempts(delivery):
            sealed = self.house.store.unseal(row["steps_sealed"], f"attempts.steps:{delivery}/{row['number']}")
            found += unpack_steps(sealed)
        return found

    async def tasks(self, kind: str | None = None, state: str = "open") -> list[Any]:
        """Tasks of a kind in a state."""
        return await self.house.store.rows("list_tasks", state, kind or "", "", 1000)

    async def callbacks(self, state: str) -> list[Any]:
        """Stored calls in a state."""
        return await self.house.store.rows("list_callbacks", state, "", 1000)

    async def all_applied(self, many: int) -> None:
        """Wait until so many calls are applied."""

        async def there() -> bool:
            return len(await self.callbacks("applied")) == many

        await until(there, f"{many} calls are applied")

    async def endpoint(self, name: str) -> Any:
        """The endpoint's row: paused, breaker, failures, quiet_until."""
        rows = await self.house.store.rows("all_endpoints")
        return next(row for row in rows if row["name"] == name)

    async def reasons(self, delivery: str) -> list[dict[str, str]]:
        """The platform's reasons, unsealed."""
        row = await self.house.store.row("delivery", delivery)
        assert row is not None
        assert row["reasons_sealed"] is not None
        found: list[dict[str, str]] = orjson.loads(
            self.house.store.unseal(row["reasons_sealed"], f"deliveries.reasons:{delivery}")
        )
        return found
