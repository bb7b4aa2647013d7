"""The clocks of a case at work: what an event starts and ends, and the alarms before a deadline (法定期限).

The rules are ``contracts.deadlines``'; here they become rows and events, and a loop says ``clock.approaching`` at 50, 75 and
90 % of the time until the latest safe time, and ``clock.expired`` when the day is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson
import structlog

from contracts.chinese_calendar import Roll, beijing_day, end_of_day, load_calendar, packaged_calendar
from contracts.deadlines import (
    ALARM_PERCENTS,
    Clock,
    Fact,
    Law,
    Pause,
    alarm_moments,
    clocks_started_by,
    recompute,
    resume,
    states_after,
    suspend,
)
from contracts.moments import from_ms, in_beijing, to_ms
from contracts.status import ClockState
from contracts.statutes import NoRuleInForce, load_rulebook, packaged_rulebook
from gateway.flow.moving.envelope import compact
from gateway.settings import Settings, SettingsRefused
from gateway.store.engine import Operation, Row
from gateway.store.store import Store
from gateway.store.unit import Committed, NewClock, NewEvent, NewTask, Unit

log = structlog.get_logger("gateway.clock")

_BATCH = 100
_NEVER_S = 365 * 86_400.0
_NEVER_MS = 1 << 62
_EPOCH, _MS = datetime.fromtimestamp(0, UTC), timedelta(milliseconds=1)
_NOBODYS_TASK = frozenset({"D11", "D17", "D26", "D26-performance"})
"""Clocks that bind the parties alone, and those of which no platform tells that they were kept (裁决, 支付令): events tell of
them, and a task about each would be noise."""
_NAMES = {"agr_": "agreement", "cnf_": "confirmation", "trf_": "transfer", "ref_": "referral"}


def law_of(settings: Settings) -> Law:
    """Rules, calendar and safe margin as the settings name them.

    Raises:
        SettingsRefused: the directory of the law cannot be used.
    """
    margin, roll = timedelta(hours=settings.late_margin_hours), Roll(settings.calendar_roll)
    also = frozenset(settings.law_also)
    if settings.law is None:
        law = Law(packaged_rulebook(), packaged_calendar(roll), margin, also)
    else:
        try:
            law = Law(load_rulebook(settings.law), load_calendar(settings.law, roll), margin, also)
        except (OSError, ValueError) as error:
            raise SettingsRefused([f"law: the directory cannot be used: {type(error).__name__}"]) from None
    known = {rule.id for rule in law.rulebook.rules if rule.optional}
    if also - known:
        raise SettingsRefused([f"law_also: no rule beside the statutory ones; there are {', '.join(sorted(known))}"])
    return law


def shown(rule: str, start: str, due: str, safe_at: int, state: str, provisional: bool) -> dict[str, Any]:
    """A clock as events show it."""
    return {
        "rule": rule,
        "start": start,
        "due": due,
        "latest_safe_time": _to_the_second(safe_at),
        "state": state,
        "provisional": provisional,
    }


@lru_cache(maxsize=1024)
def _to_the_second(at: int) -> str:
    return in_beijing(at).isoformat(timespec="seconds")


def clock_of(row: Row) -> Clock:
    """A kept clock as ``contracts.deadlines`` works with it. What hangs on its rule is computed by ``recompute``."""
    given = None if row["given_end"] is None else datetime.fromisoformat(row["given_end"])
    last = date.fromisoformat(row["due_on"])
    pauses = tuple(
        Pause(date.fromisoformat(first), None if until is None else date.fromisoformat(until))
        for first, until in orjson.loads(row["pauses"])
    )
    return Clock(
        row["rule"],
        "",
        date.fromisoformat(row["started_on"]),
        last,
        end_of_day(last) if given is None else given,
        from_ms(row["safe_at"]),
        ClockState(row["state"]),
        bool(row["provisional"]),
        row["calendar"],
        given,
        row["extended_by"],
        pauses,
    )


def row_of(identifier: str, about: str, clock: Clock, now: int) -> NewClock:
    """A clock as it is kept; its next alarm is the first one after ``now`` (ms), a suspended one has none."""
    form, alarms = _form_of(clock)
    alarm = None if clock.state is ClockState.SUSPENDED else next((at for at in alarms if at > now), alarms[-1])
    return replace(form, id=identifier, about=about, alarm_at=alarm)


@lru_cache(maxsize=1024)
def _form_of(clock: Clock) -> tuple[NewClock, tuple[int, ...]]:
    """The row of a clock without what is its case's own, and its alarms (ms), the end last. Cases of one day share them."""
    safe_at = to_ms(clock.latest_safe_time)
    form = NewClock(
        id="",
        about="",
        rule=clock.rule,
        started_on=clock.start.isoformat(),
        due_on=clock.due.isoformat(),
        safe_at=safe_at,
        state=str(clock.state),
        provisional=clock.provisional,
        calendar=clock.calendar_version,
        given=None if clock.given is None else clock.given.isoformat(),
        extended_by=clock.extended_by,
        pauses=orjson.dumps([[pause.start, pause.until] for pause in clock.pauses]).decode(),
    )
    return form, tuple(at for _, at in moments(clock.start, clock.due, safe_at))


def moments(start: date, due: date, safe_at: int) -> list[tuple[int, int]]:
    """(percent, ms) of the alarms, and (100, ms) of the end."""
    alarms = alarm_moments(start, from_ms(safe_at))
    found = [(percent, (at - _EPOCH) // _MS) for percent, at in alarms.items()]
    return [*found, (100, (end_of_day(due) - _EPOCH) // _MS)]


class Clockwork:
    """Turns rules into rows and events for one store."""

    def __init__(self, store: Store, law: Law | None = None) -> None:
        self._store = store
        self.law = law if law is not None else Law()

    def start(self, unit: Unit, clocks: list[tuple[str, Clock]]) -> None:
        """Rows and ``clock.started`` events of new clocks; each hangs on the thing named beside it."""
        for about, clock in clocks:
            row = row_of(self._store.ids.new("clock"), about, clock, 0)  # every alarm, those that are over at once too
            unit.clocks.append(row)
            self._say(unit, "started", row, {})

    def put(self, unit: Unit, identifier: str, about: str, clock: Clock, word: str, more: dict[str, Any]) -> NewClock:
        """The new standing of a kept clock, and the event ``clock.<word>`` that says so."""
        row = row_of(identifier, about, clock, self._store.now_ms())
        unit.clocks.append(row)
        self._say(unit, word, row, more)
        return row

    def _say(self, unit: Unit, word: str, row: NewClock, more: dict[str, Any]) -> None:
        view = shown(row.rule, row.started_on, row.due_on, row.safe_at, row.state, row.provisional)
        facts = {"clock": view, **hung_on(row.about), **more}
        unit.events.append(NewEvent(self._store.ids.new("event"), f"clock.{word}", row.about, compact(facts)))

    def told(
        self, unit: Unit, event: str, facts: Mapping[str, Fact], about: str, *related: str, clocks: Sequence[Row] = ()
    ) -> None:
        """What an event means for the clocks of the thing and of those related to it. ``clocks``: those that are kept, without
        which none is suspended or goes on."""
        self.start(unit, [(about, clock) for clock in clocks_started_by(event, facts, self.law)])
        kept = {(row["about"], row["rule"]): row for row in clocks}
        for rule, state in states_after(event, facts, self.law).items():
            for thing in (about, *related):
                row = kept.get((thing, rule))
                goes_on = row is not None and row["state"] == "suspended" and state is ClockState.RUNNING
                if goes_on or state is ClockState.SUSPENDED:
                    self._pause(unit, row, state, facts["at"])
                else:
                    self.turn(unit, [(thing, rule, state.value)])

    @staticmethod
    def turn(unit: Unit, turns: Iterable[tuple[str, str, str]]) -> None:
        """States that clocks come to (thing, rule, state). One that this unit starts is written as it ends."""
        for thing, rule, state in turns:
            for place, fresh in enumerate(unit.clocks):
                if (fresh.about, fresh.rule, fresh.state) == (thing, rule, ClockState.RUNNING.value):
                    unit.clocks[place] = replace(fresh, state=state)
                    break
            else:
                unit.clock_moves.append((thing, rule, state))

    def _pause(self, unit: Unit, row: Row | None, state: ClockState, at: Fact) -> None:
        """Stop counting, or count again, from the day of the word on. A word older than the clock counts from its start."""
        if row is None or state not in _TURNED.get(row["state"], ()):
            return
        clock = clock_of(row)
        day = max(beijing_day(at if not isinstance(at, str) else datetime.fromisoformat(at)), clock.start)
        if state is ClockState.SUSPENDED:
            self.put(unit, row["id"], row["about"], suspend(clock, day), "suspended", {})
        else:
            again = resume(clock, max(day, clock.pauses[-1].start), self.law)
            self.put(unit, row["id"], row["about"], again, "resumed", {})


_TURNED = {"running": (ClockState.SUSPENDED,), "suspended": (ClockState.RUNNING,)}


def overtaken(status: str, word: str, at: datetime, about: str, clocks: Sequence[Row]) -> list[tuple[str, datetime]]:
    """Words whose clocks count though they moved nothing: a ruling that its objection overtook (裁定, 异议) opens the
    time to enforce it all the same, once."""
    if (status, word) != ("objected", "confirmed") or any(
        row["about"] == about and row["rule"] == "D26" for row in clocks
    ):
        return []
    return [(word, at), (status, at)]


def hung_on(about: str) -> dict[str, str]:
    """The id of the thing that a clock hangs on, under its name in events."""
    identifier = about.partition("/")[0]
    return {name: identifier for prefix, name in _NAMES.items() if identifier.startswith(prefix)}


@dataclass(frozen=True, slots=True)
class _Due:
    id: str
    subject: str
    about: str
    rule: str
    started_on: str
    due_on: str
    safe_at: int
    provisional: bool


def _due(now: int) -> Operation[list[_Due]]:
    rows = yield "due_alarms", [(now, _BATCH)]
    return [_of(row) for row in rows]


def _of(row: Row) -> _Due:
    return _Due(
        row["id"],
        row["subject"],
        row["about"],
        row["rule"],
        row["started_on"],
        row["due_on"],
        row["safe_at"],
        bool(row["provisional"]),
    )


class Alarms:
    """The loop's turn."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def turn(self) -> int:
        """Say what is due to be said; returns how many clocks rang."""
        now = self._store.now_ms()
        due = await self._store.runner.read(_due, now)
        rang = 0
        for found in due:
            file = await self._store.load(found.subject)
            # As it stands at the sequence that was just read, or later: it may have been met while others rang.
            row = await self._store.row("clock", found.id)
            if file is None or row is None or row["state"] != "running" or (row["alarm_at"] or _NEVER_MS) > now:
                continue
            unit = Unit(file.subject, file.organization, file.sequence, subject_kind=file.kind)
            self._ring(unit, _of(row), now)
            rang += isinstance(await self._store.commit(unit), Committed)
        return rang

    def _ring(self, unit: Unit, clock: _Due, now: int) -> None:
        steps = moments(date.fromisoformat(clock.started_on), date.fromisoformat(clock.due_on), clock.safe_at)
        passed = [percent for percent, at in steps if at <= now]
        if not passed:
            return
        percent = passed[-1]
        state = "expired" if percent == 100 else "running"
        later = [at for found, at in steps if found > percent]
        unit.clock_alarms.append((clock.id, later[0] if later else None, state))
        view = shown(clock.rule, clock.started_on, clock.due_on, clock.safe_at, state, clock.provisional)
        facts: dict[str, Any] = {"clock": view, **hung_on(clock.about)}
        if state == "expired":
            kind = "clock.expired"
        else:
            kind = "clock.approaching"
            facts["percent"] = percent
        unit.events.append(NewEvent(self._store.ids.new("event"), kind, clock.about, compact(facts)))
        if percent == ALARM_PERCENTS[-1] and clock.rule not in _NOBODYS_TASK:
            task = self._store.ids.new("task")
            due_at = to_ms(end_of_day(date.fromisoformat(clock.due_on)))
            unit.tasks.append(
                NewTask(task, "statutory_late", f"{clock.about}#{clock.rule}", code=clock.rule, due_at=due_at)
            )


class Healer:
    """Computes provisional clocks again once the calendar that they wanted is there (节假日安排公布后重算)."""

    def __init__(self, store: Store, law: Law) -> None:
        self._store = store
        self._law = law

    async def once(self) -> float:
        """The loop's turn: at the start alone, since a process reads its data once. Returns the rest in seconds."""
        healed = await self.turn()
        if healed:
            log.info("clocks_healed", clocks=healed, calendar=self._law.calendar.version)
        return _NEVER_S

    async def turn(self) -> int:
        """Once at the start of a process, which is when new data come; returns how many clocks were computed again.

        A moved day goes to what hangs on it: the alarms, and the latest safe time of deliveries that still wait. A clock
        that had expired by a day that was wrong runs again.
        """
        healed, after = 0, ""
        while rows := await self._store.rows("provisional_clocks", self._law.calendar.version, after, _BATCH):
            after = rows[-1]["id"]
            for row in rows:
                healed += await self._heal(row)
        return healed

    async def _heal(self, seen: Row) -> bool:
        file = await self._store.load(seen["subject"])
        row = await self._store.row("clock", seen["id"])  # as it stands at the sequence that was just read, or later
        if file is None or row is None:
            return False
        try:
            found = recompute(clock_of(row), self._law)
        except (NoRuleInForce, ValueError):
            return False
        if found.state is ClockState.EXPIRED and self._store.now_ms() < to_ms(found.ends_at):
            found = replace(found, state=ClockState.RUNNING)
        unit = Unit(file.subject, file.organization, file.sequence, subject_kind=file.kind)
        made = row_of(row["id"], row["about"], found, self._store.now_ms())
        unit.clocks.append(made)
        if made.due_on != row["due_on"] or made.state != row["state"] or not found.provisional:
            view = shown(made.rule, made.started_on, made.due_on, made.safe_at, made.state, made.provisional)
            facts = {"clock": view, **hung_on(row["about"])}
            unit.events.append(NewEvent(self._store.ids.new("event"), "clock.started", row["about"], compact(facts)))
        if not isinstance(await self._store.commit(unit), Committed):
            return False
        if made.safe_at != row["safe_at"]:
            await self._store.run(move_safe_times, row["subject"], row["safe_at"], made.safe_at)
        return True


def move_safe_times(subject: str, was: int, now: int) -> Operation[None]:
    """What still waits with the old latest safe time (ms) has the new one."""
    moved = yield "move_safe_time", [(subject, was, now)]
    if moved:
        yield "rehead", sorted({(row["endpoint"], row["subject"]) for row in moved})
