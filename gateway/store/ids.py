"""Ids made by the gateway: a prefix that names the thing, then 26 time-ordered characters (48 bits of time, 80 of chance)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
"""Two characters at a time: 10 bits."""

_SHIFTS_OF_TIME = (40, 30, 20, 10, 0)
_SHIFTS_OF_CHANCE = (70, 60, 50, 40, 30, 20, 10, 0)

PREFIXES = {
    "case": "case_",
    "agreement": "agr_",
    "confirmation": "cnf_",
    "transfer": "trf_",
    "referral": "ref_",
    "attachment": "att_",
    "message": "msg_",
    "delivery": "dlv_",
    "event": "evt_",
    "task": "tsk_",
    "callback": "cbk_",
    "clock": "clk_",
    "paper": "ppr_",
    "mediator": "med_",
    "client": "cli_",
    "audit": "aud_",
    "job": "job_",
    "alert": "alt_",
    "reconciliation": "rcn_",
    "view": "viw_",
    "hold": "hld_",
    "correction": "crr_",
    "request": "req_",
    "webhook": "whe_",
    "correlation": "cor_",
    "report": "rpt_",
}


_ID = re.compile(f"(?:{'|'.join(PREFIXES.values())})[{_ALPHABET}]{{26}}0?(?:/[0-9]{{1,4}})?")


def id_at(kind: str, ms: int) -> str:
    """The lowest id of a kind that could have been made at this time (ms): ranges of ids are ranges of time."""
    number, letters = max(ms, 0) << 80, []
    for _ in range(26):
        number, digit = divmod(number, 32)
        letters.append(_ALPHABET[digit])
    return PREFIXES[kind] + "".join(reversed(letters))


def made_at(identifier: str) -> int | None:
    """When an id was made (ms), ``None`` for one of another form."""
    number = 0
    letters = identifier.rpartition("_")[2]
    if len(letters) != 26:
        return None
    for letter in letters:
        place = _ALPHABET.find(letter)
        if place < 0:
            return None
        number = number * 32 + place
    return number >> 80


@cache
def _form_of(kinds: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(f"(?:{'|'.join(PREFIXES[kind] for kind in kinds)})[{_ALPHABET}]{{26}}")


def is_id(text: object, *kinds: str) -> bool:
    """Whether it is the text of an id of one of these kinds."""
    return isinstance(text, str) and _form_of(kinds).fullmatch(text) is not None


def is_bound(text: object, kind: str) -> bool:
    """Whether it is an id of this kind, or the first thing behind one (``…0``): the end of a range."""
    return is_id(text, kind) or (isinstance(text, str) and text.endswith("0") and is_id(text[:-1], kind))


def has_id_form(text: str) -> bool:
    """Whether the text has the form of an id made here, of a term (``agr_…/2``) as well."""
    return _ID.fullmatch(text) is not None


def predates(identifier: str, other: str) -> bool:
    """Whether the one id was made in an earlier millisecond than the other; never, where one is too short to tell."""
    return len(identifier) > 26 and len(other) > 26 and identifier[-26:-16] < other[-26:-16]


class Ids:
    """Makes ids from a clock (milliseconds) and a source of randomness, both passed in."""

    def __init__(self, now_ms: Callable[[], int], random_bytes: Callable[[int], bytes]) -> None:
        self._now_ms = now_ms
        self._random_bytes = random_bytes
        self._written = (-1, "")

    def new(self, kind: str, after: str = "") -> str:
        """A new id of that kind; ids made later sort later (to the millisecond). ``after``: an id that this one's time must
        not be before, whatever the clocks of two machines say."""
        time = self._time()
        if len(after) > 26:
            time = max(time, after[-26:-16])
        chance = int.from_bytes(self._random_bytes(10))
        return PREFIXES[kind] + time + "".join([_PAIRS[(chance >> shift) & 1023] for shift in _SHIFTS_OF_CHANCE])

    def _time(self) -> str:
        """Now, as the first ten characters of an id: many are made in one millisecond."""
        now = self._now_ms()
        ms, written = self._written
        if ms != now:
            written = "".join([_PAIRS[(now >> shift) & 1023] for shift in _SHIFTS_OF_TIME])
            self._written = (now, written)
        return written

    def token(self) -> int:
        """A fresh fencing token: 60 bits of chance, which no other claim has."""
        return int.from_bytes(self._random_bytes(8)) >> 4


def kind_of(identifier: str) -> str | None:
    """The kind that an id's prefix names, or ``None``."""
    return next((kind for kind, prefix in PREFIXES.items() if identifier.startswith(prefix)), None)
