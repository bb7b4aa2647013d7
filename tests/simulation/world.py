"""The world of one seed: platforms, clients, an operator, and a gateway process that dies and comes back."""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import json
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any, TypeVar

from contracts.messages import MessageType
from gateway.bus.port import BusUnavailable
from gateway.flow.house import House
from gateway.flow.intake import Accepted
from gateway.flow.moving.order import Order, Principal, Refused
from gateway.flow.operating.operate import Operator
from gateway.flow.relay import BrokerRelay
from gateway.flow.worker import publishing
from gateway.store.engine import StoreUnavailable
from gateway.store.lists import list_deliveries
from gateway.store.steady import SteadyClock
from tests.house import START
from tests.seam import documents
from tests.seam.platform import call_signature
from tests.simulation.loop import VirtualLoop
from tests.simulation.network import LAG_S, Network
from tests.simulation.platforms import ASKED, BYTES, IDS, Ledger, Word
from tests.simulation.process import INSIDE, Lost, Process
from tests.simulation.runner import Inline, database
from tests.simulation.watch import Watcher

T = TypeVar("T")
CLIENT = Principal("operator", frozenset({"*"}), frozenset())
_START_MS = round(START.timestamp() * 1000)
TWO_HOURS_MS = 7_200_000
PATIENCE_S = 600.0
"""After the faults have ended everything must be settled within so long."""


@dataclass(frozen=True, slots=True)
class Weather:
    """What a seed draws for its world: how likely each trouble is."""

    faults: float
    trouble: float
    deaths: int
    stalls: float
    sleeps: int
    cases: int
    lasts_s: float
    jumps: int

    @staticmethod
    def drawn(random: Random, clocks: Random) -> Weather:
        """One seed's."""
        return Weather(
            faults=random.choice((0.0, 0.1, 0.3, 0.6)),
            trouble=random.choice((0.0, 0.0, 0.03)),
            deaths=random.choice((0, 1, 2, 4)),
            stalls=random.choice((0.0, 0.0, 0.03)),
            sleeps=random.choice((0, 0, 1)),
            cases=random.randint(2, 4),
            lasts_s=random.uniform(6.0, 20.0),
            jumps=clocks.choice((0, 0, 1, 2)),
        )


@dataclass(slots=True)
class Outcome:
    """What became of a seed. ``tried`` counts what was done to the gateway."""

    seed: int
    trace: str
    violations: list[str]
    tried: dict[str, int] = field(default_factory=dict)
    virtual_s: float = 0.0


Plant = Callable[["Process"], None]
"""Puts a bug into a process that has just been built."""


class World:
    """Everything of one seed. Without ``hands`` its processes do nothing by themselves."""

    def __init__(self, seed: int, loop: VirtualLoop, plant: Plant | None, *, hands: bool = True) -> None:
        self.seed = seed
        self._hands = hands
        self.agreed: dict[str, dict[str, object]] = {}
        self.loop = loop
        self.random = Random(f"{seed}:world")
        self.chance = Random(f"{seed}:bus")
        self.clocks = Random(f"{seed}:clocks")
        self.weather = Weather.drawn(self.random, self.clocks)
        self.set_by_ms = 0
        self._wall_believed = False
        # Since when the operator knows of each delivery in doubt, by his own watch.
        self._doubts: dict[tuple[str, int | None], float] = {}
        self.calm = False
        self.plant = plant
        self.data = Path(mkdtemp(prefix="simulation-"))
        self._hash = hashlib.blake2b(digest_size=12)
        self.tried = {
            "kills": 0,
            "requests": 0,
            "faults": 0,
            "sleeps": 0,
            "stalls": 0,
            "store": 0,
            "cases": 0,
            "jumps": 0,
        }
        self.acks: dict[str, tuple[str, str, bytes]] = {}
        self.refused: list[str] = []
        self.heard: set[tuple[str, str]] = set()
        self.seen: list[tuple[str, int]] = []
        self._tasks: list[asyncio.Task[Any]] = []
        self._outside = contextvars.copy_context()
        self._dying = asyncio.Event()
        self.house_ms = self.new_clock()
        self.db: sqlite3.Connection = database(lambda: self.house_ms())
        self.ledgers = {name: self._ledger(name) for name in (IDS, ASKED, BYTES)}
        self.watcher = Watcher(self.ledgers, self.db, lambda: self.house_ms())
        self.networks: list[Network] = []
        self.process: Process | None = None
        self._numbers = 0
        self._quiet_clients = 0
        self._born_wrong = False

    # ---- time and trace
    def now_ms(self) -> int:
        """The time of the world, and of the platforms."""
        return _START_MS + round(self.loop.time() * 1000)

    def wall_ms(self) -> int:
        """What the clock of the gateway's machine says: somebody may have set it wrong."""
        return self.now_ms() + self.set_by_ms

    def new_clock(self) -> Callable[[], int]:
        """The clock of a process that starts now."""
        return (
            self.wall_ms if self._wall_believed else SteadyClock(self.wall_ms, lambda: round(self.loop.time() * 1000))
        )

    def believe_wall(self) -> None:
        """A defect: the gateway's clock is the machine's."""
        self._wall_believed = True
        self.house_ms = self.wall_ms

    def set_clock(self, ms: int) -> None:
        """Somebody sets the machine's clock so much away from the true time."""
        self.tried["jumps"] += 1
        self.note("the clock is set", ms)
        self.set_by_ms = ms

    def now(self) -> datetime:
        """The same, aware."""
        return datetime.fromtimestamp(self.now_ms() / 1000, UTC)

    def note(self, *words: object) -> None:
        """One line of the trace."""
        self._hash.update(f"{self.loop.time():.6f}{words}\n".encode())
        if words[0] == "request":
            self.tried["requests"] += 1
            self.tried["faults"] += words[3] != "answer"
        elif words[0] in ("unavailable", "unknown", "unknown_held"):
            self.tried["store"] += 1

    def trace(self) -> str:
        """The hash of everything that happened."""
        return self._hash.hexdigest()

    def outside(self, work: Awaitable[T]) -> asyncio.Task[T]:
        """Start something that no death of the process ends."""
        task: asyncio.Task[T] = self.loop.create_task(work, context=self._outside)  # type: ignore[arg-type]  # coroutines
        self._tasks.append(task)
        return task

    def _ledger(self, name: str) -> Ledger:
        made = Ledger(name, lambda: self.now().strftime("%Y-%m-%dT%H:%M:%S"), Random(f"{self.seed}:{name}"))
        made.lag_s = LAG_S
        made.say = lambda word, after: void(self.outside(self._say(name, word, after)))
        return made

    # ---- the process
    async def rise(self) -> None:
        """Start processes until one stands."""
        while not await self._start():
            self._dying.clear()
            await asyncio.sleep(0.5)

    async def _start(self) -> bool:
        """Start a process on what the last one left; ``False``: it died of that."""
        self._numbers += 1
        chance = Random(f"{self.seed}:wire:{self._numbers}")
        runner = Inline(
            self.db, self.watcher.look, Random(f"{self.seed}:store:{self._numbers}"), self.note, self._trouble
        )
        network = Network(self.ledgers, chance, self._faults, self.outside, self.note)
        process = Process(self._numbers, str(self.seed), runner, network, self._reach, self.believe_wall)
        runner.die = self._dying.set
        if not self.calm and self.weather.deaths:
            runner.cut = self.random.choice((None, self.random.randint(1, 400)))
        self.networks.append(network)
        self.process = process
        self.house_ms = self.new_clock()
        self._born_wrong = self.set_by_ms != 0
        starting = process.spawn(process.start(lambda: self.house_ms(), self.data, self.agreed))
        dying = asyncio.create_task(self._dying.wait())
        await asyncio.wait([starting, dying], return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()
        if self._dying.is_set() or isinstance(starting.exception(), StoreUnavailable):
            await process.kill()
            return False
        await starting
        assert process.house is not None
        if self.plant is not None:
            self.plant(process)
        process.house.broker = BrokerRelay(process.house.store, self, process.house.publisher, self._reach)
        process.house.worker.add(publishing(process.house.broker, process.house.bells))
        if self._hands:
            process.work()
        return True

    async def fall(self) -> None:
        """Kill the process, look at what it left, start the next."""
        assert self.process is not None
        self.note("killed", self.process.number)
        self.tried["kills"] += 1
        await self.process.kill()
        self._dying.clear()
        self.watcher.audit(self, final=False)
        await asyncio.sleep(self.random.choice((0.0, 0.5, 3.0)))
        await self.rise()

    async def _undertaker(self) -> None:
        while True:
            await self._dying.wait()
            await self.fall()

    def _faults(self) -> float:
        return 0.0 if self.calm else self.weather.faults

    def _trouble(self) -> float:
        return 0.0 if self.calm else self.weather.trouble

    async def _reach(self, point: str) -> None:
        if self.calm:
            return
        process = INSIDE.get()
        if self.weather.deaths and self.random.random() < 0.004:
            self.note("dies_at", point)
            if process is not None:
                process.runner.dead = process.network.dead = True
            self._dying.set()
            await asyncio.Event().wait()
        # Between the frozen wire and the sending nothing but the lease keeps two from sending: that gap is tried most.
        if self.random.random() < self.weather.stalls * (4 if point == "translated" else 1):
            self.note("stalls_at", point)
            self.tried["stalls"] += 1
            await asyncio.sleep(self.random.uniform(3.0, 30.0))

    async def call(self, what: Callable[[House], Awaitable[T]]) -> T:
        """Ask the process that is there now."""
        process = self.process
        if process is None:
            raise Lost
        return await process.call(what)

    # ---- the events' consumer
    listened = True

    async def publish(self, envelopes: list[dict[str, Any]]) -> None:
        """See ``EventBus``: the broker of this world keeps what it is brought, and is away now and then."""
        if self.chance.random() < self._trouble():
            self.seen.extend((one["id"], int(one["cursor"])) for one in envelopes[:1])
            raise BusUnavailable("away")
        self.seen.extend((one["id"], int(one["cursor"])) for one in envelopes)

    async def close(self) -> None:
        """It stays."""

    # ---- platforms call in
    async def _say(self, endpoint: str, word: Word, after: float) -> None:
        """Call a word in until it is taken; some come twice though they were."""
        chance = Random(f"{self.seed}:say:{word.event}")
        await asyncio.sleep(after)
        twice = chance.random() < 0.3
        while True:
            try:
                status = await self.call_in(endpoint, word, f"{chance.getrandbits(64):016x}")
            except (Lost, StoreUnavailable):
                status = 0
            if status == 200:
                self.heard.add((endpoint, word.event))
                if not twice:
                    return
                twice = False
            await asyncio.sleep(chance.uniform(0.1, 2.0))

    async def call_in(self, endpoint: str, word: Word, nonce: str) -> int:
        at = self.now().isoformat()
        headers = (("X-Time", at), ("X-Nonce", nonce), ("X-Sign", call_signature(at, nonce, word.body)))
        reply = await self.call(lambda house: house.receiver.receive(endpoint, "POST", "/word", "", headers, word.body))
        self.note("word", endpoint, word.event, reply.status)
        return reply.status

    # ---- clients
    async def _client(self, number: int) -> None:
        chance = Random(f"{self.seed}:client:{number}")
        try:
            await self._life(number, chance)
        except Refused as refusal:
            self.refused.append(f"{number}:{refusal.code}")
        finally:
            self._quiet_clients += 1

    async def _life(self, number: int, chance: Random) -> None:
        async def rest() -> None:
            await asyncio.sleep(chance.choice((0.0, 0.05, 1.0, 4.0)))

        await asyncio.sleep(chance.uniform(0, 3.0))
        name = f"370102-LX001-2026-{number:05d}"
        case = await self._post(chance, f"{number}-case", MessageType.CASE_SUBMITTED, documents.case(name))
        await rest()
        if chance.random() < 0.7:
            await self._post(chance, f"{number}-talks", MessageType.CASE_PROGRESSED, documents.progress(), case)
            await rest()
        if chance.random() < 0.6:
            agreement = await self._agree(chance, number, case)
            await rest()
            if chance.random() < 0.7:
                request = documents.confirmation()
                await self._post(chance, f"{number}-confirm", MessageType.CONFIRMATION_REQUESTED, request, agreement)

    async def _agree(self, chance: Random, number: int, case: str) -> str:
        while True:
            try:
                paper = await self.call(
                    lambda house: house.attachments.keep(
                        "client:operator", "mediation_agreement", "协议.pdf", documents.PDF
                    )
                )
                break
            except (Lost, StoreUnavailable):
                await asyncio.sleep(0.5)
        raw = documents.agreement(paper.id, agreement_no=f"历下劳人调〔2026〕{number}号")
        return await self._post(chance, f"{number}-agreement", MessageType.AGREEMENT_CONCLUDED, raw, case)

    async def _post(self, chance: Random, key: str, kind: MessageType, raw: bytes, target: str | None = None) -> str:
        """Post until it is acknowledged, always under the same key; an impatient client asks again meanwhile."""
        order = Order(kind, CLIENT, raw, target, key)
        again = chance.random() < 0.2
        while True:
            asks = [asyncio.create_task(self._ask(order)) for _ in range(2 if chance.random() < 0.15 else 1)]
            answers = [answer for ask in asks if (answer := await ask) is not None]
            for answer in answers:
                known = self.acks.setdefault(key, (kind.value, answer.about, answer.answer))
                if known != (kind.value, answer.about, answer.answer):
                    self.watcher.violated(f"I5 {key}: one key, two answers")
            if answers and not again:
                self.note("acknowledged", key)
                return answers[0].about
            again = again and not answers
            await asyncio.sleep(chance.uniform(0.05, 1.0))

    async def _ask(self, order: Order) -> Accepted | None:
        try:
            return await self.call(lambda house: house.intake.take(order))
        except (Lost, StoreUnavailable):
            return None
        except Refused as refusal:
            if refusal.status == 409 and refusal.code == "busy":
                return None
            raise

    # ---- the operator
    async def _operator(self) -> None:
        chance = Random(f"{self.seed}:operator")
        while True:
            await asyncio.sleep(chance.uniform(0.5, 5.0))
            try:
                await self.call(lambda house: self.round(house, chance))
            except (Lost, StoreUnavailable):
                continue

    async def round(self, house: House, chance: Random) -> None:
        hands = Operator(house.store, house.bells.committed)
        for row in await house.store.rows("all_endpoints"):
            if row["paused"] and (self.calm or chance.random() < 0.5):
                await hands.resume(CLIENT, row["name"], "healed")
            elif not self.calm and chance.random() < 0.04:
                await hands.pause(CLIENT, row["name"], "a window of maintenance")
        for state in ("dead", "rejected", "expired", "in_doubt"):
            for row in await house.store.run(list_deliveries, state, "", "", 100):
                if not self.calm and chance.random() < 0.7:
                    continue
                if state != "in_doubt":
                    await hands.redrive(CLIENT, row["id"], "once more")
                elif self.loop.time() - self._doubts.setdefault((row["id"], row["doubt_at"]), self.loop.time()) > 12.0:
                    await self._resolve(hands, row["endpoint"], row["id"])

    async def _resolve(self, hands: Operator, endpoint: str, delivery: str) -> None:
        """A person asks the platform; where its own word is still under way, that decides."""
        ledger = self.ledgers[endpoint]
        if all((endpoint, one.word) in self.heard for one in ledger.booked if one.id == delivery and one.refused):
            await hands.resolve(CLIENT, delivery, bool(ledger.of(delivery)), "asked by telephone")

    # ---- one seed
    async def live(self) -> None:
        """Faults, then none; then everything must be settled."""
        await self.rise()
        actors = [self.outside(self._undertaker()), self.outside(self._operator())]
        self.tried["cases"] = self.weather.cases
        clients = [self.outside(self._client(number)) for number in range(1, self.weather.cases + 1)]
        moments = sorted(self.random.uniform(0.5, self.weather.lasts_s) for _ in range(self.weather.deaths))
        sleeps = {self.random.uniform(1.0, self.weather.lasts_s) for _ in range(self.weather.sleeps)}
        turns = sorted(self.clocks.uniform(0.5, self.weather.lasts_s) for _ in range(self.weather.jumps))
        while self.loop.time() < self.weather.lasts_s:
            await asyncio.sleep(0.5)
            if turns and self.loop.time() >= turns[0]:
                turns.pop(0)
                self.set_clock(self.clocks.choice((-TWO_HOURS_MS, TWO_HOURS_MS, -3_000, 3_000, 0)))
            if moments and self.loop.time() >= moments[0]:
                moments.pop(0)
                self._dying.set()
            if sleeps and self.loop.time() >= min(sleeps):
                sleeps.remove(min(sleeps))
                self.tried["sleeps"] += 1
                self.note("the machine sleeps")
                self.loop.leap(self.random.uniform(2.0, 30.0))
        self.calm = True
        if self.set_by_ms or self._born_wrong:
            # The console says that the clock is wrong: somebody sets it right; who was born under it dies.
            self.set_clock(0)
            if self._born_wrong:
                self._dying.set()
        for ledger in self.ledgers.values():
            ledger.trouble = False
        self.watcher.audit(self, final=False)
        until = self.loop.time() + PATIENCE_S
        while self.loop.time() < until and not self.watcher.violations:
            await asyncio.sleep(1.0)
            if self._quiet_clients == len(clients) and not self.watcher.unsettled():
                await asyncio.sleep(4.0)  # what is still said, is said within this time
                if not self.watcher.unsettled():
                    break
        whole = not self.watcher.violations
        self.watcher.audit(self, final=whole)
        for client in clients:
            if whole and not client.done():
                self.watcher.violated("liveness: a client waits for its answer")
        assert self.process is not None
        await self.process.kill()
        for task in [*actors, *self._tasks]:
            task.cancel()
        await asyncio.gather(*actors, *self._tasks, return_exceptions=True)


def void(_: object) -> None:
    """Nothing is waited for."""


def _born(task: asyncio.Task[Any], context: contextvars.Context | None) -> None:
    process = INSIDE.get() if context is None else context.get(INSIDE)
    if process is not None:
        process.tasks[task] = None
        task.add_done_callback(lambda done: process.tasks.pop(done, None))


def play(seed: int, plant: Plant | None = None) -> Outcome:
    """One seed, from the first case to the last settlement."""
    loop = VirtualLoop(_born)
    asyncio.set_event_loop(loop)
    world = World(seed, loop, plant)

    def unhandled(loop: asyncio.AbstractEventLoop, said: dict[str, Any]) -> None:
        error = said.get("exception")
        if not isinstance(error, (Lost, Refused, StoreUnavailable)):
            world.watcher.violated(f"unhandled: {said['message']} {type(error).__name__}")

    loop.set_exception_handler(unhandled)
    try:
        loop.run_until_complete(world.live())
    finally:
        loop.close()
        asyncio.set_event_loop(None)
        shutil.rmtree(world.data, ignore_errors=True)
    states = world.db.execute("SELECT id, state, attempts FROM deliveries ORDER BY id").fetchall()
    world.note("end", json.dumps([tuple(row) for row in states]))
    world.db.close()
    return Outcome(seed, world.trace(), world.watcher.violations, world.tried, loop.time())
