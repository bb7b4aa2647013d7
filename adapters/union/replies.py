"""What a reply means: they have it, time or the operator heals it, or nobody can say (page §3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.http import judge_status, retry_after
from adapters.union import form, security
from contracts.adapter import Receipt, Reply
from contracts.errors import AdapterError, EndpointError, RetryableError
from contracts.update import Reference

BATCH_NO = re.compile(r"U[0-9]{20}")
"""``U``, the time in 14 digits, and 6 more."""

SIGN_REFUSED = "A1"

_OPERATOR = {
    SIGN_REFUSED: "sign: the secrets differ",
    "A2": "clock: ours and the platform's differ by more than 300 s",
    "A4": "appKey",
    "B1": "form: coding, names, timestamp or nonce",
    "B2": "batch: n or item numbers",
    "B3": "method",
}
_TIME = {
    "C1": ("busy, or more than 2 batches a second", timedelta(seconds=5)),
    "C2": ("maintenance", None),
    "A3": ("nonce already seen", timedelta(0)),
}
_IN_DOUBT = {"C9": "system error"}

_NOT_TAKEN = frozenset({401, 403, 404, 413})
"""Statuses by which the platform itself refuses the call before it looks into it (page §3)."""

_CODE = re.compile(r"[A-Z][0-9]{1,2}")
_PAGE = re.compile(rb"<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_LOOKED_AT = 2048


@dataclass(frozen=True, slots=True)
class Received:
    """The platform's word that the bytes came in: its batch number (``""`` for a ping), and when by its own clock."""

    batch_no: str
    at: datetime | None

    def receipt(self) -> Receipt:
        """The answer to a filing, for the engine: they have it, whether they agree comes later."""
        numbers = (Reference("batch_no", self.batch_no),)
        return Receipt(reference=self.batch_no, references=numbers, relayed=True, at=self.at)


def judge(reply: Reply, secret: str, now: datetime, *, filing: bool) -> Received:
    """Read one reply. ``filing`` says that the call has the business effect: only then is anything in doubt.

    Raises:
        RetryableError: C1, C2, A3, HTTP 502 and 503 with a page of HTML (nothing was stored). With ``maybe_accepted``
            for a filing: C9, a code of nobody, every other HTTP status (whoever answered, the batch may be there), and a
            200 whose body is empty, cut, undecodable, wrongly signed or without batch number.
        EndpointError: A1, A2, A4, B1, B2, B3, HTTP 401, 403, 404, 413; for a ping every other 3xx and 4xx, too.
    """
    if reply.status in (502, 503):
        stored_nothing = _PAGE.search(reply.body[:_LOOKED_AT]) is not None
        raise RetryableError(
            f"http_{reply.status}",
            "the platform is not serving now",
            retry_after=retry_after(reply, now),
            maybe_accepted=filing and not stored_nothing,
        )
    if filing and 300 <= reply.status < 500 and reply.status not in _NOT_TAKEN:
        raise RetryableError(
            f"http_{reply.status}",
            "a status that does not say what became of the batch",
            retry_after=retry_after(reply, now),
            maybe_accepted=True,
        )
    judge_status(reply, now, maybe_accepted=filing)
    try:
        found = form.decode(reply.body)
    except form.Malformed as problem:
        raise _unreadable(problem.code, filing) from None
    result = found.get("result", "")
    if not security.holds(found, secret):
        if result == "1" and found.get("code") == SIGN_REFUSED:
            # Both sides find the other's sign wrong: the secrets differ, and then nothing of ours was taken.
            raise _refusal(SIGN_REFUSED, filing)
        raise _unreadable("wrong_sign", filing)
    if result == "1":
        raise _refusal(found.get("code", ""), filing)
    if result != "0":
        raise _unreadable("no_result", filing)
    batch_no = found.get("batchNo", "")
    if filing and not BATCH_NO.fullmatch(batch_no):
        raise _unreadable("no_batch_no", filing)
    return Received(batch_no, security.read_stamp(found.get("timestamp", "")))


def _refusal(code: str, filing: bool) -> AdapterError:
    if code in _OPERATOR:
        return EndpointError(code, _OPERATOR[code])
    if code in _TIME:
        text, wait = _TIME[code]
        return RetryableError(code, text, retry_after=wait)
    # Whoever does not say by a code that we know what became of the batch may have stored it.
    known = code if _CODE.fullmatch(code) else "unknown_code"
    return RetryableError(known, _IN_DOUBT.get(code, "refused by a code of nobody"), maybe_accepted=filing)


def _unreadable(code: str, filing: bool) -> RetryableError:
    return RetryableError(code, "no readable answer to our call", maybe_accepted=filing)
