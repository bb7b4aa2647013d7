"""The hands: one loop per step, each supervised, woken by what the others commit, with a sweep as the safety net."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import structlog

from gateway.flow.apply import Applier
from gateway.flow.clock import Alarms
from gateway.flow.deliver import Deliverer
from gateway.flow.papers import Papers
from gateway.flow.poll import Poller
from gateway.flow.relay import Relay
from gateway.store.claim import Claim
from gateway.store.engine import Operation
from gateway.store.store import Store

log = structlog.get_logger("gateway.worker")

_SWEEP_S = 1.0
_FULL_S = 0.05
"""A look again where something is due and every slot is taken: a landing rings sooner."""
_AFTER_FAILURE_S = 1.0
_SENDING = ("deliver", "poll", "papers", "webhooks", "reconcile", "bulk")
"""The loops that speak with platforms."""
_BRIEF = ("deliver", "apply", "relay", "hear", "webhooks", "watch")
"""The loops whose turns are short whatever the platforms and the broker do, ..."""
_HUNG_S = 180.0
"""... so that one which takes so long (s) will not end any more: many times a store's patience."""
_GAPS_S = {"deliver": 0.004, "relay": 0.02, "hear": 0.02, "publish": 0.02, "papers": 0.05}
"""From one turn to the next. Under load every commit rings: without a gap a turn would find one thing to do, and a transaction
costs as much for one as for ten. Whoever comes after a quiet moment is not kept waiting."""
_AFTER_THE_SENDING_S = 0.005
"""How long news waits when its bell rings: what rang sends something too, and that goes first. What comes of the sending is
told with it then."""
_BATCH = 64
_PATIENCE_S = 20.0
"""How long a process that is busy leaves a delivery on trial to the others."""
_TRIAL_S = 5.0
"""How long a delivery on trial keeps the others away: what kills its sender does so long before."""
_CALM_S = 5.0
"""How long a process has lived before it tries anybody: one that is killed again and again soon after its start, whatever kills
it, would convict one innocent delivery after another."""
_NO_TRIAL_MS = 2**62
"""A patience that never ends."""
_WATCH_S = 15.0
_LATELY = 128
"""Documents, twice over, that are delivered as they were accepted, without being read again."""


@dataclass(slots=True)
class Bells:
    """In-process wake-ups, one per loop, rung after the commit that made work."""

    deliver: asyncio.Event = field(default_factory=asyncio.Event)
    apply: asyncio.Event = field(default_factory=asyncio.Event)
    relay: asyncio.Event = field(default_factory=asyncio.Event)
    papers: asyncio.Event = field(default_factory=asyncio.Event)
    webhooks: asyncio.Event = field(default_factory=asyncio.Event)
    publish: asyncio.Event = field(default_factory=asyncio.Event)

    def committed(self) -> None:
        """Something was written about a case: deliveries may be due, events are to be numbered, documents fetched."""
        self.deliver.set()
        self.relay.set()
        self.papers.set()

    def subscribed(self) -> None:
        """A webhook was registered or changed: a handshake may be due, events may be owed."""
        self.webhooks.set()
        self.relay.set()
        self.deliver.set()

    def stored(self) -> None:
        """A call was stored."""
        self.apply.set()

    def told(self, what: str) -> None:
        """Another process has committed something; ``""``: nobody knows what was missed."""
        if what in ("due", ""):
            self.committed()
            self.webhooks.set()
        if what in ("call", ""):
            self.stored()
        if what in ("events", ""):
            self.relay.set()
            self.publish.set()


class Worker:
    """Runs the loops until it is told to stop; then claims nothing more and lets what is in flight end."""

    def __init__(
        self,
        store: Store,
        bells: Bells,
        deliverer: Deliverer,
        applier: Applier,
        relay: Relay,
        papers: Papers,
        pollers: list[Poller],
        concurrency: int,
    ) -> None:
        self._store = store
        self._bells = bells
        self._deliverer = deliverer
        self._applier = applier
        self._relay = relay
        self._papers = papers
        self._pollers = pollers
        self._concurrency = concurrency
        self._alarms = Alarms(store)
        self._flying: set[asyncio.Task[None]] = set()
        self._trial: asyncio.Task[None] | None = None
        self._claiming = asyncio.Lock()
        # Of many processes one lands for a trial, not all at once; where there is one alone, there is nobody to wait for.
        self._patience_ms = 0 if store.runner.writers == 1 else round(1000 * random.uniform(0, _PATIENCE_S))
        self._empty = 0
        self._full = False
        self.silent_until = 0.0
        """Until then (the loop's time) this process sends nothing: it has not found its share of the platforms' rates yet."""
        self._calm_at = 0.0
        self._loops: list[asyncio.Task[None]] = []
        self._begun: dict[str, float] = {}
        self._stopping = asyncio.Event()
        self.also: list[tuple[str, Callable[[], Awaitable[float]]]] = []
        """Further loops, added before the start: each turn returns how many seconds to rest."""
        self.woken: list[tuple[str, Callable[[], Awaitable[int]], asyncio.Event]] = []
        """Further loops with a bell: where a turn had nothing to do, the loop rests until its bell or the sweep."""

    @property
    def slots(self) -> tuple[int, int]:
        """Deliveries in flight, and how many there may be."""
        return len(self._flying), self._concurrency

    def stuck(self) -> list[str]:
        """Loops that ended though nobody told them to, or hang in one turn."""
        if self._stopping.is_set():
            return []
        ended = {task.get_name() for task in self._loops if task.done()}
        long_ago = asyncio.get_running_loop().time() - _HUNG_S
        return sorted(ended | {_loop_name(name) for name in _BRIEF if self._begun.get(name, long_ago) < long_ago})

    def start_hearing(self) -> None:
        """Start no hand but the ear: what other processes number is told in this one."""
        self._loops = [asyncio.create_task(self._supervised("hear", self._hear_turn), name=_loop_name("hear"))]

    def start(self) -> None:
        """Start every loop."""
        self._store.lately.most = _LATELY
        self._calm_at = asyncio.get_running_loop().time() + _CALM_S
        loops: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("deliver", self._deliver_turn),
            ("apply", self._apply_turn),
            ("relay", self._relay_turn),
            ("papers", self._papers_turn),
            ("webhooks", self._webhooks_turn),
            ("watch", self._watch_turn),
        ]
        for place, poller in enumerate(self._pollers):
            loops.append((f"poll{place}", partial(self._poll_turn, poller)))
        loops += [(name, partial(self._also_turn, turn)) for name, turn in self.also]
        loops += [(name, partial(self._woken_turn, turn, bell)) for name, turn, bell in self.woken]
        self._loops = [asyncio.create_task(self._supervised(name, turn), name=_loop_name(name)) for name, turn in loops]

    async def _supervised(self, name: str, turn: Callable[[], Awaitable[None]]) -> None:
        clock = asyncio.get_running_loop().time
        gap = _GAPS_S.get(name, 0.0)
        while not self._stopping.is_set():
            begun = self._begun[name] = clock()
            if (silent := self.silent_until - begun) > 0 and name.startswith(_SENDING):
                await self._rest(min(silent, _FULL_S))
                continue
            try:
                await turn()
            except Exception as error:  # a loop that dies silently is the worst fault of all
                log.error("loop_failed", loop=name, error=type(error).__name__)
                await self._rest(_AFTER_FAILURE_S)
            early = begun + gap - clock()
            if early > 0 and not self._full:
                await self._rest(early)

    async def _rest(self, seconds: float, bell: asyncio.Event | None = None) -> None:
        """Sleep until the time is over, the bell rings, or the end comes."""
        waits = [asyncio.create_task(self._stopping.wait())]
        if bell is not None:
            waits.append(asyncio.create_task(bell.wait()))
        try:
            await asyncio.wait(waits, timeout=max(seconds, 0), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if bell is not None:
            bell.clear()

    async def _deliver_turn(self) -> None:
        claims = []
        async with self._claiming:
            free = self._concurrency - len(self._flying)
            if free > 0 and self._trial is None:
                patience_ms = self._patience_ms if self._calm_in <= 0 else _NO_TRIAL_MS
                claims = await self._deliverer.take(min(free, _BATCH), self._busy, patience_ms)
            await self._begin(claims)
        self._full = len(claims) == _BATCH
        if claims:
            self._empty = 0
        else:
            await self._rest(await self._until_due(), self._bells.deliver)

    @property
    def _calm_in(self) -> float:
        """Seconds until this process may try what is suspect."""
        return self._calm_at - asyncio.get_running_loop().time()

    @property
    def _busy(self) -> int:
        """What stands against a trial: deliveries in flight, or that this process is too young."""
        return len(self._flying) or int(self._calm_in > 0)

    async def _begin(self, claims: list[Claim]) -> None:
        for claim in claims:
            if self._stopping.is_set():  # claimed while the end was told
                await self._deliverer.give_back(claim)
            else:
                self._fly(claim)

    def _fly(self, claim: Claim) -> None:
        task = asyncio.create_task(self._bring(claim))
        self._flying.add(task)
        if claim.alone:
            self._trial = task
            acquittal = asyncio.create_task(self._acquit(claim, task))
            task.add_done_callback(lambda _: acquittal.cancel())
        task.add_done_callback(self._landed)

    async def _acquit(self, claim: Claim, task: asyncio.Task[None]) -> None:
        """Let the others on where a trial takes long: a hung platform's delivery must not hold them."""
        await asyncio.sleep(_TRIAL_S)
        try:
            await self._deliverer.acquit(claim)
        except Exception as error:  # it stays suspect, and is tried again
            log.error("acquittal_failed", delivery=claim.delivery, error=type(error).__name__)
        self._open_again(task)

    def _open_again(self, task: asyncio.Task[None]) -> None:
        if self._trial is task:
            self._trial = None
        self._bells.deliver.set()

    async def _bring(self, claim: Claim) -> None:
        try:
            await self._deliverer.bring(claim)
        except Exception as error:  # the lease ends by itself; the loop goes on
            log.error("delivery_failed", delivery=claim.delivery, endpoint=claim.endpoint, error=type(error).__name__)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._flying.discard(task)
        self._open_again(task)

    async def _until_due(self) -> float:
        row = await self._store.row("next_due")
        if row is None or row["due_at"] is None:
            return _SWEEP_S
        if row["due_at"] <= row["now"]:
            if self._store.runner.writers == 1:
                return _FULL_S
            # Perhaps another process just held the endpoint: it is free again in a moment. No two look again at once.
            self._empty += 1
            soon: float = min(_FULL_S, 0.002 * 2 ** min(self._empty, 6)) * random.uniform(0.5, 1.0)
            return soon
        due_in: float = (row["due_at"] - row["now"]) / 1000
        return min(due_in, _SWEEP_S)

    async def _apply_turn(self) -> None:
        if await self._applier.turn():
            return
        row = await self._store.row("next_callback")
        wait = _SWEEP_S
        if row is not None and row["due_at"] is not None:
            wait = min(max((row["due_at"] - row["now"]) / 1000, 0.005), _SWEEP_S)
        await self._rest(wait, self._bells.apply)

    async def _relay_turn(self) -> None:
        if not await self._relay.turn():
            await self._rest(_SWEEP_S, self._bells.relay)
            await self._rest(_AFTER_THE_SENDING_S)

    async def _hear_turn(self) -> None:
        if not await self._relay.hear():
            await self._rest(_SWEEP_S, self._bells.relay)

    async def _woken_turn(self, turn: Callable[[], Awaitable[int]], bell: asyncio.Event) -> None:
        if not await turn():
            await self._rest(_SWEEP_S, bell)

    async def _papers_turn(self) -> None:
        if not await self._papers.turn():
            await self._rest(_SWEEP_S, self._bells.papers)

    async def _webhooks_turn(self) -> None:
        """Handshakes, and one probe an hour of each unhealthy webhook."""
        async with self._claiming:
            if self._trial is None:
                await self._begin(await self._deliverer.take_probes(self._busy))
        await self._rest(_SWEEP_S, self._bells.webhooks)

    async def _poll_turn(self, poller: Poller) -> None:
        await self._rest(await poller.turn())

    async def _also_turn(self, turn: Callable[[], Awaitable[float]]) -> None:
        await self._rest(await turn())

    async def _watch_turn(self) -> None:
        """Words that are overdue become tasks, clocks ring, old nonces and keys go."""
        self._store.lately.age()
        await self._store.run(remind_of_words, self._store)
        if await self._alarms.turn():
            self._bells.committed()
        await self._store.write("drop_nonces", ())
        await self._store.write("destroy_old_keys", ())
        await self._rest(_WATCH_S)

    def halt(self) -> None:
        """Begin nothing more."""
        self._stopping.set()

    async def stop(self, grace_s: float = 20.0) -> None:
        """Claim nothing more and let what is in flight end within the grace. The rest is cut off: what was on the wire is
        written down as such, what was not is given back. Nobody waits for a lease, and no claim counts as dead."""
        self.halt()
        if self._flying:
            await asyncio.wait(set(self._flying), timeout=grace_s)
        self._deliverer.leave()
        await self.drop()

    async def drop(self) -> None:
        """Let every hand fall. Without ``stop`` before it, what is in flight is left to its lease, as by a kill."""
        self.halt()
        flying = set(self._flying)
        for task in flying:
            task.cancel()
        done, late = await asyncio.wait(self._loops, timeout=5.0) if self._loops else (set(), set())
        for task in late:
            task.cancel()
        for task in [*flying, *done, *late]:
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task


def _loop_name(name: str) -> str:
    return f"loop:{name}"


def remind_of_words(store: Store) -> Operation[None]:
    """A relayed delivery whose word did not come in time gets a task; it stays relayed."""
    rows = yield "overdue_words", [(store.now_ms(),)]
    if not rows:
        return
    tasks = []
    for row in rows:
        thing = (row["subject"], row["id"], row["endpoint"], row["organization"] or "")
        tasks.append((store.ids.new("task"), "word_overdue", *thing, None, None, None))
    yield "open_task", tasks
    yield "word_reminded", [(row["id"],) for row in rows]
