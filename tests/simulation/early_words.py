"""A platform has a filing, and the process dies before the platform's number is stored; the platform speaks by that number, for
so long that the word is given up as an orphan; only then the number comes. In virtual time."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass, field

import httpx

from contracts.messages import MessageType
from gateway.flow.moving.order import Order
from tests.seam import documents
from tests.simulation.loop import VirtualLoop
from tests.simulation.many import quiet
from tests.simulation.network import Network
from tests.simulation.platforms import IDS
from tests.simulation.process import INSIDE, RETRY
from tests.simulation.world import CLIENT, World, _born

_BREAKER_S = 300.0
"""An open breaker tries the platform again within so long."""

GIVEN_UP_S = sum(RETRY.orphan)
"""How long a word that nobody knows is looked at."""


@dataclass(slots=True)
class Seen:
    """Kills, and what the store held: states of the platform's words and of the tasks about them while the number was missing
    and in the end, and the confirmation's status in the end."""

    kills: int = 0
    numbers_while_away: int = -1
    words_while_away: list[str] = field(default_factory=list)
    tasks_while_away: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    status: str = ""
    late_s: float = 0.0
    violations: list[str] = field(default_factory=list)


class EarlyWords(World):
    """No chance in it: the process dies where it is told to, and the platform is away when it is told to."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__(0, loop, None)
        self.calm = True
        for ledger in self.ledgers.values():
            ledger.trouble = False
        self.dies_at = ""
        self.away = False

    async def _reach(self, point: str) -> None:
        process = INSIDE.get()
        if point == self.dies_at and process is not None and len(self.ledgers[IDS].booked) == 3:
            self.dies_at = ""
            process.runner.dead = process.network.dead = True
            self._dying.set()
            await asyncio.Event().wait()

    async def _start(self) -> bool:
        well = await super()._start()
        network = self.networks[-1]

        async def answered(request: httpx.Request) -> httpx.Response:
            if (self.away and request.url.host == IDS) or request.url.path == "/news":
                raise httpx.ConnectError("refused")  # the one that is polled says nothing: it speaks of the same thing
            return await Network.handle_async_request(network, request)

        network.handle_async_request = answered  # type: ignore[method-assign]  # the platform behind it is away
        return well

    def column(self, question: str) -> list[str]:
        """The one column that the store answers with."""
        return [str(row[0]) for row in self.db.execute(question)]

    async def _until(self, question: str, wanted: str, within_s: float) -> None:
        until = self.loop.time() + within_s
        while set(self.column(question)) != {wanted} and self.loop.time() < until:
            await asyncio.sleep(0.1)

    async def tell(self, away_s: float) -> Seen:
        """The story; the platform is away for so long after the first kill."""
        seen = Seen()
        await self.rise()
        await self._chain()
        await self._dying.wait()
        self.away = True
        await self.fall()
        await asyncio.sleep(away_s / 2)
        await self.fall()
        await asyncio.sleep(away_s / 2)
        seen.numbers_while_away = len(self.column(_NUMBERS))
        seen.words_while_away, seen.tasks_while_away = self.column(_WORDS), self.column(_TASKS)
        self.away, until = False, self.loop.time() + _BREAKER_S
        while not self.column(_NUMBERS) and self.loop.time() < until:
            await asyncio.sleep(0.1)
        there = self.loop.time()
        await self._until(_STATUS, "confirmed", 60.0)
        seen.late_s = self.loop.time() - there
        await asyncio.sleep(5.0)
        seen.words, seen.tasks = self.column(_WORDS), self.column(_TASKS)
        (seen.status,) = self.column(_STATUS)
        seen.kills = self.tried["kills"]
        self.watcher.audit(self, final=False)
        seen.violations = [*self.watcher.violations, *self.watcher.unsettled()]
        assert self.process is not None
        await self.process.kill()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return seen

    async def _chain(self) -> None:
        """A case and its agreement, arrived; then the request, whose answer dies with the process."""
        case = await self._taken(MessageType.CASE_SUBMITTED, documents.case("370102-LX001-2026-00001"))
        paper = await self.call(
            lambda house: house.attachments.keep("client:operator", "mediation_agreement", "协议.pdf", documents.PDF)
        )
        agreement = await self._taken(MessageType.AGREEMENT_CONCLUDED, documents.agreement(paper.id), case)
        await self._until("SELECT DISTINCT state FROM deliveries", "delivered", 60.0)
        await asyncio.sleep(10.0)  # what the platform says of the case is said
        self.dies_at = "answered"
        await self._taken(MessageType.CONFIRMATION_REQUESTED, documents.confirmation(), agreement)

    async def _taken(self, kind: MessageType, raw: bytes, target: str | None = None) -> str:
        order = Order(kind, CLIENT, raw, target, kind.value)
        return (await self.call(lambda house: house.intake.take(order))).about


_WORDS = (
    "SELECT c.state FROM callbacks c JOIN matters m ON m.kind = 'confirmation' AND m.created_at <= c.received_at"
    " WHERE c.endpoint = 'ids' ORDER BY c.id"
)
_TASKS = "SELECT state FROM tasks WHERE kind = 'orphan_callback'"
_STATUS = "SELECT status FROM matters WHERE kind = 'confirmation'"
_NUMBERS = (
    "SELECT value FROM external_references WHERE endpoint = 'ids'"
    " AND about = (SELECT id FROM matters WHERE kind = 'confirmation')"
)


def tell(away_s: float) -> Seen:
    """The story in a world of its own."""
    quiet()
    loop = VirtualLoop(_born)
    asyncio.set_event_loop(loop)
    world = EarlyWords(loop)
    try:
        return loop.run_until_complete(world.tell(away_s))
    finally:
        loop.close()
        asyncio.set_event_loop(None)
        world.db.close()
        shutil.rmtree(world.data, ignore_errors=True)
