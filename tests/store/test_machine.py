"""Random histories of one process over the store, on a virtual clock: what must always hold (``store.md`` §6).

- **I1** one live lease per lane; no claim past an open predecessor, past a requirement that is not delivered, or at an endpoint
  that is paused, quiet or full.
- **I2** the lanes are the heads that the deliveries say, wherever nobody is sending.
- **I3** every accepted outcome is one attempt; a stale one changes nothing and is told; one within its lease is accepted.
- **I4** a subject's sequence counts its events; positions have no hole and keep each subject's order.
- **I5** one key is one stored unit: the same content replays, other content conflicts.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from gateway.store import claim as engine
from gateway.store import journal
from gateway.store.engine import Sqlite
from gateway.store.settlement import Claim, EndpointEffect
from gateway.store.unit import Committed, DeliveryMove, InFlight, Key, KeyConflict, MatterConflict, Replayed
from tests.store.bench import LEASE_MS, Bench, VirtualClock, opened

T = TypeVar("T")

ENDPOINTS = ("a", "b")
SLOTS = 3
ENDS = ("delivered", "relayed", "rejected", "dead", "in_doubt", "pending")
MOVES = {
    "pending": ("cancelled",),
    "rejected": ("pending",),
    "dead": ("pending",),
    "in_doubt": ("delivered", "pending", "rejected"),
    "relayed": ("delivered", "rejected", "pending"),
}


class Machine(RuleBasedStateMachine):
    """The hands of a process, and one that dies and comes back."""

    migrated: ClassVar[Path]
    cases = Bundle("cases")
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.room = Path(tempfile.mkdtemp(prefix="machine-"))
        self.path = Path(shutil.copy(self.migrated, self.room / "gateway.db"))
        self.clock = VirtualClock()
        self.made = 0
        self.tokens = 0
        self.accepted = 0
        self.stored: dict[str, tuple[bytes, str]] = {}
        self.leases: dict[str, int] = {}
        self.open()
        self.run(self.bench.endpoints(*ENDPOINTS, slots=SLOTS))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    def open(self) -> None:
        self.bench = Bench(self.run(opened(self.path, self.clock)), self.clock)
        self.script(lambda connection: connection.execute("PRAGMA synchronous=OFF"))

    def script(self, work: Callable[[sqlite3.Connection], T]) -> T:
        runner = self.bench.store.runner
        assert isinstance(runner, Sqlite)
        found: T = self.run(runner.script(work))
        return found

    def teardown(self) -> None:
        self.run(self.bench.store.close())
        self.runner.close()
        shutil.rmtree(self.room)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.script(lambda connection: [tuple(row) for row in connection.execute(sql)])

    # ---- what an upstream does

    @rule(
        target=cases,
        endpoints=st.sets(st.sampled_from(ENDPOINTS)),
        key=st.sampled_from(["", "k1", "k2"]),
        body=st.sampled_from([b"x", b"y"]),
    )
    def post(self, endpoints: set[str], key: str, body: bytes) -> str:
        self.made += 1
        name = f"case_{self.made:03}"
        unit = self.bench.case(name, sorted(endpoints))
        if key:
            unit.keys.append(Key("up", key, body, name, b"answer of " + name.encode()))
        outcome = self.run(self.bench.commit(unit))
        if key in self.stored:
            digest, first = self.stored[key]
            if digest == body:
                assert outcome == Replayed(b"answer of " + first.encode(), first)
            else:
                assert outcome == KeyConflict(first, business=False)
            return first
        assert outcome == Committed(1)
        if key:
            self.stored[key] = (body, name)
        return name

    @rule(twins=st.integers(2, 6), key=st.sampled_from(["t1", "t2"]))
    def post_twins_at_once(self, twins: int, key: str) -> None:
        self.made += 1
        names = [f"case_{self.made:03}_{place}" for place in range(twins)]
        units = [self.bench.case(name, ["a"], keys=[Key("up", key, b"x", name, name.encode())]) for name in names]

        async def at_once() -> list[Any]:
            return await asyncio.gather(*(self.bench.commit(unit) for unit in units))

        outcomes = self.run(at_once())
        first = self.stored.get(key, (b"", ""))[1] or names[0]
        expected: list[Any] = [Replayed(first.encode(), first)] * twins
        if key not in self.stored:
            expected[0] = Committed(1)
            self.stored[key] = (b"x", names[0])
        assert outcomes == expected

    @rule(case=cases)
    def post_the_same_business_again(self, case: str) -> None:
        unit = self.bench.case(f"{case}_again", matters=[self.bench.matter(f"{case}_again", key=case)])
        assert self.run(self.bench.commit(unit)) == MatterConflict("case", case)

    @rule(
        case=cases,
        endpoint=st.sampled_from(ENDPOINTS),
        needs=st.booleans(),
        first=st.booleans(),
        safe=st.sampled_from([None, 60_000, 600_000]),
    )
    def follow(self, case: str, endpoint: str, needs: bool, first: bool, safe: int | None) -> None:
        more: dict[str, Any] = {"overtakes": first}
        if needs:
            held = [one for one in self.deliveries().values() if (one["endpoint"], one["subject"]) == (endpoint, case)]
            held.sort(key=lambda one: one["sequence"])
            more["requires"] = held[-1]["id"] if held else None
        if safe is not None:
            more |= {"retry_class": "statutory", "safe_at": self.clock() + safe}
        self.run(self.bench.follow(case, endpoint, **more))

    # ---- what the workers do

    @rule(target=claims, batch=st.integers(1, 8))
    def claim(self, batch: int) -> tuple[Claim, ...]:
        self.tokens += 1  # from a counter: a history must play the same way twice
        leases, ready = dict.fromkeys(ENDPOINTS, LEASE_MS), frozenset(ENDPOINTS)
        claims = tuple(self.run(self.bench.store.run(engine.claim, batch, self.tokens, leases, ready)))
        assert len(claims) <= batch
        deliveries = self.deliveries()
        endpoints = {row["name"]: row for row in self.run(self.bench.store.rows("all_endpoints"))}
        for claim in claims:
            assert self.leases.get(self.lane(claim), 0) <= self.clock()
            self.leases[self.lane(claim)] = self.clock() + LEASE_MS
            row = endpoints[claim.endpoint]
            assert not row["paused"]
            assert row["quiet_until"] <= self.clock()
            own = deliveries[claim.delivery]
            assert own["state"] == "pending"
            assert own["requires"] is None or deliveries[own["requires"]]["state"] == "delivered"
            if claim.lost == 0:  # one whose sender died keeps its place: it may have been sent
                before = [
                    one
                    for one in self.candidates(deliveries, own["endpoint"], own["subject"])
                    if self.order(one) < self.order(own)
                ]
                assert before == []
        for name in ENDPOINTS:
            live = sum(until > self.clock() for lane, until in self.leases.items() if lane.startswith(name))
            assert live <= SLOTS
        return claims

    @rule(
        claims=claims,
        place=st.integers(0, 7),
        end=st.sampled_from(ENDS),
        failed=st.sampled_from([None, True, False]),
        wait=st.sampled_from([0, 500]),
    )
    def settle(self, claims: tuple[Claim, ...], place: int, end: str, failed: bool | None, wait: int) -> None:
        if place >= len(claims):
            return
        claim = claims[place]
        ((head, token),) = self.rows(
            f"SELECT head, token FROM lanes WHERE endpoint = '{claim.endpoint}' AND subject = '{claim.subject}'"  # noqa: S608 -- ids of this machine's own making
        ) or [(None, None)]
        holds = (head, token) == (claim.delivery, claim.token)
        before = self.everything()
        effect = EndpointEffect(failed=failed, hush_ms=wait if failed else 0)
        told = self.run(
            self.bench.settle(claim, end, wait_ms=wait, step=claim.step + (end == "pending"), effect=effect)
        )
        assert told == holds
        if holds:
            self.accepted += 1
            self.leases.pop(self.lane(claim), None)
        else:
            assert self.everything() == before

    @rule(ms=st.sampled_from([1, 400, 20_000, LEASE_MS]))
    def pass_time(self, ms: int) -> None:
        self.clock.pass_ms(ms)

    @rule()
    def die_and_come_back(self) -> None:
        self.run(self.bench.store.close())
        self.leases.clear()
        self.open()

    @rule(limit=st.integers(1, 5))
    def number(self, limit: int) -> None:
        self.run(self.bench.store.run(journal.number, limit))

    # ---- what others do

    @precondition(lambda self: self.made > 0)
    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        movable = [one for one in self.deliveries().values() if one["state"] in MOVES]
        if not movable:
            return
        chosen = data.draw(
            st.sampled_from(sorted(movable, key=lambda one: (one["subject"], one["endpoint"], one["sequence"])))
        )
        after = data.draw(st.sampled_from(MOVES[chosen["state"]]))
        lane = f"{chosen['endpoint']}/{chosen['subject']}"
        flying = self.leases.get(lane, 0) > self.clock() and self.rows(
            f"SELECT 1 FROM lanes WHERE head = '{chosen['id']}' AND token IS NOT NULL"  # noqa: S608 -- ours
        )
        fresh = data.draw(st.booleans())
        outcome = self.run(
            self.bench.move(
                chosen["subject"], DeliveryMove(chosen["id"], chosen["endpoint"], chosen["state"], after, fresh=fresh)
            )
        )
        if flying:
            assert outcome == InFlight()
        else:
            assert isinstance(outcome, Committed)
            if self.leases.get(lane, 0) <= self.clock():
                self.leases.pop(lane, None)

    @rule(endpoint=st.sampled_from(ENDPOINTS), paused=st.booleans())
    def pause_or_resume(self, endpoint: str, paused: bool) -> None:
        statement, row = ("pause_endpoint", (endpoint, "op", "x")) if paused else ("resume_endpoint", (endpoint,))
        self.run(self.bench.store.write(statement, row))

    # ---- what must hold

    def deliveries(self) -> dict[str, dict[str, Any]]:
        names = "id, endpoint, subject, sequence, first, requires, state, next_at, safe_at, attempts"
        found = self.rows(f"SELECT {names} FROM deliveries")  # noqa: S608 -- our own names
        return {row[0]: dict(zip(names.split(", "), row, strict=True)) for row in found}

    @staticmethod
    def order(delivery: dict[str, Any]) -> tuple[int, int]:
        return -delivery["first"], delivery["sequence"]

    @staticmethod
    def lane(claim: Claim) -> str:
        return f"{claim.endpoint}/{claim.subject}"

    def candidates(self, deliveries: dict[str, dict[str, Any]], endpoint: str, subject: str) -> list[dict[str, Any]]:
        mine = [one for one in deliveries.values() if (one["endpoint"], one["subject"]) == (endpoint, subject)]
        free = [
            one
            for one in mine
            if one["state"] == "in_doubt"
            or (
                one["state"] == "pending"
                and (one["requires"] is None or deliveries[one["requires"]]["state"] == "delivered")
            )
        ]
        return sorted(free, key=self.order)

    def everything(self) -> list[list[tuple[Any, ...]]]:
        tables = ("deliveries", "attempts", "events", "subjects", "tasks", "endpoints", "lanes")
        return [self.rows(f"SELECT * FROM {name} ORDER BY 1, 2") for name in tables]  # noqa: S608 -- ours

    @invariant()
    def the_lanes_are_the_heads(self) -> None:
        deliveries = self.deliveries()
        lanes = {
            (row[0], row[1]): row[2:]
            for row in self.rows("SELECT endpoint, subject, head, due_at, safe_at, tries, token FROM lanes")
        }
        heads: dict[tuple[str, str], tuple[Any, ...]] = {}
        by_lane: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for one in deliveries.values():
            by_lane[one["endpoint"], one["subject"]].append(one)
        for lane, mine in by_lane.items():
            free = self.candidates(deliveries, *lane)
            if free and free[0]["state"] == "pending":
                safe = min(
                    (one["safe_at"] for one in mine if one["state"] == "pending" and one["safe_at"] is not None),
                    default=None,
                )
                heads[lane] = (free[0]["id"], free[0]["next_at"], safe, free[0]["attempts"], None)
        idle = {lane: row for lane, row in lanes.items() if row[-1] is None}
        flying = lanes.keys() - idle.keys()
        assert idle == {lane: head for lane, head in heads.items() if lane not in flying}

    @invariant()
    def accepted_outcomes_are_attempts(self) -> None:
        assert self.rows("SELECT count(*) FROM attempts") == [(self.accepted,)]

    @invariant()
    def sequences_count_events_and_positions_have_no_hole(self) -> None:
        assert (
            self.rows(
                "SELECT s.id FROM subjects s WHERE s.sequence <> (SELECT count(*) FROM events e WHERE e.subject = s.id)"
                " OR s.sequence <> (SELECT max(e.sequence) FROM events e WHERE e.subject = s.id)"
            )
            == []
        )
        found = self.rows("SELECT position, subject, sequence FROM events WHERE position IS NOT NULL ORDER BY position")
        assert [row[0] for row in found] == list(range(1, len(found) + 1))
        last: dict[str, int] = {}
        for _, subject, sequence in found:
            assert sequence == last.get(subject, 0) + 1
            last[subject] = sequence

    @invariant()
    def one_key_is_one_unit(self) -> None:
        kept = self.rows("SELECT key, about FROM idempotency_keys ORDER BY key")
        assert kept == sorted((key, about) for key, (_, about) in self.stored.items())
        assert self.rows("SELECT count(*) FROM matters WHERE kind = 'case'") == self.rows(
            "SELECT count(*) FROM subjects"
        )


@pytest.fixture
def machine(migrated: Path) -> type[Machine]:
    return type("OverThisDatabase", (Machine,), {"migrated": migrated})


def test_no_history_breaks_what_must_hold(machine: type[Machine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12,
            derandomize=True,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
            print_blob=True,
        ),
    )
