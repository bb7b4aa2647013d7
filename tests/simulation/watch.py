"""The invariants: asked inside the engine's own transactions, where the answer is exact, and of the store at quiet moments.

I1 nothing acknowledged is missing; I2 one effect per delivery; I3 never delivered without the platform's booking; I4 order in
a lane, status never backward; I5 keys, words and events once, without gaps (``reliability.md`` §2, ``store.md`` §6).
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from contracts.status import Noun, legal_steps
from gateway.flow.moving.envelope import INTERNAL
from tests.simulation.platforms import Ledger

if TYPE_CHECKING:
    from tests.simulation.world import World

_BEFORE_PERSON = ("in_doubt", "rejected", "dead", "expired")
_OUT_OF_TURN = tuple(f"delivery.{state}" for state in ("pending", "rejected", "dead", "expired"))
_MOST = 20


@cache
def _reachable(noun: str, status: str) -> frozenset[str]:
    """Every status that may still follow, in any number of steps, and itself."""
    found, ahead = {status}, [status]
    while ahead:
        for step in legal_steps(noun, ahead.pop()):
            if step.value not in found:
                found.add(step.value)
                ahead.append(step.value)
    return frozenset(found)


class Watcher:
    """Collects what should never be."""

    def __init__(self, ledgers: dict[str, Ledger], db: sqlite3.Connection, now_ms: Callable[[], int]) -> None:
        self._ledgers = ledgers
        self._db = db
        self._now_ms = now_ms
        self.violations: list[str] = []
        self.checked: Counter[str] = Counter()

    def violated(self, what: str) -> None:
        """Remember it."""
        if what not in self.violations and len(self.violations) < _MOST:
            self.violations.append(what)

    # ---- inside the transactions
    def look(self, db: sqlite3.Connection, statement: str, row: tuple[Any, ...]) -> None:
        """One row of one statement, before it is executed."""
        match statement:
            case "load_claimed":
                self._claimed(row[0])
            case "settle_delivery" if row[1] in ("delivered", "relayed"):
                self._has_it(row[0], row[1])
            case "move_delivery" if row[2] in ("delivered", "relayed"):
                self._has_it(row[0], row[2])
            case "release_lane":
                held = db.execute(
                    "SELECT count(*) FROM lanes WHERE endpoint=? AND subject=? AND token=?", row
                ).fetchone()
                if held[0] != 1:
                    self.violated(f"I1 {row[0]}: an outcome was written by one who does not hold the lane")
            case "move_matter":
                self._forward(row[0], row[1])

    def _claimed(self, identifier: str) -> None:
        """The head that was claimed is the one that the lane's rule names, and its endpoint is open."""
        self.checked["claims"] += 1
        ask = self._db.execute
        lane = ask("SELECT * FROM lanes WHERE head = ?", (identifier,)).fetchone()
        mine = ask("SELECT * FROM deliveries WHERE id = ?", (identifier,)).fetchone()
        if lane["tries"] <= mine["attempts"] + 1:  # else: the head of a dead claim keeps its place
            head = self._head(mine["endpoint"], mine["subject"])
            if head != identifier:
                self.violated(f"I4 {mine['endpoint']}: {identifier} was claimed before its turn")
        if mine["state"] != "pending":
            self.violated(f"I1 {identifier}: claimed though {mine['state']}")
        if mine["requires"] is not None and lane["tries"] <= mine["attempts"] + 1:
            needed = ask("SELECT state FROM deliveries WHERE id = ?", (mine["requires"],)).fetchone()
            if needed["state"] != "delivered":
                self.violated(f"I4 {mine['endpoint']}: {identifier} was claimed, what it requires is {needed['state']}")
        endpoint = ask("SELECT * FROM endpoints WHERE name = ?", (mine["endpoint"],)).fetchone()
        if endpoint["paused"] or endpoint["quiet_until"] > self._now_ms():
            self.violated(f"I1 {mine['endpoint']}: claimed though paused or quiet")
        live = ask(
            "SELECT count(*) FROM lanes WHERE endpoint = ? AND lease_until > ?", (mine["endpoint"], self._now_ms())
        ).fetchone()[0]
        if live > endpoint["slots"]:
            self.violated(f"I1 {mine['endpoint']}: {live} in flight, {endpoint['slots']} slots")

    def _head(self, endpoint: str, subject: str) -> str | None:
        rows = self._db.execute(
            "SELECT d.id, d.state, d.requires, r.state AS needed FROM deliveries d LEFT JOIN deliveries r ON r.id = d.requires"
            " WHERE d.endpoint = ? AND d.subject = ? AND d.state IN ('pending', 'in_doubt') ORDER BY d.first DESC, d.sequence",
            (endpoint, subject),
        ).fetchall()
        for row in rows:
            if row["state"] == "in_doubt":
                return None
            if row["requires"] is None or row["needed"] == "delivered":
                return str(row["id"])
        return None

    def _has_it(self, identifier: str, state: str) -> None:
        self.checked["outcomes"] += 1
        row = self._db.execute("SELECT endpoint FROM deliveries WHERE id = ?", (identifier,)).fetchone()
        if not any(one.id == identifier for one in self._ledgers[row["endpoint"]].booked):
            self.violated(f"I3 {row['endpoint']}: {identifier} is called {state}, the platform has nothing")

    def _forward(self, identifier: str, status: str) -> None:
        row = self._db.execute("SELECT kind, status FROM matters WHERE id = ?", (identifier,)).fetchone()
        if row["kind"] in set(Noun) and row["kind"] in ("case", "confirmation", "transfer", "referral"):
            self.checked["moves"] += 1
            if status not in _reachable(row["kind"], row["status"]):
                self.violated(f"I4 {identifier}: went back from {row['status']} to {status}")

    # ---- at quiet moments
    def audit(self, world: World, *, final: bool) -> None:
        """Everything that must hold between two transactions; ``final``: and all that must hold in the end."""
        self.checked["audits"] += 1
        for found in (
            self._acknowledged(world),
            self._effects(),
            self._standing(),
            self._lanes(),
            self._events(world, final=final),
            self._heard(world),
        ):
            for violation in found:
                self.violated(violation)
        if final:
            for violation in (*self.unsettled(), *self._order(), *self._wire(world)):
                self.violated(violation)

    def _acknowledged(self, world: World) -> Iterator[str]:
        owed = {row["id"] for row in self._db.execute("SELECT id FROM deliveries")}
        messages = {(row["type"], row["about"]) for row in self._db.execute("SELECT type, about FROM messages")}
        for key, (kind, about, answer) in world.acks.items():
            deliveries = json.loads(answer)["deliveries"]
            if deliveries and (kind, about) not in messages:  # a step that was made already makes no message
                yield f"I1 {key}: acknowledged, and there is no message"
            for delivery in deliveries:
                if delivery["id"] not in owed:
                    yield f"I1 {key}: acknowledged, and delivery {delivery['id']} is not there"
        doubled = self._db.execute(
            "SELECT business_key FROM matters WHERE kind = 'case' GROUP BY 1 HAVING count(*) > 1"
        )
        for row in doubled:
            yield f"I5 {row[0]}: two cases under one number"

    def _effects(self) -> Iterator[str]:
        for name, ledger in self._ledgers.items():
            things = Counter(one.thing for one in ledger.booked if not one.refused)
            for thing, many in things.items():
                if many > 1:
                    yield f"I2 {name}: {many} effects of {thing[0]} {thing[1]}"
            contents: dict[str, str] = {}
            for one in ledger.booked:
                if contents.setdefault(one.id, one.content) != one.content:
                    yield f"I2 {name}: {one.id} was repeated with other content"
            for identifier in ledger.changed:
                yield f"I2 {name}: {identifier} was repeated with other content"

    def _standing(self) -> Iterator[str]:
        """What is called delivered is there; what stands still stands before a person."""
        tasks = {row["about"] for row in self._db.execute("SELECT about FROM tasks WHERE state = 'open'")}
        for row in self._db.execute("SELECT id, endpoint, state FROM deliveries"):
            if (
                row["state"] == "delivered"
                and not self._ledgers[row["endpoint"]].of(row["id"])
                and row["id"] not in tasks
            ):
                yield f"I3 {row['endpoint']}: {row['id']} is called delivered, the platform has nothing"
            if row["state"] in _BEFORE_PERSON and row["id"] not in tasks:
                yield f"I3 {row['endpoint']}: {row['id']} is {row['state']}, and stands before nobody"

    def _lanes(self) -> Iterator[str]:
        lanes = {(row["endpoint"], row["subject"]): row for row in self._db.execute("SELECT * FROM lanes")}
        open_ones = self._db.execute(
            "SELECT DISTINCT endpoint, subject FROM deliveries WHERE state IN ('pending', 'in_doubt')"
        )
        for name in {*lanes, *((row["endpoint"], row["subject"]) for row in open_ones)}:
            lane = lanes.get(name)
            if lane is not None and lane["token"] is not None:
                continue
            if (None if lane is None else lane["head"]) != self._head(*name):
                yield f"I2 lane {name[0]} of {name[1]}: its head is not what its deliveries say"

    def _events(self, world: World, *, final: bool) -> Iterator[str]:
        rows = self._db.execute("SELECT * FROM events ORDER BY subject, sequence").fetchall()
        sequences: dict[str, list[int]] = defaultdict(list)
        for row in rows:
            sequences[row["subject"]].append(row["sequence"])
        for row in self._db.execute("SELECT id, sequence FROM subjects"):
            if sequences[row["id"]] != list(range(1, row["sequence"] + 1)):
                yield f"I5 {row['id']}: its events have gaps"
        numbered = sorted(
            (row["position"], row["subject"], row["sequence"]) for row in rows if row["position"] is not None
        )
        if [place for place, _, _ in numbered] != list(range(1, len(numbered) + 1)):
            yield "I5 the log has gaps"
        last: dict[str, int] = {}
        for _, subject, sequence in numbered:
            if sequence <= last.get(subject, 0):
                yield f"I5 {subject}: the log goes back"
            last[subject] = sequence
        said = Counter(
            (row["type"], row["about"], facts["endpoint"], facts["at"], "early" in facts)
            for row in rows
            for facts in (json.loads(row["data"]),)
            if row["type"].partition(".")[0] in ("case", "confirmation") and "endpoint" in facts
        )
        for word, many in said.items():
            if many > 1:
                yield f"I5 {word[0]} of {word[1]}: one word was applied {many} times"
        if final:
            yield from self._consumed(world, [row for row in rows if row["type"] not in INTERNAL])

    @staticmethod
    def _consumed(world: World, rows: list[sqlite3.Row]) -> Iterator[str]:
        """The consumer has seen everything, at first sight in order."""
        first: dict[str, int] = {}
        for identifier, position in world.seen:
            first.setdefault(identifier, position)
        positions = list(first.values())
        if positions != sorted(positions):
            yield "I5 the bus went back at first sight"
        for row in rows:
            if row["id"] not in first:
                yield f"I5 {row['id']}: never published"

    def _heard(self, world: World) -> Iterator[str]:
        kept = {
            (row["endpoint"], row["event_id"]) for row in self._db.execute("SELECT endpoint, event_id FROM callbacks")
        }
        for word in sorted(world.heard - kept):
            yield f"I1 {word[0]}: word {word[1]} was answered, and is not there"

    # ---- in the end
    def unsettled(self) -> list[str]:
        """What is still under way, or will be never."""
        ask = self._db.execute
        found = [
            f"liveness: {row['id']} at {row['endpoint']} is {row['state']} ({row['code']}, {row['attempts']} attempts)"
            for row in ask("SELECT * FROM deliveries WHERE state NOT IN ('delivered', 'superseded')")
        ]
        found += [
            f"liveness: callback {row['event_id']} is {row['state']}"  # also before a person: all words are about ours
            for row in ask("SELECT event_id, state FROM callbacks WHERE state IN ('stored', 'orphan', 'unreadable')")
        ]
        if ask("SELECT count(*) FROM events WHERE position IS NULL").fetchone()[0]:
            found.append("liveness: events without a number")
        top = ask("SELECT position FROM log WHERE id = 1").fetchone()[0]
        if top > ask("SELECT coalesce(max(position), 0) FROM marks WHERE consumer = 'broker'").fetchone()[0]:
            found.append("liveness: events that no broker has")
        return found

    def _order(self) -> Iterator[str]:
        """In a lane the first bookings follow the sequence. What once left its turn (redriven, postponed) is left out, and what
        had to wait for such a one, for a platform's word on one, or for a newer version of one: those that need not pass it."""
        told = self._db.execute("SELECT about, type FROM events").fetchall()
        left = {row[0] for row in told if row[1] in _OUT_OF_TURN}
        awaited = left | {row[0] for row in told if row[1] == "delivery.relayed"}
        known = {row["id"]: row for row in self._db.execute("SELECT * FROM deliveries")}

        def waits(row: sqlite3.Row, place: int) -> bool:
            needed = known.get(row["requires"])
            if needed is None:
                return False
            return needed["id"] in awaited or needed["sequence"] > place or waits(needed, place)

        for name, ledger in self._ledgers.items():
            last: dict[str, int] = {}
            first: set[str] = set()
            for one in ledger.booked:
                row = known.get(one.id)
                if row is None:
                    yield f"I2 {name}: a booking under {one.id}, which is no delivery"
                    continue
                if one.id in first or one.id in left or row["first"] or waits(row, row["sequence"]):
                    continue
                first.add(one.id)
                if row["sequence"] < last.get(row["subject"], 0):
                    yield f"I4 {name}: {one.id} arrived after a later one of its case"
                last[row["subject"]] = max(last.get(row["subject"], 0), row["sequence"])

    def _wire(self, world: World) -> Iterator[str]:
        """Requests that went out are exchanges recorded, where no process died and no claim was taken over."""
        if world.tried["kills"] or world.tried["stalls"] or world.tried["sleeps"] or world.tried["store"]:
            return
        for name in self._ledgers:
            sent = sum(
                many
                for network in world.networks
                for (endpoint, operation), many in network.sent.items()
                if endpoint == name and operation != "news"
            )
            recorded = self._db.execute(
                "SELECT coalesce(sum(a.exchanges), 0) FROM attempts a JOIN deliveries d ON d.id = a.delivery"
                " WHERE d.endpoint = ?",
                (name,),
            ).fetchone()[0]
            if sent != recorded:
                yield f"I5 {name}: {sent} requests on the wire, {recorded} recorded"
