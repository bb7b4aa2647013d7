"""The hands: one loop per step, woken by what the others commit, and the deliveries that are in flight."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

import structlog

from gateway.flow import loops
from gateway.flow.apply import Applier
from gateway.flow.applying.papers import Papers
from gateway.flow.clock import Alarms
from gateway.flow.deliver import Deliverer
from gateway.flow.loops import FULL_S, Loop, Loops, until_idle
from gateway.flow.poll import Poller
from gateway.flow.relay import BrokerRelay, Relay
from gateway.flow.timing.reminders import remind_of_words
from gateway.store.settlement import Claim
from gateway.store.store import Store

log = structlog.get_logger("gateway.worker")

_HELD_S = 0.25
"""The longest wait for the next look where others hold every slot. Whoever lets one go rings."""
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


def publishing(broker: BrokerRelay, bells: Bells) -> Loop:
    """The loop that brings events to the broker."""
    return Loop("publish", until_idle(broker.turn), bells.publish, gap_s=0.02, slow=True)


class Worker(Loops):
    """The journey's own loops, and the deliveries in flight: at its end it claims nothing more and lets those end."""

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
        super().__init__()
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
        self._calm_at = 0.0
        self._ear = Loop("hear", until_idle(relay.hear), bells.relay, gap_s=0.02)
        for loop in [self._ear, *self._core()]:
            self.add(loop)

    def _core(self) -> list[Loop]:
        """The journey's own loops."""
        bells = self._bells
        steps = [
            Loop("deliver", self._deliver_turn, bells.deliver, gap_s=0.004, sends=True),
            Loop("apply", self._apply_turn, bells.apply),
            Loop(
                "relay",
                until_idle(self._relay.turn),
                bells.relay,
                gap_s=0.02,
                news_s=_AFTER_THE_SENDING_S,
            ),
            Loop("papers", until_idle(self._papers.turn), bells.papers, gap_s=0.05, sends=True, slow=True),
            Loop("webhooks", self._webhooks_turn, bells.webhooks, sends=True),
            Loop("watch", self._watch_turn),
        ]
        return steps + [
            Loop(f"poll{place}", one.turn, sends=True, slow=True) for place, one in enumerate(self._pollers)
        ]

    @property
    def slots(self) -> tuple[int, int]:
        """Deliveries in flight, and how many there may be."""
        return len(self._flying), self._concurrency

    def start_hearing(self) -> None:
        """Start no hand but the ear: what other processes number is told in this one."""
        self._run([self._ear])

    def start(self) -> None:
        """Start every loop but the ear: whoever numbers has heard it."""
        self._store.lately.most = _LATELY
        self._calm_at = asyncio.get_running_loop().time() + _CALM_S
        self._run([loop for loop in self._loops.values() if loop is not self._ear])

    async def _deliver_turn(self) -> float:
        claims = []
        async with self._claiming:
            free = self._concurrency - len(self._flying)
            if free > 0 and self._trial is None:
                patience_ms = self._patience_ms if self._calm_in <= 0 else _NO_TRIAL_MS
                claims = await self._deliverer.take(min(free, _BATCH), self._busy, patience_ms)
            await self._begin(claims)
        self.hurried = len(claims) == _BATCH
        if not claims:
            return await self._until_due()
        self._empty = 0
        return 0.0

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
            return loops.SWEEP_S
        if row["due_at"] <= row["now"]:
            if self._store.runner.writers == 1:
                return FULL_S
            # Perhaps another process just held the endpoint: it is free again in a moment. No two look again at once.
            self._empty += 1
            soon: float = min(_HELD_S, 0.002 * 2 ** min(self._empty, 8)) * random.uniform(0.5, 1.0)
            return soon
        due_in: float = (row["due_at"] - row["now"]) / 1000
        return min(due_in, loops.SWEEP_S)

    async def _apply_turn(self) -> float:
        if await self._applier.turn():
            return 0.0
        row = await self._store.row("next_callback")
        if row is None or row["due_at"] is None:
            return loops.SWEEP_S
        due_in: float = (row["due_at"] - row["now"]) / 1000
        return min(max(due_in, 0.005), loops.SWEEP_S)

    async def _webhooks_turn(self) -> float:
        """Handshakes, and one probe an hour of each unhealthy webhook."""
        async with self._claiming:
            if self._trial is None:
                await self._begin(await self._deliverer.take_probes(self._busy))
        return loops.SWEEP_S

    async def _watch_turn(self) -> float:
        """Words that are overdue become tasks, clocks ring, old nonces and keys go."""
        self._store.lately.age()
        await self._store.run(remind_of_words, self._store)
        if await self._alarms.turn():
            self._bells.committed()
        await self._store.write("drop_nonces", ())
        await self._store.write("destroy_old_keys", ())
        return _WATCH_S

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
        await self.end(set(self._flying))
