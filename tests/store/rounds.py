"""Random rounds of many hands at once over the store, on both engines, and what must hold in and after each (``store.md`` §6).

Producers, claimers, a hand that moves and hushes, and two relayers work side by side; transactions are cut at random steps,
claims die, outcomes come late. On SQLite the clock is virtual; on PostgreSQL two processes work with leases of 120 ms.

- **I1** is asked inside the claim's own transaction, where the lane's row is locked and the answer exact.
- **I2** to **I5** are asked when all is quiet.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Any, TypeVar

from gateway.security.fields import Sealer
from gateway.store import journal, unit
from gateway.store.engine import Firm, Operation, Runner, Sqlite
from gateway.store.ids import Ids
from gateway.store.months import Part
from gateway.store.postgres import Postgres
from gateway.store.settlement import Claim, Settlement
from gateway.store.statements import Engine, _render
from gateway.store.store import Store
from tests.store.bench import BROKEN, KEYS, Bench, VirtualClock

T = TypeVar("T")
Sleep = Callable[[int], Awaitable[None]]

ENDPOINTS = ("a", "b", "c")
LEASE_MS = 120
CALM_MS = 400

_EARLIER = """JOIN deliveries p ON p.endpoint = d.endpoint AND p.subject = d.subject
  AND (p.first > d.first OR (p.first = d.first AND p.sequence < d.sequence)) AND p.state IN ('pending', 'in_doubt')
  LEFT JOIN deliveries r ON r.id = p.requires"""
_OPEN = "(p.state = 'in_doubt' OR p.requires IS NULL OR r.state = 'delivered')"

ASKED = {
    "ask_order": f"SELECT d.id FROM given JOIN deliveries d ON d.id = given.id {_EARLIER} WHERE {_OPEN}",  # noqa: S608 -- ours
    "ask_need": """SELECT d.id FROM given JOIN deliveries d ON d.id = given.id LEFT JOIN deliveries r ON r.id = d.requires
        WHERE d.state <> 'pending' OR (d.requires IS NOT NULL AND r.state <> 'delivered')""",
    "ask_closed": """SELECT e.name FROM given JOIN endpoints e ON e.name = given.id WHERE e.paused OR e.quiet_until > now_ms()
        OR e.slots < (SELECT count(*) FROM lanes l WHERE l.endpoint = e.name AND l.lease_until > now_ms())""",
}
"""One row for each claim that must not be."""

_BEHIND = f"SELECT d.id FROM deliveries d {_EARLIER} WHERE {_OPEN}"  # noqa: S608 -- ours
DERIVED = f"""SELECT d.endpoint, d.subject, d.id FROM deliveries d LEFT JOIN deliveries q ON q.id = d.requires
    WHERE d.state = 'pending' AND (d.requires IS NULL OR q.state = 'delivered') AND d.id NOT IN ({_BEHIND})"""  # noqa: S608 -- ours
"""The heads that the deliveries themselves say."""


class Cut(Exception):
    """The transaction ended here."""


class Violation(AssertionError):
    """Something does not hold that must."""


def must(holds: bool, what: str) -> None:
    """Raise what does not hold."""
    if not holds:
        raise Violation(what)


class Watched:
    """A process's runner, as the round sees it: asks inside the transactions, and cuts some."""

    def __init__(self, runner: Runner, books: Round) -> None:
        self.inner = runner
        self.writers = runner.writers
        self._books = books

    async def run(self, operation: Callable[..., Operation[T]], *arguments: object) -> T:
        return await self.inner.run(self._books.watched(operation), *arguments)

    async def run_loosely(self, firm: Firm, operation: Callable[..., Operation[T]], *arguments: object) -> T:
        return await self.inner.run_loosely(firm, self._books.watched(operation), *arguments)

    async def read(self, operation: Callable[..., Operation[T]], *arguments: object) -> T:
        return await self.inner.read(operation, *arguments)

    async def unsafe(self) -> list[str]:
        return []

    def listen(self, heard: Callable[[str], None]) -> None:
        """Nobody sleeps here."""

    async def keep_months(self, now_ms: int) -> None:
        await self.inner.keep_months(now_ms)

    async def months(self) -> list[Part]:
        return await self.inner.months()

    async def close(self) -> None:
        await self.inner.close()


def plant(runner: Runner, engine_name: Engine, bug: tuple[str, str, str] | None) -> None:
    """Give the runner the questions; and a bug: a statement's words, replaced."""
    statements = getattr(runner, "_statements")  # noqa: B009 -- the tests alone reach in here
    for name, sql in ASKED.items():
        statements[name] = _render(engine_name, name, "", (("id", "text"),), sql)
    if bug is not None:
        name, old, new = bug
        if old not in statements[name].sql:
            raise LookupError(f"{name} has no {old!r}: {statements[name].sql}")
        statements[name] = replace(statements[name], sql=statements[name].sql.replace(old, new))


class Round:
    """One round: the hands, their books, and the reckoning."""

    def __init__(
        self,
        seed: int,
        runners: Sequence[Runner],
        sleep: Sleep,
        now_ms: Callable[[], int],
        begun_at: Callable[[], None] = lambda: None,
    ) -> None:
        self.begun_at = begun_at
        self.random = Random(seed)
        self.sleep = sleep
        self.now_ms = now_ms
        self.calm = False
        self.stop = asyncio.Event()
        self.counts: Counter[str] = Counter()
        self.leased: dict[tuple[str, str], int] = {}
        self.holder: dict[tuple[str, str], int] = {}
        self.begun: set[str] = set()
        self.accepted: Counter[str] = Counter()
        self.consumed: list[tuple[str, int, int]] = []
        self.known: list[tuple[str, str]] = []
        self.lanes: dict[tuple[str, str], list[str]] = defaultdict(list)
        chance = Random(seed + 1)
        ids = Ids(now_ms, chance.randbytes)
        self.stores = [Store(Watched(runner, self), Sealer(KEYS), ids, now_ms) for runner in runners]
        self.benches = [Bench(store, VirtualClock()) for store in self.stores]

    # ---- inside the transactions
    def watched(self, operation: Callable[..., Operation[T]]) -> Callable[..., Operation[T]]:
        """The operation, asked about and perhaps cut."""
        cut = 0 if self.calm or self.random.random() > 0.04 else self.random.randint(1, 8)

        def watching(*arguments: object) -> Operation[T]:
            self.begun_at()
            steps, found, taken = operation(*arguments), None, 0
            while True:
                taken += 1
                if taken == cut:
                    self.counts["cut"] += 1
                    raise Cut
                try:
                    step = steps.send(found) if found is not None else next(steps)
                except StopIteration as end:
                    result: Any = end.value
                    break
                found = yield step
            if isinstance(result, list) and result and isinstance(result[0], Claim):
                yield from self._claimed(result)
            if (
                arguments
                and isinstance(arguments[0], list)
                and arguments[0]
                and isinstance(arguments[0][0], Settlement)
            ):
                self._settled(arguments[0], result)
            return result  # type: ignore[no-any-return]  # the operation's own

        return watching

    def _claimed(self, claims: list[Claim]) -> Operation[None]:
        # A head whose sender died keeps its place: it may have been sent before its predecessor was opened again.
        fresh = [(claim.delivery,) for claim in claims if claim.delivery not in self.begun]
        must(not (fresh and (yield "ask_order", fresh)), "I1: a predecessor was open")
        must(not (yield "ask_need", [(claim.delivery,) for claim in claims]), "I1: a requirement was not met")
        names = sorted({(claim.endpoint,) for claim in claims})
        must(not (yield "ask_closed", names), "I1: a closed or full endpoint was served")
        for claim in claims:
            lane = (claim.endpoint, claim.subject)
            must(self.leased.get(lane, 0) <= claim.claimed_at, "I1: a lane was claimed while it was leased")
            self.leased[lane] = claim.claimed_at + LEASE_MS
            self.holder[lane] = claim.token
            self.begun.add(claim.delivery)
            self.counts["claimed"] += 1

    def _settled(self, results: list[Settlement], kept: list[bool]) -> None:
        for result, ok in zip(results, kept, strict=True):
            claim = result.claim
            if ok:
                lane = (claim.endpoint, claim.subject)
                must(self.holder[lane] == claim.token, "I3: a lane was taken over, and the old outcome was accepted")
                self.accepted[claim.delivery] += 1
                self.begun.discard(claim.delivery)
                self.leased.pop(lane, None)
            else:
                self.counts["stale"] += 1
                must(self.now_ms() >= claim.claimed_at + LEASE_MS, "I3: an outcome within its lease was refused")

    # ---- hands
    async def again(self, work: Callable[[], Awaitable[T]]) -> T:
        """Like any client: once more after a cut."""
        while True:
            try:
                return await work()
            except Cut:
                await self.sleep(3)

    async def produce(self, name: str, count: int) -> None:
        """Cases and what follows them, under keys; twins, conflicts, and units that break."""
        cases: list[str] = []
        for number in range(count):
            await self.sleep(self.random.randint(0, 6))
            bench = self.random.choice(self.benches)
            if not cases or self.random.random() < 0.4:
                subject = f"case_{name}{number}"
                if await self._open(bench, subject, f"{name}{number}"):
                    cases.append(subject)
            else:
                await self._follow(bench, self.random.choice(cases))

    async def _open(self, bench: Bench, subject: str, key: str) -> bool:
        made = self._case(bench, subject, key)
        if self.random.random() < 0.06:
            broken = replace(made, messages=[replace(made.messages[0], document_sealed=None)])  # type: ignore[arg-type]  # meant
            try:
                await bench.store.commit(broken)
            except Cut:
                self.counts["cut_unit"] += 1
            except BROKEN:
                self.counts["broken"] += 1
        outcome = await self.again(lambda: bench.store.commit(made))
        must(outcome == unit.Committed(1), f"I5: a new unit ended as {outcome}")
        self._note(made)
        if self.random.random() < 0.2:
            twin = await self.again(lambda: self.random.choice(self.benches).store.commit(made))
            must(isinstance(twin, unit.Replayed), f"I5: a twin ended as {twin}")
        if self.random.random() < 0.1:
            other = replace(made, keys=[replace(made.keys[0], digest=b"other")])
            told = await self.again(lambda: bench.store.commit(other))
            must(isinstance(told, unit.KeyConflict), f"I5: other content ended as {told}")
        if self.random.random() < 0.1:
            rival = self._case(bench, f"{subject}x", f"{key}x")
            rival.matters = [replace(rival.matters[0], business_key=subject)]
            told = await self.again(lambda: bench.store.commit(rival))
            must(isinstance(told, unit.MatterConflict), f"I5: a second case ended as {told}")
        return True

    def _case(self, bench: Bench, subject: str, key: str) -> unit.Unit:
        names = [name for name in ENDPOINTS if self.random.random() < 0.6]
        made = bench.case(subject, names, keys=[unit.Key("c", key, b"d", subject, b"answer")])
        made.deliveries = [self._shaped(delivery, subject) for delivery in made.deliveries]
        return made

    def _shaped(self, delivery: unit.NewDelivery, subject: str) -> unit.NewDelivery:
        before = self.lanes[delivery.endpoint, subject]
        safe = self.now_ms() + self.random.randint(1, 10**6) if self.random.random() < 0.2 else None
        requires = self.random.choice(before) if before and self.random.random() < 0.3 else None
        return replace(delivery, safe_at=safe, requires=requires, overtakes=self.random.random() < 0.05)

    def _note(self, made: unit.Unit) -> None:
        for delivery in made.deliveries:
            self.lanes[delivery.endpoint, made.subject].append(delivery.id)
            self.known.append((made.subject, delivery.id))

    async def _follow(self, bench: Bench, subject: str) -> None:
        while True:
            message = bench.message("case.progressed", subject)
            names = [name for name in ENDPOINTS if self.random.random() < 0.5]
            made = bench.unit(
                subject,
                await bench.sequence(subject),
                messages=[message],
                deliveries=[self._shaped(bench.send(message, name), subject) for name in names],
                events=[bench.event("case.progressed", subject)],
            )
            with suppress(Cut):
                outcome = await bench.store.commit(made)
                if isinstance(outcome, unit.Committed):
                    self._note(made)
                    return
                must(isinstance(outcome, unit.Moved), f"a step ended as {outcome}")

    async def work(self, bench: Bench) -> None:
        """Claim, send, settle; die, or come late."""
        while not self.stop.is_set():
            try:
                claims = await bench.claim(self.random.choice((1, 4, 20)), lease=LEASE_MS, names=ENDPOINTS)
            except Cut:
                continue
            if not claims:
                await self.sleep(self.random.randint(1, 8))
                continue
            if not self.calm and self.random.random() < 0.08:
                self.counts["died"] += 1
                continue
            late = not self.calm and self.random.random() < 0.25
            await self.sleep(LEASE_MS + self.random.randint(0, 40) if late else self.random.randint(0, 40))
            await asyncio.gather(*(self._settle(bench, claim) for claim in claims))

    async def _settle(self, bench: Bench, claim: Claim) -> None:
        chance = 0.0 if self.calm else self.random.random()
        states = (
            (0.6, "delivered"),
            (0.8, "pending"),
            (0.87, "relayed"),
            (0.92, "dead"),
            (0.97, "rejected"),
            (1, "in_doubt"),
        )
        state = next(state for bound, state in states if chance < bound)
        result = bench.settlement(claim, state, wait_ms=self.random.randint(0, 30), step=claim.step + 1)
        await self.again(lambda: bench.store.settle(result))

    async def meddle(self) -> None:
        """Move what is not in flight, pause and hush."""
        moves = {
            "relayed": "delivered",
            "dead": "pending",
            "rejected": "pending",
            "in_doubt": "delivered",
            "cancelled": "pending",
        }
        while not self.calm:
            await self.sleep(self.random.randint(1, 6))
            bench = self.random.choice(self.benches)
            with suppress(Cut):
                if self.known:
                    subject, identifier = self._chosen()
                    row = await bench.delivery(identifier)
                    after = moves.get(row["state"]) or ("cancelled" if self.random.random() < 0.1 else None)
                    if after is not None and row["state"] != "delivered":
                        move = unit.DeliveryMove(identifier, row["endpoint"], row["state"], after, fresh=True)
                        try:
                            told = await bench.move(subject, move)
                        except LookupError:
                            continue  # it had moved, though its subject had not: a try that stays pending tells no event
                        self.counts[type(told).__name__] += 1
                if self.random.random() < 0.1:
                    name = self.random.choice(ENDPOINTS)
                    await bench.store.write("hush_endpoint", (name, self.random.randint(0, 30)))
                    if self.random.random() < 0.5:
                        await bench.store.write("pause_endpoint", (name, "op", "x"))
                        await self.sleep(self.random.randint(1, 20))
                        await self.again(lambda: bench.store.write("resume_endpoint", (name,)))  # noqa: B023 -- awaited here

    def _chosen(self) -> tuple[str, str]:
        """A delivery to be moved; often one of a lane that is being sent right now."""
        busy = sorted(lane for lane in self.leased if self.lanes.get(lane))
        if busy and self.random.random() < 0.6:
            lane = self.random.choice(busy)
            return lane[1], self.random.choice(self.lanes[lane])
        return self.random.choice(self.known)

    async def relay(self, store: Store) -> None:
        """Number, read behind the mark, sometimes lose it."""
        while not self.stop.is_set():
            try:
                await store.run(journal.number, self.random.choice((3, 40)))
                kept = await store.row("read_mark", "round")
                mark = 0 if kept is None else kept["position"]
                events = await store.runner.read(journal.after, mark, self.random.choice((5, 100)))
            except Cut:
                continue
            if not events:
                await self.sleep(self.random.randint(1, 8))
                continue
            self.consumed += [(one.subject, one.sequence, one.position or 0) for one in events]
            if not self.calm and self.random.random() < 0.15:
                continue
            with suppress(Cut):
                await store.write("set_mark", ("round", events[-1].position))

    # ---- the whole
    async def play(self, count: int) -> Counter[str]:
        """Let them work, come to rest, and reckon."""
        slots = [(name, "x", self.random.choice((2, 5, 30))) for name in ENDPOINTS]
        await self.again(lambda: self.stores[0].write("set_endpoint", *slots))
        hands = [asyncio.create_task(self.work(bench)) for bench in self.benches for _ in range(4 // len(self.benches))]
        hands += [asyncio.create_task(self.relay(self.stores[place % len(self.stores)])) for place in range(2)]
        meddler = asyncio.create_task(self.meddle())
        makers = asyncio.gather(*(self.produce(name, count) for name in "pq"))
        try:
            await self._guarded(makers, [*hands, meddler])
            await self.sleep(CALM_MS // 4)
            self.calm = True
            await meddler
            for name in ENDPOINTS:
                await self.stores[0].write("resume_endpoint", (name,))
            await self._rest(hands)
        finally:
            self.stop.set()
            for hand in (meddler, *hands):
                hand.cancel()
            makers.cancel()
            await asyncio.gather(makers, meddler, *hands, return_exceptions=True)
        await self._reckon()
        return self.counts

    @staticmethod
    async def _guarded(work: asyncio.Future[Any], hands: list[asyncio.Task[None]]) -> None:
        """Wait for the work; a hand that found something ends the round."""
        await asyncio.wait([work, *hands], return_when=asyncio.FIRST_COMPLETED)
        while not work.done():
            for hand in hands:
                if hand.done():
                    hand.result()
            await asyncio.sleep(0.001)
        work.result()

    async def _rest(self, hands: list[asyncio.Task[None]]) -> None:
        """Until nothing is due, numbered and read is everything."""
        for _ in range(2000):
            for hand in hands:
                if hand.done():
                    hand.result()
            await self.sleep(10)
            lanes = await self._table("SELECT 1 FROM lanes")
            unread = await self._table("SELECT 1 FROM events WHERE position IS NULL")
            total = (await self._table("SELECT count(*) FROM events"))[0][0]
            if not lanes and not unread and len({one[:2] for one in self.consumed}) >= total:
                return
        raise Violation(f"stuck: {len(lanes)} lanes, {len(unread)} events without a position")

    async def _table(self, sql: str) -> list[tuple[Any, ...]]:
        runner = self.stores[0].runner
        inner = runner.inner if isinstance(runner, Watched) else runner
        if isinstance(inner, Sqlite):
            return await inner.script(lambda connection: [tuple(row) for row in connection.execute(sql)])
        must(isinstance(inner, Postgres), "a third engine")
        async with inner._open().acquire() as connection:  # type: ignore[attr-defined]  # a Postgres, as asked above
            return [tuple(row) for row in await connection.fetch(sql)]

    async def _reckon(self) -> None:
        derived = await self._table(DERIVED)
        lanes = await self._table("SELECT endpoint, subject, head FROM lanes")
        must(sorted(derived) == sorted(lanes), f"I2: lanes {lanes}, heads {derived}")
        for identifier, attempts in await self._table(
            "SELECT d.id, (SELECT count(*) FROM attempts a WHERE a.delivery = d.id) FROM deliveries d"
        ):
            must(attempts == self.accepted[identifier], "I3: attempts and accepted outcomes differ")
        gaps = await self._table(
            "SELECT s.id FROM subjects s WHERE s.sequence <> (SELECT count(*) FROM events e WHERE e.subject = s.id)"
            " OR s.sequence <> (SELECT max(e.sequence) FROM events e WHERE e.subject = s.id)"
        )
        must(not gaps, "I4: a sequence has a gap")
        rows = await self._table("SELECT subject, sequence, position FROM events ORDER BY position")
        must([row[2] for row in rows] == list(range(1, len(rows) + 1)), "I4: positions have a hole")
        seen: Counter[str] = Counter()
        for subject, sequence, _ in self.consumed:
            must(sequence <= seen[subject] + 1, "I4: an event was read before an earlier one of its subject")
            seen[subject] = max(seen[subject], sequence)
        must({one[:2] for one in self.consumed} == {row[:2] for row in rows}, "I4: an event was not read")
        twice = await self._table(
            "SELECT message, endpoint FROM deliveries GROUP BY message, endpoint HAVING count(*) > 1"
        )
        must(not twice, "I5: a message is owed twice")
        self.counts["events"] = len(rows)
        self.counts["deliveries"] = len(self.known)
