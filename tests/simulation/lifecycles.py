"""Histories that nobody would write down, step by step: deliveries, calls and cases through the real flow over the real store.

Nothing runs by itself: each rule is one thing that may happen next, and every order of them is allowed. After each the
invariants of ``watch.py`` hold, no state has gone a way that is not drawn in ``design.md`` §5, and in the end everything can
still be brought to rest.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Coroutine
from random import Random
from typing import Any, Final, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from contracts.messages import MessageType
from gateway.flow.house import House
from gateway.flow.moving.order import Order, Refused
from gateway.flow.operating.operate import Operator
from gateway.flow.timing.reminders import remind_of_words
from gateway.store.settlement import Claim
from tests.seam import documents
from tests.simulation.loop import VirtualLoop
from tests.simulation.many import quiet
from tests.simulation.network import FAULTS
from tests.simulation.platforms import ASKED, BYTES, IDS, Ledger, Word
from tests.simulation.world import CLIENT, World, void

T = TypeVar("T")
M = MessageType

_DAY_S: Final = 86_400.0
_ROUNDS: Final = 300
_POINTS: Final = ("claimed", "translated", "answered", "before_settle", "settled")

DELIVERY: Final[dict[str, frozenset[str]]] = {
    "pending": frozenset(
        {"relayed", "delivered", "rejected", "dead", "in_doubt", "cancelled", "superseded", "expired"}
    ),
    "relayed": frozenset({"delivered", "rejected", "pending", "in_doubt"}),
    "in_doubt": frozenset({"delivered", "relayed", "rejected", "pending"}),
    "rejected": frozenset({"pending", "superseded", "cancelled", "delivered"}),
    "dead": frozenset({"pending", "superseded", "cancelled", "delivered", "rejected"}),
    "expired": frozenset({"pending", "superseded", "cancelled", "delivered", "rejected"}),
    "delivered": frozenset(),
    "cancelled": frozenset(),
    "superseded": frozenset(),
}
"""Where a delivery may go in one step. A platform's later word is truer than our having given up."""

CALLBACK: Final[dict[str, frozenset[str]]] = {
    "stored": frozenset({"applied", "duplicate", "orphan", "unreadable"}),
    "orphan": frozenset({"applied", "duplicate", "unreadable"}),
    "applied": frozenset(),
    "duplicate": frozenset(),
    "unreadable": frozenset(),
}


class _ByHand(World):
    """A world whose platforms say nothing until they are told to, and whose process does nothing by itself."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.words: list[tuple[str, Word]] = []
        self.dies_at: str | None = None
        self.came = asyncio.Event()
        super().__init__(0, loop, None, hands=False)
        self.calm = True

    def _ledger(self, name: str) -> Ledger:
        made = super()._ledger(name)
        made.say = lambda word, after: self.words.append((name, word))
        return made

    async def _reach(self, point: str) -> None:
        if point == self.dies_at:
            self.dies_at = None
            self.came.set()
            await asyncio.Event().wait()


class Lifecycles(RuleBasedStateMachine):
    """Everything that may happen next."""

    def __init__(self) -> None:
        super().__init__()
        quiet()
        from tests.simulation.world import _born

        self.loop = VirtualLoop(_born)
        asyncio.set_event_loop(self.loop)
        self.world = _ByHand(self.loop)
        self.orders: dict[str, Order] = {}
        self.out: list[Claim] = []
        self.states: dict[str, str] = {}
        self.calls: dict[str, str] = {}

    @initialize()
    def start(self) -> None:
        self.run(self.world.rise())

    def teardown(self) -> None:
        try:
            if self.world.process is not None and not self.world.watcher.violations:
                self.comes_to_rest()
        finally:
            if self.world.process is not None:
                self.run(self.world.process.kill())
            self.loop.close()
            asyncio.set_event_loop(None)
            self.world.db.close()
            shutil.rmtree(self.world.data, ignore_errors=True)

    # ---- how it is done
    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def ask(self, what: Callable[[House], Awaitable[T]]) -> T:
        return self.run(self.world.call(what))

    @property
    def house(self) -> House:
        assert self.world.process is not None
        assert self.world.process.house is not None
        return self.world.process.house

    def rows(self, sql: str, *values: object) -> list[Any]:
        return self.world.db.execute(sql, values).fetchall()

    def fall(self) -> None:
        """The process dies, with every claim that it had, and another one comes."""
        self.out.clear()
        self.run(self.world.fall())

    def post(self, key: str, kind: MessageType, raw: bytes, target: str | None = None, **more: Any) -> None:
        order = self.orders.setdefault(key, Order(kind, CLIENT, raw, target, key, **more))
        refused = None
        try:
            accepted = self.ask(lambda house: house.intake.take(order))
        except Refused as refusal:
            refused = refusal
        if refused is not None:
            assert 400 <= refused.status < 500, refused.code
            assert key not in self.world.acks, f"{key} was acknowledged, and is refused now"
            return
        known = self.world.acks.setdefault(key, (kind.value, accepted.about, accepted.answer))
        assert known == (kind.value, accepted.about, accepted.answer), f"{key}: one key, two answers"

    def matters(self, kind: str) -> list[str]:
        return [row["id"] for row in self.rows("SELECT id FROM matters WHERE kind = ? ORDER BY id", kind)]

    @staticmethod
    def pick(found: list[T], place: int) -> T | None:
        """One of them; ``None``: there is none, and the rule does nothing (to give the history up would waste it)."""
        return found[place % len(found)] if found else None

    # ---- what an upstream does
    @rule(number=st.integers(1, 3), key=st.sampled_from("ab"))
    def case(self, number: int, key: str) -> None:
        self.post(f"{number}-case-{key}", M.CASE_SUBMITTED, documents.case(f"370102-LX001-2026-{number:05d}"))

    @rule(place=st.integers(0, 5), status=st.sampled_from(["mediating", "withdrawn", "closed"]))
    def step(self, place: int, status: str) -> None:
        case = self.pick(self.matters("case"), place)
        if case is None:
            return
        self.post(f"{case}-{status}", M.CASE_PROGRESSED, documents.progress(status), case)

    @rule(place=st.integers(0, 5), text=st.integers(0, 3))
    def revise(self, place: int, text: int) -> None:
        numbers = {
            about: key.partition("-")[0]
            for key, (kind, about, _) in self.world.acks.items()
            if kind == M.CASE_SUBMITTED
        }
        case = self.pick(sorted(numbers), place)
        if case is None:
            return
        version = self.rows("SELECT version FROM matters WHERE id = ?", case)[0]["version"]
        number = f"370102-LX001-2026-{int(numbers[case]):05d}"
        raw = documents.case(number, facts=f"自2026年6月起未付工资（{text}）")
        key = f"{case}-revised-{version}-{text}"
        self.post(key, M.CASE_REVISED, raw, case, revises=True, if_match=version)

    @rule(place=st.integers(0, 5))
    def agree(self, place: int) -> None:
        case = self.pick(self.matters("case"), place)
        if case is None:
            return
        if f"{case}-agreement" not in self.orders:
            paper = self.ask(
                lambda house: house.attachments.keep(
                    "client:operator", "mediation_agreement", "协议.pdf", documents.PDF
                )
            )
            raw = documents.agreement(paper.id, agreement_no=f"历下劳人调〔2026〕{len(self.orders)}号")
            self.orders[f"{case}-agreement"] = Order(M.AGREEMENT_CONCLUDED, CLIENT, raw, case, f"{case}-agreement")
        self.post(f"{case}-agreement", M.AGREEMENT_CONCLUDED, b"", case)

    @rule(place=st.integers(0, 5), again=st.booleans())
    def confirm(self, place: int, again: bool) -> None:
        agreement = self.pick(self.matters("agreement"), place)
        if agreement is None:
            return
        key = f"{agreement}-confirm-{again}"
        self.post(key, M.CONFIRMATION_REQUESTED, documents.confirmation(), agreement)

    @rule(place=st.integers(0, 30))
    def post_again(self, place: int) -> None:
        key = self.pick(sorted(self.orders), place)
        if key is None:
            return
        order = self.orders[key]
        self.post(key, order.type, order.raw, order.target)

    # ---- what the hands do
    @rule(kind=st.sampled_from(["answer", "answer", *FAULTS]), most=st.integers(1, 4))
    def deliver(self, kind: str, most: int) -> None:
        claims = self.ask(lambda house: house.worker._deliverer.take(most))
        self.world.networks[-1].next = kind
        for claim in claims:
            self.ask(lambda house, claim=claim: house.worker._deliverer.bring(claim))  # type: ignore[misc]  # bound now

    @rule(most=st.integers(1, 3))
    def claim_only(self, most: int) -> None:
        self.out += self.ask(lambda house: house.worker._deliverer.take(most))

    @precondition(lambda self: self.out)
    @rule(kind=st.sampled_from(["answer", "reset_after", "silent_after", "refuse"]), late=st.booleans())
    def bring_later(self, kind: str, late: bool) -> None:
        """What was claimed is brought, perhaps when its lease is long over and another one has the lane."""
        claim = self.out.pop(0)
        if late:
            self.pass_time(15.0)
            self.out += self.ask(lambda house: house.worker._deliverer.take(4))
        self.world.networks[-1].next = kind
        self.ask(lambda house: house.worker._deliverer.bring(claim))

    @rule()
    def crash(self) -> None:
        self.fall()

    @rule(point=st.sampled_from(_POINTS), kind=st.sampled_from(["answer", "reset_after", "refuse"]))
    def crash_on_the_way(self, point: str, kind: str) -> None:
        self.world.dies_at, self.world.networks[-1].next = point, kind
        self.world.came.clear()
        deliverer, process = self.house.worker._deliverer, self.world.process

        async def until_it_dies() -> None:
            assert process is not None
            for claim in await deliverer.take(1):
                bringing = process.spawn(deliverer.bring(claim))
                coming = asyncio.ensure_future(self.world.came.wait())
                await asyncio.wait([bringing, coming], return_when=asyncio.FIRST_COMPLETED)
                coming.cancel()

        self.run(until_it_dies())
        self.world.dies_at = None
        self.fall()

    @rule()
    def relay(self) -> None:
        self.ask(lambda house: house.worker._relay.turn())

    @rule()
    def apply(self) -> None:
        self.ask(lambda house: house.worker._applier.turn())

    @rule(kind=st.sampled_from(["answer", "stall", "deny"]))
    def poll(self, kind: str) -> None:
        for poller in self.house.worker._pollers:
            self.ask(lambda house, poller=poller: poller.turn())  # type: ignore[misc]  # bound now
        void(kind)

    @rule()
    def watch(self) -> None:
        self.ask(lambda house: house.store.run(remind_of_words, house.store))
        self.ask(lambda house: house.worker._alarms.turn())

    @rule(seconds=st.sampled_from([0.6, 3.0, 30.0, 3_600.0, 2 * _DAY_S, 40 * _DAY_S]))
    def time_goes_by(self, seconds: float) -> None:
        self.pass_time(seconds)

    def pass_time(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    # ---- what the platforms say
    @precondition(lambda self: self.world.words)
    @rule(place=st.integers(0, 30), keep=st.booleans(), times=st.integers(1, 3))
    def word(self, place: int, keep: bool, times: int) -> None:
        """One of the words that are to be said, whichever; perhaps several times, perhaps again later."""
        name, word = self.world.words[place % len(self.world.words)]
        for _ in range(times):
            self.say(name, word)
        if not keep:
            self.world.words.remove((name, word))

    def say(self, name: str, word: Word) -> None:
        nonce = f"{self.loop.time():.6f}-{len(self.world.heard)}-{self.world.chance.getrandbits(48):x}"
        if self.run(self.world.call_in(name, word, nonce)) == 200:
            self.world.heard.add((name, word.event))

    @rule(place=st.integers(0, 10), word=st.sampled_from(["VOID", "BOUND", "TAKEN"]))
    def another_final_word(self, place: int, word: str) -> None:
        """The platform decides, and perhaps decides otherwise than it had."""
        ledger = self.world.ledgers[IDS]
        booking = self.pick([one for one in ledger.booked if one.thing[0] == "T6"], place)
        if booking is None:
            return
        said = ledger._word(word, "confirmation", number=booking.number)
        self.say(IDS, said)

    # ---- what an operator does
    @rule(place=st.integers(0, 10), act=st.sampled_from(["redrive", "cancel", "resolve"]))
    def operate(self, place: int, act: str) -> None:
        states = {"redrive": ("rejected", "dead", "expired"), "cancel": ("dead", "rejected"), "resolve": ("in_doubt",)}
        marks = ", ".join(f"'{state}'" for state in states[act])
        row = self.pick(self.rows(f"SELECT id, endpoint FROM deliveries WHERE state IN ({marks}) ORDER BY id"), place)  # noqa: S608 -- our own words
        if row is None:
            return
        hands = Operator(self.house.store, self.house.bells.committed)
        if act == "redrive":
            self.ask(lambda house: hands.redrive(CLIENT, row["id"], "once more"))
        elif act == "cancel":
            self.ask(lambda house: hands.cancel(CLIENT, row["id"], "given up"))
        else:
            self.pass_time(2.0)  # what was on its way has arrived
            ledger = self.world.ledgers[row["endpoint"]]
            if not any(one.refused for one in ledger.booked if one.id == row["id"]):
                self.ask(lambda house: hands.resolve(CLIENT, row["id"], bool(ledger.of(row["id"])), "telephone"))

    @rule(name=st.sampled_from([IDS, ASKED, BYTES]), stop=st.booleans())
    def pause_or_resume(self, name: str, stop: bool) -> None:
        hands = Operator(self.house.store, self.house.bells.committed)
        if stop:
            self.ask(lambda house: hands.pause(CLIENT, name, "a window of maintenance"))
        else:
            self.ask(lambda house: hands.resume(CLIENT, name, "healed"))

    # ---- what must always hold
    @invariant()
    def nothing_is_violated(self) -> None:
        if self.world.process is not None:
            self.world.watcher.audit(self.world, final=False)
        assert self.world.watcher.violations == []

    @invariant()
    def no_state_goes_an_undrawn_way(self) -> None:
        for row in self.rows("SELECT id, state, endpoint FROM deliveries"):
            before = self.states.setdefault(row["id"], row["state"])
            if before != row["state"]:
                reached = _reachable(DELIVERY, before)
                assert row["state"] in reached, f"{row['endpoint']}: {before} became {row['state']}"
                self.states[row["id"]] = row["state"]
        for row in self.rows("SELECT id, state FROM callbacks"):
            before = self.calls.setdefault(row["id"], row["state"])
            assert row["state"] == before or row["state"] in _reachable(CALLBACK, before)
            self.calls[row["id"]] = row["state"]

    # ---- and in the end
    def comes_to_rest(self) -> None:
        """Without further trouble everything is settled, but what was cancelled and what waits for that."""
        self.out.clear()
        self.world.networks[-1].next = None
        for ledger in self.world.ledgers.values():
            ledger.trouble = False
        chance = Random(0)
        for _ in range(_ROUNDS):
            for name, word in self.world.words:
                if (name, word.event) not in self.world.heard:
                    self.say(name, word)
            self.poll("answer")
            while self.ask(lambda house: house.worker._applier.turn()):
                pass
            while self.ask(lambda house: house.worker._relay.turn()):
                pass
            self.ask(lambda house: self.world.round(house, chance))
            while claims := self.ask(lambda house: house.worker._deliverer.take(20)):
                for claim in claims:
                    self.ask(lambda house, claim=claim: house.worker._deliverer.bring(claim))  # type: ignore[misc]  # bound now
            self.nothing_is_violated()
            self.no_state_goes_an_undrawn_way()
            if not self.left():
                break
            self.pass_time(4.0)
        assert self.left() == []
        order = list(self.world.watcher._order())
        assert order == [], order

    def left(self) -> list[str]:
        """What is still under way."""
        rows = self.rows(
            "SELECT id, endpoint, subject, sequence, state, requires, code FROM deliveries ORDER BY sequence"
        )
        given_up = {row["id"] for row in rows if row["state"] == "cancelled"}
        found = []
        for row in rows:
            if row["requires"] in given_up and row["state"] == "pending":
                given_up.add(row["id"])
            elif row["state"] not in ("delivered", "superseded", "cancelled"):
                found.append(f"{row['endpoint']} {row['id']} is {row['state']} ({row['code']})")
        calls = "SELECT endpoint FROM callbacks WHERE state = 'stored'"
        return found + [f"{row['endpoint']}: a call is not applied" for row in self.rows(calls)]


def _reachable(ways: dict[str, frozenset[str]], state: str) -> frozenset[str]:
    """One rule may hold several steps: everything that can be reached by drawn ways."""
    found, ahead = set[str](), [state]
    while ahead:
        for step in ways[ahead.pop()]:
            if step not in found:
                found.add(step)
                ahead.append(step)
    return frozenset(found)
