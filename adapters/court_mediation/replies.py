"""The platform's replies (page §3), sorted by who heals them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.beijing import COMPACT_MINUTES
from adapters.court_mediation import wire
from adapters.court_mediation.wire import Envelope, Unreadable
from adapters.http import judge_status, retry_after
from contracts.adapter import Json, Receipt, Reply
from contracts.errors import AdapterError, EndpointError, PermanentError, Reason, RetryableError
from contracts.update import Reference

FILE_UNKNOWN = "1002"

_FOUR_DIGITS = re.compile(r"[0-9]{4}")
_IDENTIFIER = re.compile(r"[0-9A-Za-z_-]{1,64}")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_LONGEST_TEXT = 1000

_OPERATOR = {
    "401": "the platform does not accept our account or session",
    "403": "this court or service is not open to our account",
    "423": "the platform has locked our account",
}
_TIME = {"429": "too many requests", "503": "the platform is in maintenance"}
"""Nothing was done."""
_REFUSED = {
    "400": "the platform found errors in the form",
    "413": "the form or file is larger than the platform takes",
    "1001": "the form or code of a value is wrong",
    "1002": "a file is unknown there, or its upload too old",
    "1003": "applied for over 30 days after the effect, without reason",
    "1004": "another application is active",
    "1005": "not this court",
    "1006": "the agreement is not filed there",
    "1007": "not allowed in this state",
    "1008": "the task is unknown, answered, recalled or overdue",
}


def judge(reply: Reply, *, now: datetime, rate_wait: timedelta, filing: bool) -> Json:
    """``content`` of a reply of success; else raise what heals it. Classes of page §3, exactly.

    A login page is none of them: whoever sent the request asks ``wire.is_login_page`` first.

    Raises:
        RetryableError: 429, 503 (nothing was done); 500, ``-1``, 5xx, unreadable (for a filing: maybe accepted).
        EndpointError: 401, 403, 423; HTTP 401, 403, 404 and every other unexpected HTTP status below 500.
        PermanentError: 400, 413 and every code of four digits, with all findings.
    """
    asked = retry_after(reply, now)
    if reply.status == 429:
        raise RetryableError("429", _TIME["429"], retry_after=asked or rate_wait)
    judge_status(reply, now, refused=(413,), maybe_accepted=filing)
    try:
        envelope = wire.read_envelope(reply.body)
        if envelope.code != "200":
            raise _sorted(envelope, asked, rate_wait, filing=filing)
    except Unreadable as problem:
        raise unreadable(problem.code, filing=filing) from None
    return envelope.content


def unreadable(code: str, *, filing: bool) -> RetryableError:
    """The error for a reply that says nothing: of a filing, it leaves open whether the platform has it."""
    return RetryableError(code, "the reply is no word of the platform", maybe_accepted=filing)


def _sorted(envelope: Envelope, asked: timedelta | None, rate_wait: timedelta, *, filing: bool) -> AdapterError:
    code = envelope.code
    if code in _OPERATOR:
        return EndpointError(code, _OPERATOR[code])
    if code in _TIME:
        return RetryableError(code, _TIME[code], retry_after=asked or (rate_wait if code == "429" else None))
    if code == "500":
        return RetryableError(code, "internal error of the platform", retry_after=asked, maybe_accepted=filing)
    if code in _REFUSED or _FOUR_DIGITS.fullmatch(code):
        return PermanentError(
            code, _REFUSED.get(code, "the platform refused the document"), reasons=_findings(envelope)
        )
    raise Unreadable("unknown_code")


def _findings(envelope: Envelope) -> tuple[Reason, ...]:
    """The list of findings; where there is none, the platform's message."""
    found = tuple(
        Reason(code=envelope.code, text=_words(wire.text_of(row, "yy")), place=wire.text_of(row, "zd")[:200])
        for row in wire.rows_of(envelope.content, "errors")
    )
    if found or not envelope.message:
        return found
    return (Reason(code=envelope.code, text=_words(envelope.message)),)


def _words(text: str) -> str:
    """The platform breaks its lines with markup."""
    return _BREAK.sub("\n", text)[:_LONGEST_TEXT]


# -------------------------------------------------------------------------------------------------------------- filing


def receipt(content: Json, filing_no: str, *, opens: bool) -> Receipt:
    """The receipt of a writing service. ``opens``: the service's ``uuid`` names a thing of its own.

    Raises:
        RetryableError: success without ``uuid`` or for another ``tjbh``: maybe accepted.
    """
    uuid = identifier(content, "uuid")
    if uuid is None:
        raise unreadable("no_uuid", filing=True)
    if wire.text_of(content, "tjbh") != filing_no:
        raise unreadable("wrong_tjbh", filing=True)
    return Receipt(
        reference=uuid,
        references=(Reference("platform_no", uuid),) if opens else (),
        at=moment(wire.text_of(content, "djsj")),
    )


def identifier(content: Json, key: str) -> str | None:
    """An id that the platform gave; ``None`` where there is none that could be one."""
    found = wire.text_of(content, key)
    return found if _IDENTIFIER.fullmatch(found) else None


@dataclass(frozen=True, slots=True)
class Filed:
    """One record of a query; ``state`` is its ``zt``."""

    uuid: str
    at: str
    case_no: str
    state: str = ""


def found(content: Json, filing_no: str, *, opens: bool) -> Receipt | None:
    """What a query says of our filing number: one record is the receipt, more are the first with ``filed_twice``.

    Raises:
        RetryableError: an answer that does not say how many there are: "not found" must be said, not guessed.
    """
    records, total = asked(content, filing_no)
    if not records:
        return None
    first = records[0]
    numbers = [Reference("platform_no", first.uuid)] if opens else []
    if first.case_no:
        numbers.append(Reference("case_no", first.case_no))
    return Receipt(
        reference=first.uuid,
        references=tuple(numbers),
        filed_twice=total > 1,
        at=moment(first.at),
    )


def asked(content: Json, filing_no: str) -> tuple[list[Filed], int]:
    """The records of a query, oldest first, and how many there are in all.

    Raises:
        RetryableError: an answer that does not say how many there are: "not found" must be said, not guessed.
    """
    total = wire.text_of(content, "total")
    rows = wire.rows_of(content, "list")
    records = sorted(_records(rows, filing_no), key=lambda record: record.at)
    if total == "0" and not rows:
        return [], 0
    if not records or not (total.isascii() and total.isdigit() and len(total) < 10) or int(total) < len(rows):
        raise unreadable("no_finding", filing=False)
    return records, int(total)


def _records(rows: list[Json], filing_no: str) -> list[Filed]:
    records = []
    for row in rows:
        uuid = identifier(row, "uuid")
        if uuid is None or wire.text_of(row, "tjbh") != filing_no:
            raise unreadable("foreign_record", filing=False)
        told = (wire.text_of(row, "djsj"), wire.text_of(row, "ah")[:200], wire.text_of(row, "zt")[:20])
        records.append(Filed(uuid, *told))
    return records


def moment(text: str) -> datetime | None:
    """A time of the platform; ``None`` where the text is none."""
    try:
        return COMPACT_MINUTES.read(text)
    except ValueError:
        return None


# ------------------------------------------------------------------------------------------------------------- uploads


def uploaded(content: Json, size: int, sha256: str) -> str:
    """The id of an upload, if the platform has the very bytes.

    Raises:
        RetryableError: no id, or another size or digest. An upload has no business effect.
    """
    file_id = identifier(content, "fileId")
    if file_id is None:
        raise unreadable("no_file_id", filing=False)
    if wire.text_of(content, "wjdx") != str(size) or wire.text_of(content, "sha256").lower() != sha256:
        raise RetryableError("upload_differs", "the platform has other bytes than we sent")
    return file_id
