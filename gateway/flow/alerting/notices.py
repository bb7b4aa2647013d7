"""Takes alerts outward: what is owed to each channel goes there as grouped messages, at least once, again after failures.

A loop of its own beside the journey: a channel that hangs delays neither deliveries nor other channels. What is owed stands in
the database since the transition's own commit; a process that dies between sending and noting it sends again. One process at a
time speaks for a channel (a leased mark). A rule that somebody muted waits for the mute's end; what began and ended meanwhile
is not told.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

import structlog

from gateway.flow.alerting.channels.port import ChannelFailed
from gateway.flow.alerting.channels.switchboard import Switchboard, Wired
from gateway.flow.alerting.channels.wording import Transition, Wording
from gateway.settings import AlertSettings
from gateway.store import notices
from gateway.store.engine import Row, Rows
from gateway.store.notices import NoticeKey, key_of
from gateway.store.store import Store

log = structlog.get_logger("gateway.notices")

_REST_S: Final = 5.0
_MOST: Final = 200
_LEASE_MS: Final = 90_000
"""Longer than one sending may take, so that nobody else speaks for the channel meanwhile."""
_FAR_MS: Final = 10 * 86_400_000
_KEPT_MS: Final = 30 * 86_400_000
_CLEAN_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class ChannelStanding:
    """How a channel stands: what waits (and since when, ms), failures in a row, and the last one's code."""

    name: str
    kind: str
    waiting: int
    oldest: int | None
    tries: int
    code: str | None


class Notices:
    """What the alerts' loop owes to channels, and the loop that pays."""

    def __init__(self, store: Store, board: Switchboard, wording: Wording, settings: AlertSettings) -> None:
        self._store = store
        self.board = board
        self.wording = wording
        self._settings = settings
        self._quiet_ms = round(settings.quiet_s * 1000)
        self._token = store.ids.token()
        self._cleaned = 0
        self._hushed: dict[str, int] = {}

    # ---- owing

    async def opened(self, alert: tuple[str, str, str, str]) -> bool:
        """Open an alert (id, rule, about, figure) and owe it; ``False``: it stands already."""
        names = [one.name for one in self.board.channels.values() if one.carries(alert[1])]
        return await self._store.run(notices.open_alert, alert, names, self._quiet_ms)

    async def recovered(self, alert: str) -> bool:
        """Close an alert and owe its end to whoever was owed its beginning; ``False``: it was over."""
        names = [one.name for one in self.board.channels.values() if one.settings.recovered]
        return await self._store.run(notices.close_alert, alert, names, self._quiet_ms)

    async def mute(self, rule: str, about: str, hours: float, actor: str) -> None:
        """Tell nobody of a rule about a thing for so long; 0 ends that."""
        lasts_ms = round(hours * 3_600_000)
        await self._store.run(notices.set_mute, rule, about, lasts_ms, actor, sorted(self.board.channels))

    async def standing(self) -> list[ChannelStanding]:
        """How each channel stands."""
        found = {}
        for name in self.board.channels:
            row = await self._store.row("notice_standing", name)
            if row is not None:
                found[name] = row
        return [
            ChannelStanding(
                name,
                one.settings.kind,
                found[name]["many"] if name in found else 0,
                found[name]["oldest"] if name in found else None,
                found[name]["tries"] if name in found else 0,
                found[name]["code"] if name in found else None,
            )
            for name, one in sorted(self.board.channels.items())
        ]

    # ---- paying

    async def turn(self) -> float:
        """Send what is due, every channel beside the others; returns how long to rest."""
        await self._clean()
        if self.board.channels:
            async with asyncio.TaskGroup() as group:
                for wired in self.board.channels.values():
                    group.create_task(self._serve(wired))
        return _REST_S

    async def _clean(self) -> None:
        now = self._store.now_ms()
        if abs(now - self._cleaned) < _CLEAN_MS:
            return
        self._cleaned = now
        late = round(self._settings.given_up_after * 1000)
        await self._store.write("drop_late_notices", (now - late,))
        await self._store.write("forget_notices", (now - _KEPT_MS,))
        await self._store.write("drop_old_mutes", ())

    async def _serve(self, wired: Wired) -> None:
        try:
            if self._hushed.get(wired.name, 0) > self._store.now_ms():
                return
            if not await self._store.rows("due_notices", wired.name, 0, 1):
                return
            mark = f"alerts:{wired.name}"
            if not await self._store.write("lease_mark", (mark, self._token, _LEASE_MS)):
                return
            try:
                await self._speak(wired)
            finally:
                await self._store.write("release_mark", (mark, self._token))
        except Exception as error:  # a channel stops neither the others nor the loop
            log.error("notices_failed", code=type(error).__name__, endpoint=wired.name)

    async def _speak(self, wired: Wired) -> None:
        # All that waits goes along, also what would be tried later: an alert's end must not overtake its beginning.
        rows = await self._unmuted(wired, await self._store.rows("due_notices", wired.name, _FAR_MS, _MOST))
        if not rows:
            return
        try:
            await self.board.tell(wired, self.wording, [_transition(row) for row in rows])
        except ChannelFailed as failure:
            waits = [(key_of(row), self._wait_ms(row["tries"], failure.retry_after_s)) for row in rows]
            if failure.retry_after_s is not None:
                self._hushed[wired.name] = self._store.now_ms() + round(1000 * failure.retry_after_s)
            await self._store.run(notices.settle_failed, waits, failure.code[:64])
            log.warning("notice_failed", endpoint=wired.name, code=failure.code[:64], count=len(rows))
            return
        await self._store.run(notices.settle_sent, [key_of(row) for row in rows])
        log.info("notice_sent", endpoint=wired.name, count=len(rows))

    def _wait_ms(self, tries: int, asked_s: float | None) -> int:
        waits = self._settings.retry
        return round(1000 * max(waits[min(tries, len(waits) - 1)], asked_s or 0))

    async def _unmuted(self, wired: Wired, rows: Rows) -> Rows:
        """What may be told now; the rest is held, and what began and ended under a mute is dropped."""
        now = self._store.now_ms()
        ends = {(row["rule"], row["about"]): row["ends_at"] for row in await self._store.rows("mutes")}
        silent = wired.muted_until_ms(now)
        kept: Rows = []
        held: list[tuple[NoticeKey, int]] = []
        dropped: list[NoticeKey] = []
        began_unseen = {
            row["alert"] for row in rows if row["phase"] == "opened" and row["held"] and row["due_at"] <= now
        }
        for row in rows:
            if row["held"] and row["due_at"] > now:
                continue
            until = max(silent or 0, ends.get((row["rule"], row["about"]), 0))
            began = row["phase"] == "opened"
            over_unseen = began and row["held"] and row["closed_at"] is not None
            if over_unseen or (not began and row["alert"] in began_unseen):
                dropped.append(key_of(row))
            elif until > now:
                held.append((key_of(row), until))
            else:
                kept.append(row)
        if held or dropped:
            await self._store.run(notices.hold, held, dropped)
        return kept


def _transition(row: Row) -> Transition:
    opened = row["phase"] == "opened"
    return Transition(
        row["alert"],
        row["rule"],
        row["about"],
        row["figure"],
        "opened" if opened else "recovered",
        row["opened_at"] if opened else row["closed_at"] or row["made_at"],
    )
