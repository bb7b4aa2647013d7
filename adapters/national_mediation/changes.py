"""变更: what one stored item of a poll says, in canonical words (page §6)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from types import MappingProxyType

from adapters.http import NotJson
from adapters.national_mediation import codes, drafts, wire
from adapters.national_mediation.drafts import moment_of, word
from adapters.national_mediation.pulling import CHANGE, REFERRAL
from contracts.adapter import InboundCall, Json
from contracts.errors import Reason, UnreadableCallback
from contracts.update import About, DocumentLink, Inbound, Key, KeyKind, StatusUpdate

UNKNOWN = "unknown"
_OF_REFERRALS = "REFERRAL_"
_NOTE, _RAW, _DIGEST = 20_000, 100, 64
_MOST_DOCUMENTS = 20
_HEX = frozenset("0123456789abcdef")


def parse(call: InboundCall, endpoint: str, organizations: Collection[str]) -> tuple[Inbound, ...]:
    """What one item says.

    Raises:
        UnreadableCallback: no sound object, no number, another organisation, or nothing that can be understood. An unknown
            kind or code is no error: its status is ``unknown``.
    """
    try:
        found = wire.read(call.body)
    except NotJson as problem:
        raise UnreadableCallback(problem.code) from None
    referral, change = found.get(REFERRAL), found.get(CHANGE)
    if isinstance(referral, dict):
        if referral.get("orgCode") not in organizations:
            raise UnreadableCallback("foreign_organization")
        return (drafts.offered(referral, endpoint),)
    if not isinstance(change, dict):
        raise UnreadableCallback("no_change")
    return (_change(change, call.received_at),)


def _change(change: Json, received_at: datetime) -> StatusUpdate:
    number = wire.id_of(change, "changeId")
    if number is None:
        raise UnreadableCallback("no_event_number")
    kind = wire.text_of(change, "kind", _RAW)
    if kind is None:
        raise UnreadableCallback("no_kind")
    at = moment_of(change, "at") or received_at
    said = _KINDS.get(kind, _unknown)(change, number, at)
    if not said.keys:
        raise UnreadableCallback("no_key")
    return said


def _unknown(change: Json, number: str, at: datetime) -> StatusUpdate:
    """A kind that is in no table. Its name tells what it is about: a referral's case may not be known here yet."""
    if str(change["kind"]).startswith(_OF_REFERRALS):
        return _referral(UNKNOWN)(change, number, at)
    return _of_case(change, number, at, UNKNOWN, _raw(change))


def _status(change: Json, number: str, at: datetime) -> StatusUpdate:
    code, result = wire.text_of(change, "status", 10) or "", wire.text_of(change, "result", 10)
    status = codes.RESULT.value(result or "") if code == codes.ENDED else codes.STATUS.value(code)
    return _of_case(change, number, at, status or UNKNOWN, _raw(change))


def _correction(change: Json, number: str, at: datetime) -> StatusUpdate:
    return _of_case(change, number, at, "correction_required", _raw(change))


def _of_case(change: Json, number: str, at: datetime, status: str, raw: str) -> StatusUpdate:
    reason = word(change, "reason", _NOTE)
    return StatusUpdate(
        event_id=number,
        about=About.CASE,
        keys=_case_keys(change),
        status=status,
        raw_status=raw,
        at=at,
        reasons=(Reason(code="", text=reason, place="reason"),) if reason else (),
        documents=_documents(change),
    )


def _referral(status: str) -> Callable[[Json, str, datetime], StatusUpdate]:
    def read(change: Json, number: str, at: datetime) -> StatusUpdate:
        named = wire.id_of(change, "referralId")
        return StatusUpdate(
            event_id=number,
            about=About.REFERRAL,
            keys=() if named is None else (Key(KeyKind.REFERENCE, named, "referral_id"),),
            status=status,
            raw_status=_raw(change),
            at=at,
            note=word(change, "reason", _NOTE),
        )

    return read


def _report_returned(change: Json, number: str, at: datetime) -> StatusUpdate:
    """统计报表退回: a task. The page does not say how it names the report; our number of it is tried wherever one stands."""
    named = [value for key in ("externalNo", "caseId") if (value := wire.text_of(change, key, 100)) is not None]
    return StatusUpdate(
        event_id=number,
        about=About.REPORT,
        keys=tuple(Key(KeyKind.REFERENCE, value, "platform_no") for value in named),
        status="returned",
        raw_status=_raw(change),
        at=at,
        note=word(change, "reason", _NOTE),
    )


_KINDS: Mapping[str, Callable[[Json, str, datetime], StatusUpdate]] = MappingProxyType(
    {
        "CASE_STATUS": _status,
        "CORRECTION": _correction,
        "REFERRAL_RECALLED": _referral("recalled"),
        "REFERRAL_EXPIRED": _referral("expired"),
        "STAT_RETURNED": _report_returned,
    }
)


def _case_keys(change: Json) -> tuple[Key, ...]:
    """Our number first, whose organisation the platform does not tell, then the platform's."""
    keys = []
    number, theirs = word(change, "externalNo", 40), wire.id_of(change, "caseId")
    if number is not None:
        keys.append(Key(KeyKind.CASE_NO_OF_SOURCE, number))
    if theirs is not None:
        keys.append(Key(KeyKind.REFERENCE, theirs, "platform_no"))
    return tuple(keys)


def _raw(change: Json) -> str:
    """What the platform wrote: its own word, else the code with its result, else the kind."""
    own, code, result = (wire.text_of(change, key, _RAW) for key in ("rawStatus", "status", "result"))
    coded = code if code is None or result is None else f"{code}/{result}"
    return (own or coded or str(change["kind"]))[:_RAW]


def _documents(change: Json) -> tuple[DocumentLink, ...]:
    listed = change.get("docs")
    found = []
    for one in listed[:_MOST_DOCUMENTS] if isinstance(listed, list) else ():
        ref = wire.id_of(one, "fileId") if isinstance(one, dict) else None
        if ref is None:
            continue
        kind = codes.FILE_KIND.value(wire.text_of(one, "kind", 10) or "") or "other"
        digest = (wire.text_of(one, "sha256", _DIGEST) or "").lower()
        sound = len(digest) == _DIGEST and _HEX.issuperset(digest)
        name, size = word(one, "name", 100) or codes.FILE_NAMES[codes.OTHER_FILE], wire.count_of(one, "size")
        found.append(DocumentLink(ref, kind, name, size=size, sha256=digest if sound else None))
    return tuple(found)
