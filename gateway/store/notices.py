"""Alerts and what is owed to their channels: a transition and its notices are one transaction, so a crash loses neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.store.engine import Operation, Row


@dataclass(frozen=True, slots=True)
class NoticeKey:
    """One notice: an alert's transition (``opened`` or ``recovered``) owed to one channel."""

    alert: str
    phase: str
    channel: str

    @property
    def row(self) -> tuple[str, str, str]:
        """As the statements take it."""
        return (self.alert, self.phase, self.channel)


def open_alert(alert: tuple[str, str, str, str], channels: Sequence[str], quiet_ms: int) -> Operation[bool]:
    """Open an alert (id, rule, about, figure) and owe it to these channels; ``False``: it stands already."""
    opened = yield "open_alert", [alert]
    if opened and channels:
        yield "add_notice", [(alert[0], "opened", channel, quiet_ms) for channel in channels]
    return bool(opened)


def close_alert(alert: str, channels: Sequence[str], quiet_ms: int) -> Operation[bool]:
    """Close an alert and owe its end to those of these channels that were owed its beginning; ``False``: it was over."""
    closed = yield "close_alert", [(alert,)]
    if not closed:
        return False
    told = {row["channel"] for row in (yield "told_notices", [(alert,)])}
    wanted = [(alert, "recovered", channel, quiet_ms) for channel in channels if channel in told]
    if wanted:
        yield "add_notice", wanted
    return True


def settle_sent(keys: Sequence[NoticeKey]) -> Operation[None]:
    """They were told."""
    yield "sent_notice", [key.row for key in keys]


def settle_failed(rows: Sequence[tuple[NoticeKey, int]], code: str) -> Operation[None]:
    """They were not; each is tried again after its wait (ms)."""
    yield "later_notice", [(*key.row, wait_ms, code) for key, wait_ms in rows]


def hold(held: Sequence[tuple[NoticeKey, int]], dropped: Sequence[NoticeKey]) -> Operation[None]:
    """A mute: what waits for its end (ms), and what nobody needs to hear any more."""
    if held:
        yield "hold_notice", [(*key.row, ends_at) for key, ends_at in held]
    if dropped:
        yield "drop_notice", [(*key.row, "muted") for key in dropped]


def set_mute(rule: str, about: str, lasts_ms: int, actor: str, channels: Sequence[str]) -> Operation[None]:
    """Mute a rule about a thing for so long; 0 ends the mute, and what it held is due."""
    if lasts_ms:
        yield "set_mute", [(rule, about, lasts_ms, actor)]
        return
    yield "drop_mute", [(rule, about)]
    if channels:
        yield "free_notices", [(channel,) for channel in channels]


def key_of(row: Row) -> NoticeKey:
    """The key of a row."""
    return NoticeKey(row["alert"], row["phase"], row["channel"])
