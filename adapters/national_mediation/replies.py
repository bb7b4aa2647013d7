"""What a reply means: success, duplicate, or whose turn it is to heal the failure (page §4). Its ``code`` decides."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from adapters.http import NotJson, retry_after, status_error
from adapters.national_mediation import wire
from contracts.adapter import Json, Reply
from contracts.errors import AdapterError, EndpointError, PermanentError, Reason, RetryableError

DUPLICATE, ANSWERED, CURSOR_EXPIRED = "DUPLICATE", "REFERRAL_ANSWERED", "CURSOR_EXPIRED"
REFERRAL_UNKNOWN = "REFERRAL_UNKNOWN"
FILE_UNKNOWN = frozenset({"fileId", "fileIds"})
"""Fields whose refusal may mean that the platform no longer knows an upload of ours."""

_TOKEN_REFUSED = frozenset({"TOKEN_EXPIRED", "TOKEN_INVALID"})
_TIME = _TOKEN_REFUSED | {"RATE_LIMITED", "MAINTENANCE", "BUSY", "IDEMPOTENCY_IN_PROGRESS", "FILE_NOT_READY"}
_OPERATOR = {
    "CLIENT_DISABLED": "our client is disabled",
    "SCOPE_MISSING": "our client lacks a right",
    "IP_NOT_ALLOWED": "our address is not allowed",
    "ORG_NOT_BOUND": "the organisation is not bound to our client",
    "PATH_UNKNOWN": "the address is not the platform's",
    "BODY_UNREADABLE": "the platform could not read our body",
    "IDEMPOTENCY_KEY_MISSING": "the platform misses the key of the call",
    "IDEMPOTENCY_MISMATCH": "the platform holds another body under this key",
}
_REFUSED = frozenset(
    {
        "VALIDATION_FAILED",
        "CASE_UNKNOWN",
        REFERRAL_UNKNOWN,
        "CASE_CLOSED",
        "REFERRAL_RECALLED",
        "REFERRAL_EXPIRED",
        "PERIOD_CLOSED",
        "VERSION_STALE",
        "TOO_LARGE",
        "TYPE_REFUSED",
    }
)
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,39}")
_FIELD = re.compile(r"[A-Za-z0-9_.\[\]/-]{1,200}")
_MOST_REASONS = 100
_NOT_THERE, _SLOWED_DOWN = frozenset({401, 403, 404, 405, 407}), frozenset({408, 425, 429})
"""Without a code of the platform these come from whoever stands before it: the operator heals the first, time the others."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful reply: its object. ``replayed``: the platform had it already; ``known``: the object of an earlier filing,
    told by a 409 instead of a receipt."""

    body: Json
    replayed: bool = False
    known: bool = False


def judge(reply: Reply, now: datetime, *, filing: bool, answer: str | None = None) -> Answer:
    """Read one reply. ``answer``: the state that a referral has after this answer of ours.

    Raises:
        RetryableError, EndpointError, PermanentError: the predicates of page §4.
    """
    if 200 <= reply.status < 300:
        try:
            return Answer(wire.read(reply.body), (reply.header("Idempotency-Replayed") or "").lower() == "true")
        except NotJson as unread:
            raise RetryableError(unread.code, "no readable answer to our call", maybe_accepted=filing) from None
    problem = _problem(reply)
    code = problem.get("code") if problem is not None else None
    if problem is None or not isinstance(code, str) or not _CODE.fullmatch(code):
        raise _unsaid(reply, now, filing)
    existing = problem.get("existing")
    # Cases and agreements are filed twice, answers are given twice: each has its own word for it.
    if isinstance(existing, dict) and (
        code == DUPLICATE if answer is None else code == ANSWERED and existing.get("state") == answer
    ):
        return Answer(existing, known=True)
    raise _said(code, problem, reply, now, filing)


def token_refused(reply: Reply) -> str | None:
    """The code with which the platform no longer takes our token; ``None`` where it says anything else."""
    if reply.status < 400:
        return None
    code = (_problem(reply) or {}).get("code")
    return code if isinstance(code, str) and code in _TOKEN_REFUSED else None


def _problem(reply: Reply) -> Json | None:
    try:
        return wire.read(reply.body)
    except NotJson:
        return None


def _said(code: str, problem: Json, reply: Reply, now: datetime, filing: bool) -> AdapterError:
    if code in _TIME:
        return RetryableError(code, "the platform is not serving this now", retry_after=retry_after(reply, now))
    if code in _OPERATOR:
        return EndpointError(code, _OPERATOR[code])
    if code == DUPLICATE:
        return RetryableError(code, "the platform holds it and does not say under which number", maybe_accepted=filing)
    if code in _REFUSED or code == ANSWERED or 400 <= reply.status < 500:
        return PermanentError(code, "the platform refused the document", reasons=_reasons(code, problem))
    return _by_status(reply, now, filing)


def _unsaid(reply: Reply, now: datetime, filing: bool) -> AdapterError:
    """A failure without a code of the platform: its status is all there is."""
    if 400 <= reply.status < 500 and reply.status not in _NOT_THERE | _SLOWED_DOWN:
        return PermanentError(f"http_{reply.status}", "the platform refused the document by its HTTP status")
    return _by_status(reply, now, filing)


def _by_status(reply: Reply, now: datetime, filing: bool) -> AdapterError:
    """Every 5xx without a code that says more may hide a filing, 503 too: it may be of whoever stands before the platform."""
    error = status_error(reply, now, maybe_accepted=filing)
    if isinstance(error, RetryableError) and reply.status >= 500:
        error.maybe_accepted = filing
    return error


def _reasons(code: str, problem: Json) -> tuple[Reason, ...]:
    """Fields and codes, and the platform's words, which the store seals."""
    found = []
    errors = problem.get("errors")
    for error in errors[:_MOST_REASONS] if isinstance(errors, list) else ():
        if isinstance(error, dict):
            own, place = wire.text_of(error, "code", 40) or "", wire.text_of(error, "field", 200) or ""
            found.append(
                Reason(
                    own if _CODE.fullmatch(own) else "",
                    wire.text_of(error, "message") or "",
                    place if _FIELD.fullmatch(place) else "",
                )
            )
    return tuple(found) or (Reason(code, wire.text_of(problem, "detail") or ""),)


def file_unknown(refusal: PermanentError) -> bool:
    """Whether the platform refused a file's id."""
    return any(reason.place.partition("[")[0].partition("/")[0] in FILE_UNKNOWN for reason in refusal.reasons)
