"""What one stored row of ``TJ_IN`` says, in canonical words (page §6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from adapters.beijing import SECONDS
from adapters.commerce_federation import codes
from adapters.commerce_federation.pulling import COLUMNS, OURS
from adapters.commerce_federation.replies import (
    MOST_RESENDS,
    POSTPONED_S,
    code_of,
    is_failed,
    is_postponed,
    reason_of,
)
from adapters.commerce_federation.wire import MARK, digest_of
from adapters.http import NotJson, read_json_object
from contracts.adapter import Json
from contracts.errors import Reason, UnreadableCallback
from contracts.status import CaseStatus, ReferenceKind
from contracts.update import About, DeliveryWord, Key, KeyKind, Reference, StatusUpdate

UNKNOWN = "unknown"
_NOTHING_SAID = "（平台未写明内容）"
_SIGNED = ("KIND", "OUT_ID", "CASE_KEY", "PLAT_NO", "ZT", "FAIL_CODE", "REASON", "HAPPENED_AT")
_WORDS, _RAW = 2000, 100
_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class InRow:
    """One row as it was read: its columns, and how our own row stood. ``again_s``: when that one is due again, if it failed for
    now; ``None``: it went again often enough."""

    in_id: int
    columns: Mapping[str, str | None]
    our_case: str | None
    again_s: float | None
    at: datetime

    def __getitem__(self, name: str) -> str | None:
        """A column; an empty one is none."""
        return self.columns[name] or None


def parse(
    body: bytes, received_at: datetime, postpone_s: float = POSTPONED_S, resends: int = MOST_RESENDS
) -> StatusUpdate:
    """What the row says. ``postpone_s``, ``resends``: when and how often a row that failed for now goes again.

    Raises:
        UnreadableCallback: no sound row, ``digest``, ``unknown_kind``, ``no_key``. An unknown code is no error: its status is
            ``unknown``.
    """
    row = _read(body, received_at, postpone_s, resends)
    kind = row["KIND"] or ""
    read = _KINDS.get(kind)
    if read is None:
        raise UnreadableCallback("unknown_kind")
    return read(row)


def _read(body: bytes, received_at: datetime, postpone_s: float, most_resends: int) -> InRow:
    try:
        found = read_json_object(body, limit=_LIMIT, depth=4)
    except NotJson as problem:
        raise UnreadableCallback(problem.code) from None
    in_id, ours = found.get("IN_ID"), found.get(OURS)
    if isinstance(in_id, bool) or not isinstance(in_id, int) or abs(in_id) >= 2**63:
        raise UnreadableCallback("no_event_number")
    columns = {name: _column(found, name) for name in COLUMNS}
    if columns["DIGEST"] != digest_of(in_id, *(columns[name] for name in _SIGNED)):
        raise UnreadableCallback("digest")
    our_case, count = (ours.get("CASE_KEY"), ours.get("RESEND_COUNT")) if isinstance(ours, dict) else (None, None)
    resends = count if isinstance(count, int) and not isinstance(count, bool) else 0
    return InRow(
        in_id,
        columns,
        our_case if isinstance(our_case, str) else None,
        postpone_s if resends < most_resends else None,
        _moment(columns["HAPPENED_AT"]) or received_at,
    )


def _column(found: Json, name: str) -> str | None:
    value = found.get(name)
    if value is not None and not isinstance(value, str):
        raise UnreadableCallback("no_sound_row")
    return value


def _moment(text: str | None) -> datetime | None:
    try:
        return SECONDS.read(text or "")
    except ValueError:
        return None


# ------------------------------------------------------------------------------------------------------ about our delivery


def _taken(row: InRow) -> StatusUpdate:
    return _of_delivery(row, DeliveryWord.TAKEN)


def _accepted(row: InRow) -> StatusUpdate:
    """Also D01: the platform had it already, under its old number."""
    return _of_delivery(row, DeliveryWord.ACCEPTED)


def _refused(row: InRow) -> StatusUpdate:
    """E1x to E4x are the sender's, E8x waits (a few times, then a person looks), E9x is the operator's."""
    code = code_of(row["FAIL_CODE"])
    if code is None:
        return _of_delivery(row, UNKNOWN)
    if is_postponed(code) and row.again_s is not None:
        return _of_delivery(row, DeliveryWord.POSTPONED, code, wait_s=row.again_s)
    if is_postponed(code) or is_failed(code):
        return _of_delivery(row, DeliveryWord.FAILED, code)
    return _of_delivery(row, DeliveryWord.REFUSED if code[1] in "1234" else UNKNOWN, code)


def _of_delivery(row: InRow, status: str, code: str | None = None, wait_s: float | None = None) -> StatusUpdate:
    number = row["PLAT_NO"]
    return StatusUpdate(
        event_id=str(row.in_id),
        about=About.DELIVERY,
        keys=(_delivery_key(row),),
        status=status,
        raw_status=(row["FAIL_CODE"] or row["KIND"] or "")[:_RAW],
        at=row.at,
        reason_code=code,
        reasons=() if code is None else (reason_of(code, (row["REASON"] or "")[:_WORDS]),),
        references=() if number is None else (Reference(ReferenceKind.PLATFORM_NO, number),),
        retry_after_s=wait_s,
    )


def _delivery_key(row: InRow) -> Key:
    """Our message. A row that names it beside another case is not about it: then its case alone, under which no delivery is
    found, so that a person looks."""
    out_id = row["OUT_ID"]
    if out_id is None:
        raise UnreadableCallback("no_key")
    if row.our_case is not None and row.our_case != row["CASE_KEY"]:
        return _case_key(row)
    return Key(KeyKind.MESSAGE, out_id)


# ---------------------------------------------------------------------------------------------------------- about the case


def _status(row: InRow) -> StatusUpdate:
    return _of_case(row, codes.TOLD.value(row["ZT"] or "") or UNKNOWN, row["ZT"] or "02")


def _correction(row: InRow) -> StatusUpdate:
    return _of_case(row, CaseStatus.CORRECTION_REQUIRED, "03")


def _of_case(row: InRow, status: str, raw: str) -> StatusUpdate:
    reason = row["REASON"]
    return StatusUpdate(
        event_id=str(row.in_id),
        about=About.CASE,
        keys=(_case_key(row),),
        status=status,
        raw_status=raw[:_RAW],
        at=row.at,
        reasons=() if reason is None else (Reason(code="", text=reason[:_WORDS], place="REASON"),),
    )


def _note(row: InRow) -> StatusUpdate:
    return StatusUpdate(
        event_id=str(row.in_id),
        about=About.CASE,
        keys=(_case_key(row),),
        status="",
        raw_status="04",
        at=row.at,
        note=(row["REASON"] or _NOTHING_SAID)[:_WORDS],
    )


def _case_key(row: InRow) -> Key:
    """The organisation's own number. The platform's number names a record, not a case: it is no key here."""
    organization, mark, number = (row["CASE_KEY"] or "").partition(MARK)
    if not organization or not mark or not number:
        raise UnreadableCallback("no_key")
    return Key(KeyKind.CASE_NO_OF_SOURCE, number, organization)


_KINDS: Mapping[str, Callable[[InRow], StatusUpdate]] = MappingProxyType(
    {"00": _taken, "01": _accepted, "02": _status, "03": _correction, "04": _note, "09": _refused}
)
