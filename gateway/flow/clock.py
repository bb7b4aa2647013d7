"""The clocks of a case at work: what an event starts and ends, and the alarms before a deadline (法定期限).

The rules are ``contracts.deadlines``'; here they become rows and events, and a loop says ``clock.approaching`` at 50, 75 and
90 % of the time until the latest safe time, and ``clock.expired`` when the day is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import structlog

from contracts.chinese_calendar import Roll, end_of_day, load_calendar, packaged_calendar
from contracts.deadlines import ALARM_PERCENTS, Clock, Fact, Law, clocks_started_by, due, latest_safe_time, states_after
from contracts.statutes import NoRuleInForce, load_rulebook, packaged_rulebook
from gateway.flow.envelope import BEIJING, compact
from gateway.settings import Settings, SettingsRefused
from gateway.store.engine import Operation, Row
from gateway.store.store import Store
from gateway.store.unit import Committed, NewClock, NewEvent, NewTask, Unit

log = structlog.get_logger("gateway.clock")

_BATCH = 100
_NEVER_S = 365 * 86_400.0
_OF_THE_PARTIES = frozenset({"D26", "D26-performance"})
"""Clocks that bind the parties alone: they are told by events, and are no duty of anybody who reads tasks."""
_NAMES = {"agr_": "agreement", "cnf_": "confirmation", "trf_": "transfer", "ref_": "referral"}


def law_of(settings: Settings) -> Law:
    """Rules, calendar and safe margin as the settings name them.

    Raises:
        SettingsRefused: the directory of the law cannot be used.
    """
    margin, roll = timedelta(hours=settings.late_margin_hours), Roll(settings.calendar_roll)
    if settings.law is None:
        return Law(packaged_rulebook(), packaged_calendar(roll), margin)
    try:
        return Law(load_rulebook(settings.law), load_calendar(settings.law, roll), margin)
    except (OSError, ValueError) as error:
        raise SettingsRefused([f"law: the directory cannot be used: {type(error).__name__}"]) from None


def shown(rule: str, start: str, due: str, safe_at: int, state: str, provisional: bool) -> dict[str, Any]:
    """A clock as events show it."""
    safe = datetime.fromtimestamp(safe_at / 1000, UTC).astimezone(BEIJING).isoformat(timespec="seconds")
    return {
        "rule": rule,
        "start": start,
        "due": due,
        "latest_safe_time": safe,
        "state": state,
        "provisional": provisional,
    }


def moments(start: date, due: date, safe_at: int) -> list[tuple[int, int]]:
    """(percent, ms) of the alarms, and (100, ms) of the end."""
    begins = min(round(end_of_day(start).timestamp() * 1000), safe_at)
    found = [(percent, begins + (safe_at - begins) * percent // 100) for percent in ALARM_PERCENTS]
    return [*found, (100, round(end_of_day(due).timestamp() * 1000))]


class Clockwork:
    """Turns rules into rows and events for one store."""

    def __init__(self, store: Store, law: Law | None = None) -> None:
        self._store = store
        self.law = law if law is not None else Law()

    def start(self, unit: Unit, clocks: list[tuple[str, Clock]]) -> None:
        """Rows and ``clock.started`` events of new clocks; each hangs on the thing named beside it."""
        for about, clock in clocks:
            safe_at = round(clock.latest_safe_time.timestamp() * 1000)
            row = NewClock(
                self._store.ids.new("clock"),
                about,
                clock.rule,
                clock.start.isoformat(),
                clock.due.isoformat(),
                safe_at,
                str(clock.state),
                clock.provisional,
                clock.calendar_version,
                moments(clock.start, clock.due, safe_at)[0][1],
            )
            unit.clocks.append(row)
            view = shown(row.rule, row.started_on, row.due_on, safe_at, row.state, row.provisional)
            facts = {"clock": view, **_hung_on(about)}
            unit.events.append(NewEvent(self._store.ids.new("event"), "clock.started", about, compact(facts)))

    def told(self, unit: Unit, event: str, facts: Mapping[str, Fact], about: str, *related: str) -> None:
        """What an event means for the clocks of the thing and of those related to it."""
        self.start(unit, [(about, clock) for clock in clocks_started_by(event, facts, self.law)])
        for rule, state in states_after(event, facts, self.law).items():
            unit.clock_moves += [(thing, rule, state.value) for thing in (about, *related)]


def _hung_on(about: str) -> dict[str, str]:
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
        for clock in due:
            file = await self._store.load(clock.subject)
            if file is None:
                continue
            unit = Unit(file.subject, file.organization, file.sequence, subject_kind=file.kind)
            self._ring(unit, clock, now)
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
        facts: dict[str, Any] = {"clock": view, **_hung_on(clock.about)}
        if state == "expired":
            kind = "clock.expired"
        else:
            kind = "clock.approaching"
            facts["percent"] = percent
        unit.events.append(NewEvent(self._store.ids.new("event"), kind, clock.about, compact(facts)))
        if percent == ALARM_PERCENTS[-1] and clock.rule not in _OF_THE_PARTIES:
            task = self._store.ids.new("task")
            due_at = round(end_of_day(date.fromisoformat(clock.due_on)).timestamp() * 1000)
            unit.tasks.append(
                NewTask(task, "statutory_late", f"{clock.about}#{clock.rule}", None, clock.rule, None, due_at)
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

    async def _heal(self, row: Row) -> bool:
        file = await self._store.load(row["subject"])
        started = date.fromisoformat(row["started_on"])
        try:
            rule = self._law.rulebook.in_force(row["rule"], started)
            found = due(rule, started, self._law.calendar)
        except (NoRuleInForce, ValueError):
            return False
        if file is None:
            return False
        safe_at = round(latest_safe_time(found.due, self._law.safe_margin).timestamp() * 1000)
        state = row["state"]
        if state == "expired" and self._store.now_ms() < round(found.ends_at.timestamp() * 1000):
            state = "running"
        ahead = [at for _, at in moments(found.start, found.due, safe_at) if at > self._store.now_ms()]
        moved = found.due.isoformat() != row["due_on"]
        unit = Unit(file.subject, file.organization, file.sequence, subject_kind=file.kind)
        unit.clocks.append(
            NewClock(
                row["id"],
                row["about"],
                row["rule"],
                row["started_on"],
                found.due.isoformat(),
                safe_at,
                state,
                found.provisional,
                found.calendar_version,
                (ahead or [round(found.ends_at.timestamp() * 1000)])[0],
            )
        )
        if moved or state != row["state"] or not found.provisional:
            view = shown(row["rule"], row["started_on"], found.due.isoformat(), safe_at, state, found.provisional)
            facts = {"clock": view, **_hung_on(row["about"])}
            unit.events.append(NewEvent(self._store.ids.new("event"), "clock.started", row["about"], compact(facts)))
        if not isinstance(await self._store.commit(unit), Committed):
            return False
        if safe_at != row["safe_at"]:
            await self._store.run(_move_safe_times, row["subject"], row["safe_at"], safe_at)
        return True


def _move_safe_times(subject: str, was: int, now: int) -> Operation[None]:
    moved = yield "move_safe_time", [(subject, was, now)]
    if moved:
        yield "rehead", sorted({(row["endpoint"], row["subject"]) for row in moved})
