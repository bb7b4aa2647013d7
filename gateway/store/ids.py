"""Ids made by the gateway: a prefix that names the thing, then 26 time-ordered characters (48 bits of time, 80 of chance)."""

from __future__ import annotations

from collections.abc import Callable

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
"""Two characters at a time: 10 bits."""

_SHIFTS = tuple(range(120, -1, -10))

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


class Ids:
    """Makes ids from a clock (milliseconds) and a source of randomness, both passed in."""

    def __init__(self, now_ms: Callable[[], int], random_bytes: Callable[[int], bytes]) -> None:
        self._now_ms = now_ms
        self._random_bytes = random_bytes

    def new(self, kind: str) -> str:
        """A new id of that kind; ids made later sort later (to the millisecond)."""
        number = (self._now_ms() << 80) | int.from_bytes(self._random_bytes(10))
        return PREFIXES[kind] + "".join([_PAIRS[(number >> shift) & 1023] for shift in _SHIFTS])

    def token(self) -> int:
        """A fresh fencing token: 60 bits of chance, which no other claim has."""
        return int.from_bytes(self._random_bytes(8)) >> 4


def kind_of(identifier: str) -> str | None:
    """The kind that an id's prefix names, or ``None``."""
    return next((kind for kind, prefix in PREFIXES.items() if identifier.startswith(prefix)), None)
