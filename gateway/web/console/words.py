"""Values as people read them: times in Beijing, ages, amounts, and the words of states with their signs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from contracts.chinese_calendar import BEIJING
from contracts.deliveries import DeliveryState
from contracts.messages import MessageType
from contracts.moments import in_beijing, to_ms
from contracts.status import (
    LIFECYCLES,
    CallbackState,
    CaseStatus,
    ClockState,
    ConfirmationStatus,
    FulfilmentStatus,
    Noun,
    ReferenceKind,
    ReferralStatus,
    TaskKind,
    TransferStatus,
)
from contracts.titled import Titled

LISTS: Final[Mapping[str, type[Titled]]] = {
    "noun": Noun,
    "case": CaseStatus,
    "confirmation": ConfirmationStatus,
    "transfer": TransferStatus,
    "referral": ReferralStatus,
    "fulfilment": FulfilmentStatus,
    "delivery": DeliveryState,
    "callback": CallbackState,
    "clock": ClockState,
    "task": TaskKind,
    "reference": ReferenceKind,
    "type": MessageType,
}
"""Closed lists of the contract by the name that templates use."""

SIGNS: Final[Mapping[str, tuple[str, str]]] = {
    "pending": ("…", "quiet"),
    "retrying": ("↻", "warn"),
    "relayed": ("⇢", "info"),
    "delivered": ("✓", "good"),
    "rejected": ("✕", "bad"),
    "dead": ("✕", "bad"),
    "expired": ("✕", "bad"),
    "in_doubt": ("?", "warn"),
    "cancelled": ("–", "quiet"),
    "superseded": ("»", "quiet"),
}
"""A delivery's state: its sign and its tone. A state is always a word, a sign and a colour together."""

_MINUTE: Final = 60_000
_AMOUNT: Final = re.compile(r"[0-9]{1,18}(\.[0-9]{1,12})?")


def title(listed: str, value: str | None, chinese: bool) -> str:
    """The title of a closed list's value; the value itself where the list does not have it."""
    if value is None:
        return ""
    try:
        found = LISTS[listed](value)
    except ValueError:
        return value
    return found.zh if chinese else found.en


def full_time(ms: int) -> str:
    """``2025-03-03 09:12:04``."""
    return in_beijing(ms).strftime("%Y-%m-%d %H:%M:%S")


def short_time(ms: int) -> str:
    """``03-03 09:12:04``."""
    return in_beijing(ms).strftime("%m-%d %H:%M:%S")


def fit(text: str, units: int) -> str:
    """The text as far as it fits; a Chinese character takes two units."""
    taken = 0
    for place, character in enumerate(text):
        taken += 1 if character < "\u2e80" else 2
        if taken > units:
            return text[: max(place - 1, 1)] + "…"
    return text


def halves(text: str, units: int) -> list[str]:
    """The text in one line where it fits, else in two, the second cut where it must be; a Chinese character takes two units."""
    whole = fit(text, units)
    if not whole.endswith("…") or whole == text:
        return [text]
    first = whole[:-1]
    return [first, fit(text[len(first) :], units)]


def short_day(day: str, now: int) -> str:
    """``03-18`` of a day ``2025-03-18``; whole where it lies in another year."""
    return day[5:] if day[:4] == in_beijing(now).strftime("%Y") else day


def clock_time(ms: int) -> str:
    """``09:12``."""
    return in_beijing(ms).strftime("%H:%M")


def clock_seconds(ms: int) -> str:
    """``09:12:04``."""
    return in_beijing(ms).strftime("%H:%M:%S")


def day_hour(ms: int) -> str:
    """``03-03 09``."""
    return in_beijing(ms).strftime("%m-%d %H")


def span(ms: int, chinese: bool) -> str:
    """A length of time in its two largest units: ``3 小时 12 分``, ``3 h 12 min``."""
    seconds = max(ms, 0) // 1000
    units = ((86_400, "天", "d"), (3_600, "小时", "h"), (60, "分", "min"), (1, "秒", "s"))
    for place, (size, zh, en) in enumerate(units):
        if seconds >= size or size == 1:
            first = f"{seconds // size} {zh if chinese else en}"
            if place + 1 < len(units):
                next_size, next_zh, next_en = units[place + 1]
                rest = seconds % size // next_size
                if rest:
                    return f"{first} {rest} {next_zh if chinese else next_en}"
            return first
    raise AssertionError("unreachable")


def yuan(amount: str) -> str:
    """``12559.4`` as ``12,559.40``, always to the cent; what is no amount as it is."""
    if _AMOUNT.fullmatch(amount) is None:
        return amount
    return f"{Decimal(amount):,.2f}"


def within(ms: int | None, chinese: bool) -> str:
    """An upper bound as it is told everywhere, in seconds: ``≤ 0.75 秒``; from a minute on as a span; ``–`` for none."""
    if not ms:
        return "–"
    if ms >= _MINUTE:
        return f"≤ {span(ms, chinese)}"
    return f"≤ {Decimal(ms).scaleb(-3).normalize():f} {'秒' if chinese else 's'}"


def milliseconds(ms: int) -> str:
    """``492``, ``12,040``."""
    return f"{ms:,}"


def day_end(day: str) -> int:
    """The end (24:00 Beijing) of a day ``2025-03-18`` in ms."""
    return to_ms(datetime.combine(date.fromisoformat(day), datetime.min.time(), BEIJING)) + 86_400_000


def local_input(ms: int) -> str:
    """What a ``datetime-local`` field takes."""
    return in_beijing(ms).strftime("%Y-%m-%dT%H:%M")


def read_local(given: str) -> int | None:
    """A ``datetime-local`` field's value (Beijing) in ms; ``None`` for none or a malformed one."""
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=BEIJING)
    found = to_ms(moment)
    return found if 0 <= found < 4_102_444_800_000 else None


def resolution(kept: str, who: Callable[[str], str], said: Callable[[str], str]) -> tuple[str, str]:
    """By whom a task was closed (empty: by the engine) and how, as it is kept: ``user:wang: 已电话核实``,
    ``delivered by user:wang``, ``supplemented``. ``said``: what people call a word of ours."""
    actor, _, reason = kept.partition(": ")
    if reason and " " not in actor:
        first, _, rest = reason.partition(": ")
        return who(actor), f"{said(first)} {rest}" if rest and said(first) != first else reason
    word, _, actor = kept.partition(" by ")
    return (who(actor), said(word)) if actor and ":" in actor else ("", said(kept))


def is_final(noun: str, status: str) -> bool:
    """Whether a status of a noun is final; an unknown word is not."""
    try:
        return LIFECYCLES[Noun(noun)].is_final(status)
    except (KeyError, ValueError):
        return False
