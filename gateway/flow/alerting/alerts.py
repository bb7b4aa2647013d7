"""Alerts (告警): what people must know without looking: told at the transition into trouble and at the one out of it."""

from __future__ import annotations

import re
import shutil
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from contracts.chinese_calendar import Calendar, packaged_calendar
from contracts.deliveries import FAILED_STATES
from contracts.moments import in_beijing
from gateway.flow.alerting.notices import Notices
from gateway.flow.relay import BROKER
from gateway.flow.timing import overdue
from gateway.flow.timing.months import kept_months
from gateway.flow.timing.office import OfficeHours, long_silent
from gateway.settings import AlertSettings
from gateway.store import console, notices
from gateway.store.console import Figures, id_at
from gateway.store.engine import Rows
from gateway.store.store import Store
from gateway.store.tally import HOUR

log = structlog.get_logger("gateway.alerts")

_REST_S: Final = 10.0
_OLDEST_MS: Final = 1_800_000
_BURST_MS: Final = 600_000
_BURST: Final = 10
_ORPHAN_MS: Final = 3_600_000
_UNPOLLED_MS: Final = 3_600_000
_UNTOLD_MS: Final = 600_000
_DUE_MS: Final = 86_400_000
_DISK: Final = 0.80
_DRIFT_MS: Final = 2_000
_DRIFT_SEEN_MS: Final = 2_500
"""The same for a clock that is read from answers: their ``Date`` has whole seconds."""
_SIMULATED_MS: Final = 86_400_000
_CLOCKS: Final = 200
_SELDOM_MS: Final = 300_000
_ALIVE_MS: Final = 60_000
_GONE_MS: Final = 600_000
_MONTH_MS: Final = 30 * 86_400_000

LOCAL: Final = frozenset({"disk", "clock", "loop_stuck"})
"""Rules about one machine: only a process there sees whether they hold."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One rule that holds about one thing; ``figure`` is what was measured."""

    rule: str
    about: str
    figure: str


@dataclass(frozen=True, slots=True)
class Senses:
    """What the store does not know: how far platforms' clocks are from ours (ms), which loops have ended, when certificates
    end (ms since 1970). Each by name."""

    skew: Callable[[], Mapping[str, int]] = dict
    stuck: Callable[[], list[str]] = list
    certificates: Callable[[], Awaitable[Mapping[str, int]]] | None = None


@dataclass(slots=True)
class _Seldom:
    """What is looked at every few minutes alone."""

    at: int = -(10**15)
    found: list[Trouble] = field(default_factory=list)


def this_machine() -> str:
    """The machine's name as alerts show it."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", socket.gethostname())[:64] or "localhost"


class Alerts:
    """One loop: looks at the figures, and writes what began and what is over."""

    def __init__(
        self,
        store: Store,
        names: tuple[str, ...],
        data: Path,
        *,
        notices: Notices | None = None,
        settings: AlertSettings | None = None,
        calendar: Calendar | None = None,
        senses: Senses | None = None,
    ) -> None:
        """``notices``: who takes transitions outward; absent: they stand in the console alone."""
        self._store = store
        self._names = names
        self._data = data
        self._notices = notices
        self._settings = settings or AlertSettings()
        self._office = OfficeHours.of(self._settings.office_hours, calendar or packaged_calendar())
        self._senses = senses or Senses()
        self._machine = this_machine()
        self._seldom = _Seldom()
        self._alive_at = 0

    async def turn(self) -> float:
        """Look once; returns how long to rest."""
        now = self._store.now_ms()
        await self._say_alive(now)
        today = in_beijing(now).date()
        tomorrow = in_beijing(now + _DUE_MS).date().isoformat()
        figures = await self._store.runner.read(
            console.figures, self._names, now, 900_000, tomorrow, overdue.since(today), _CLOCKS
        )
        here = troubles(figures, now) + await self._here(now) + await self._slow(figures, now)
        found = {(one.rule, one.about): one for one in [*here, *await self._now_and_then(now)]}
        standing = {(row["rule"], row["about"]): row["id"] for row in await self._store.rows("open_alerts")}
        for key, trouble in found.items():
            if key not in standing:
                await self._open(trouble)
        for key, identifier in standing.items():
            if key not in found and await self._may_close(*key, now):
                await self._close(key, identifier)
        return _REST_S

    # ---- transitions

    async def _open(self, trouble: Trouble) -> None:
        row = (self._store.ids.new("alert"), trouble.rule, trouble.about, trouble.figure)
        if self._notices is None:
            begun = await self._store.run(notices.open_alert, row, (), 0)
        else:
            begun = await self._notices.opened(row)
        if begun:
            log.warning("alert", code=trouble.rule, endpoint=trouble.about, state="opened")

    async def _close(self, key: tuple[str, str], identifier: str) -> None:
        if self._notices is None:
            over = await self._store.run(notices.close_alert, identifier, (), 0)
        else:
            over = await self._notices.recovered(identifier)
        if over:
            log.info("alert", code=key[0], endpoint=key[1], state="recovered")

    async def _may_close(self, rule: str, about: str, now: int) -> bool:
        """Another machine's own troubles are its own to end, unless it is gone."""
        if rule not in LOCAL or about == self._machine or about in self._names:
            return True
        row = await self._store.row("read_mark", f"alive:{about}")
        return row is None or row["position"] < now - _GONE_MS

    async def _say_alive(self, now: int) -> None:
        if abs(now - self._alive_at) >= _ALIVE_MS:
            self._alive_at = now
            await self._store.write("set_mark", (f"alive:{self._machine}", now))

    # ---- looks

    async def _here(self, now: int) -> list[Trouble]:
        """What this process and this machine show."""
        found = []
        drift = abs(now - round(time.time() * 1000))
        if _DRIFT_MS < drift < _SIMULATED_MS:  # farther away it is a simulated clock
            found.append(Trouble("clock", self._machine, f"{drift} ms"))
        for name, skew in self._senses.skew().items():
            if _DRIFT_SEEN_MS < abs(skew) < _SIMULATED_MS:
                found.append(Trouble("clock", name, f"{skew / 1000:+.1f} s"))
        usage = _usage(self._data)
        if usage > _DISK:
            found.append(Trouble("disk", self._machine, f"{usage:.0%}"))
        stuck = self._senses.stuck()
        if stuck:
            found.append(Trouble("loop_stuck", self._machine, ", ".join(stuck)[:80]))
        return found

    async def _slow(self, figures: Figures, now: int) -> list[Trouble]:
        found = []
        for state in ("orphan", "unreadable"):
            oldest = (await self._store.rows("count_callbacks", state, 1))[0]["oldest"]
            if oldest is not None and oldest < id_at("callback", now - _ORPHAN_MS):
                found.append(Trouble(f"callback_{state}", "callbacks", str(figures.callbacks[state])))
        near = {row["subject"] for row in figures.clocks}
        missed = {row["subject"] for row in overdue.still(figures.over)}
        for rule, subjects in (("deadline_near", near - missed), ("deadline_missed", missed)):
            for subject in sorted(subjects):
                opened = await self._store.rows("open_deliveries_of", subject)
                if any(row["state"] in ("pending", "in_doubt", *FAILED_STATES) for row in opened):
                    found.append(Trouble(rule, subject, str(len(opened))))
        found += await self._unheard(figures, now)
        for name in self._names:
            daily = await self._store.row("newest_daily", name)
            if daily is not None and (daily["many"] or daily["state"] == "stopped"):
                found.append(Trouble("reconciliation", name, str(daily["many"] or daily["code"])))
        return found

    async def _unheard(self, figures: Figures, now: int) -> list[Trouble]:
        """Platforms whose polls bring no answer, and a broker that takes no events, whichever process it is that tries."""
        polled = {row["name"] for row in figures.endpoints if not row["paused"]}
        found = [
            Trouble("poll_failing", row["endpoint"], _minutes(now - row["at"]))
            for row in await self._store.rows("unpolled", now - _UNPOLLED_MS)
            if row["endpoint"] in polled
        ]
        mark = await self._store.row("read_mark", BROKER)
        waiting = [] if mark is None else await self._store.rows("events_after", mark["position"], 1)
        found += [
            Trouble("bus_behind", "events", _minutes(now - row["at"]))
            for row in waiting
            if now - row["at"] > _UNTOLD_MS
        ]
        return found

    async def _now_and_then(self, now: int) -> list[Trouble]:
        """Keys, certificates, who has fallen silent, and the months to come: looked at every five minutes."""
        if abs(now - self._seldom.at) >= _SELDOM_MS:
            keys = await self._store.rows("all_keys")
            tallied = await self._store.rows("tallies_since", HOUR, now - 14 * 86_400_000, 100_000)
            ends = {} if self._senses.certificates is None else await self._senses.certificates()
            found = [*self._expiring(keys, now), *self._silent(keys, tallied, now)]
            ahead = round(self._settings.expiry_days * 86_400_000)
            found += [
                Trouble("certificate_expiring", name, _days(at - now))
                for name, at in sorted(ends.items())
                if at < now + ahead
            ]
            found += [Trouble("partitions", table, figure) for table, figure in await kept_months(self._store)]
            self._seldom = _Seldom(now, found)
        return self._seldom.found

    def _expiring(self, keys: Rows, now: int) -> list[Trouble]:
        """Clients whose last key ends soon, or ended a while ago; one with a newer key is well."""
        last: dict[str, int | None] = {}
        for row in keys:
            if not row["enabled"]:
                continue
            known = last.get(row["client"], 0)
            ends = row["expires_at"]
            last[row["client"]] = None if ends is None or known is None else max(known, ends)
        ahead = round(self._settings.expiry_days * 86_400_000)
        return [
            Trouble("key_expiring", client, _days(ends - now))
            for client, ends in sorted(last.items())
            if ends is not None and now - _MONTH_MS < ends < now + ahead
        ]

    def _silent(self, keys: Rows, tallied: Rows, now: int) -> list[Trouble]:
        known = {row["client"] for row in keys if row["enabled"]}
        heard: dict[str, set[int]] = {}
        for row in tallied:
            kind, _, client = row["series"].partition("|")
            if kind == "from" and client in known:
                heard.setdefault(client, set()).add(row["at"])
        return [
            Trouble("upstream_silent", client, f"{hours:.0f} h")
            for client, hours in long_silent(self._office, heard, now, self._settings.silent_hours)
        ]


def _minutes(ms: int) -> str:
    return f"{ms // 60_000} min"


def _days(ms: int) -> str:
    return f"{ms / 86_400_000:.0f} d"


def _usage(data: Path) -> float:
    usage = shutil.disk_usage(data if data.exists() else data.parent)
    return usage.used / usage.total


def troubles(figures: Figures, now: int) -> list[Trouble]:
    """What the figures alone show."""
    found = []
    for row in figures.endpoints:
        name = row["name"]
        if row["breaker"] != "closed":
            found.append(Trouble("breaker", name, str(row["failures"])))
        if row["paused"] and row["paused_by"] in ("gateway", "platform"):
            found.append(Trouble("paused_by_fault", name, row["reason"] or ""))
        oldest = figures.oldest.get(name)
        if oldest is not None and now - oldest > _OLDEST_MS:
            found.append(Trouble("backlog_old", name, _minutes(now - oldest)))
        recent = sum(
            many
            for state in FAILED_STATES
            for at, many in figures.buckets.get(f"out|{name}|{state}", {}).items()
            if at > now - _BURST_MS - 60_000
        )
        if recent > _BURST:
            found.append(Trouble("dead_burst", name, str(recent)))
    return found
