"""The platform's replies (page §3): proven, opened, and sorted by who heals them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.beijing import D14
from adapters.hr_arbitration import wire
from adapters.hr_arbitration.security import Keys, Undecipherable
from adapters.http import seconds
from contracts.adapter import Json
from contracts.errors import AdapterError, EndpointError, PermanentError, Reason, RetryableError

SUCCESS, DUPLICATE, NONCE, SHAPE = "0000", "1001", "3005", "3001"
FILE_UNKNOWN = "4050"

_CODE = re.compile(r"[0-9]{4}")
_WORDS = {
    "2001": "the platform is busy",
    "2002": "the platform is in maintenance",
    "3001": "the platform does not accept the shape of our envelope",
    "3002": "unknown application id, or no right to this service",
    "3003": "our clock is off",
    "3004": "the platform does not accept our signature",
    "3005": "the platform knows this nonce already",
    "3006": "the platform cannot decrypt our body",
    "3008": "the platform does not know this service",
    "4001": "a required field is missing",
    "4002": "the form or code of a value is wrong",
    "4003": "a value is too long",
    "4009": "the serial number is known with other content",
    "4010": "the case is unknown there",
    "4011": "not allowed in this state",
    "4020": "review applied for after 15 days without reason",
    "4021": "another confirmation is active",
    "4022": "not this commission",
    "4023": "a labour relation cannot be confirmed",
    "4024": "the agreement is unknown there",
    "4030": "the mediator is unknown there or the certificate has expired",
    "4040": "the task is unknown, answered or overdue",
    "4050": "a file is unknown there",
    "5000": "internal error of the platform",
}


class Unreadable(ValueError):
    """A reply that proves nothing: garbage, another's signature, or the answer to another request. Never quoted."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply that is the platform's, to this very request. Keys of ``body`` are in upper case."""

    code: str
    timestamp: str
    wait: timedelta | None
    body: Json

    @property
    def succeeded(self) -> bool:
        """Whether the message has its effect, now or since its first answer."""
        return self.code in (SUCCESS, DUPLICATE)


def read_answer(keys: Keys, raw: bytes, sent: Mapping[str, str], limit: int) -> Answer:
    """Prove and open a reply. ``sent`` is the head of our request. Slow and pure: run it off the event loop.

    Raises:
        Unreadable: no envelope, wrong signature, ``reqnonce`` or echo of another request, or a body that does not open.
    """
    try:
        envelope = wire.read_envelope(raw, limit)
    except wire.NotAnEnvelope as error:
        raise Unreadable(error.code) from None
    if not keys.platform_signed(envelope):
        raise Unreadable("wrong_signature")
    code = envelope.field("code")
    if not _CODE.fullmatch(code):
        raise Unreadable("no_code")
    for ours, echoed in (("nonce", "reqnonce"), ("serialno", "serialno"), ("serviceid", "serviceid")):
        # What the platform could not read is echoed as "", which is only possible where the shape was wrong.
        if envelope.field(echoed) != sent[ours] and not (code == SHAPE and envelope.field(echoed) == ""):
            raise Unreadable(f"wrong_{echoed}")
    return Answer(
        code=code,
        timestamp=envelope.field("timestamp"),
        wait=seconds(envelope.field("retryafter")),
        body=_open(keys, envelope.body, code, limit),
    )


def judge(answer: Answer, now: datetime, *, filing: bool) -> AdapterError | None:
    """``None`` where the platform has the message, else the error that says who heals it. Classes of page §3, exactly:
    time for 2xxx, 3005 and 5xxx (which may have been accepted), the operator for every other 3xxx, the sender for 4xxx,
    with all findings.

    Raises:
        Unreadable: a code of no class.
    """
    if answer.succeeded:
        return None
    code, text = answer.code, _WORDS.get(answer.code, "")
    if code == NONCE:
        return RetryableError(code, text, retry_after=timedelta(0))
    match code[0]:
        case "2":
            return RetryableError(code, text, retry_after=answer.wait)
        case "3":
            return EndpointError(code, text + _skew(answer, now))
        case "4":
            return PermanentError(code, text, reasons=_findings(answer))
        case "5":
            return RetryableError(code, text, retry_after=answer.wait, maybe_accepted=filing)
        case _:
            raise Unreadable("unknown_code")


def _open(keys: Keys, body: str, code: str, limit: int) -> Json:
    if not body:
        return {}
    try:
        return keys.open(body, limit)
    except Undecipherable as error:
        # The signature covers the code: a refusal stands, though nobody can read its findings.
        if code in (SUCCESS, DUPLICATE):
            raise Unreadable(error.code) from None
        return {}


def _skew(answer: Answer, now: datetime) -> str:
    """For 3003: by how many seconds our clock is ahead of the platform's."""
    if answer.code != "3003":
        return ""
    try:
        return f" by {round((now - D14.read(answer.timestamp)).total_seconds())} s"
    except ValueError:
        return ""


def _findings(answer: Answer) -> tuple[Reason, ...]:
    rows = answer.body.get("BZR003")
    return tuple(
        Reason(
            code=answer.code,
            text=wire.texts(row, "BZR006")[:1000],
            place=".".join(part for part in (wire.texts(row, "BZR005"), wire.texts(row, "BZR004")) if part)[:200],
        )
        for row in (rows if isinstance(rows, list) else [])[:1000]
        if isinstance(row, dict)
    )
