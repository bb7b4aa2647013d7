"""What one stored row of a reply, or item of a status file, says in canonical words (page §5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from adapters.beijing import SECONDS
from adapters.enterprise_confederation import codes, pulling
from adapters.enterprise_confederation.replies import COLUMNS, ITEM_KEYS, Kind
from adapters.enterprise_confederation.wire import MARK
from adapters.http import NotJson, read_json_object
from contracts.errors import Reason, UnreadableCallback
from contracts.status import ReferenceKind
from contracts.update import About, DeliveryWord, Key, KeyKind, Reference, StatusUpdate

UNKNOWN = "unknown"
_LIMIT = 256 * 1024
_RAW, _NUMBER = 100, 100
_CODE = re.compile(r"[EB][0-9]{2}")
_PLACE = re.compile(r"[A-Za-z0-9_.\[\]/\u4e00-\u9fff]{1,100}")
_OPERATOR = frozenset({"B01", "B05", "B07"})
"""Codes that an operator heals (page §5)."""


def parse(body: bytes, received_at: datetime) -> StatusUpdate:
    """What the row says.

    Raises:
        UnreadableCallback: a batch that nobody could read or that is late, no sound row, ``no_key``. An unknown word is no
            error: its status is ``unknown``.
    """
    try:
        found = read_json_object(body, limit=_LIMIT, depth=4)
    except NotJson as problem:
        raise UnreadableCallback(problem.code) from None
    for key in (pulling.BROKEN, pulling.LATE):
        if key in found:
            raise UnreadableCallback(found[key] if isinstance(found[key], str) and found[key] else key)
    base, kind, columns = found.get(pulling.BATCH), found.get(pulling.KIND), found.get(pulling.COLUMNS)
    if not isinstance(base, str) or not base or not isinstance(columns, dict):
        raise UnreadableCallback("no_sound_row")
    if not all(isinstance(value, str) for value in columns.values()):
        raise UnreadableCallback("no_sound_row")
    if kind == Kind.REPLY and all(name in columns for name in COLUMNS):
        message = found.get(pulling.MESSAGE)
        return _reply(base, columns, message if isinstance(message, str) and message else None, received_at)
    if kind == Kind.STATUS and columns.keys() <= set(ITEM_KEYS):
        return _status(columns, received_at)
    raise UnreadableCallback("no_sound_row")


def _reply(base: str, columns: Mapping[str, str], message: str | None, received_at: datetime) -> StatusUpdate:
    """A row about our delivery. One that is not of our batch finds none, and goes before a person."""
    event = f"{base}:{columns['行号']}"
    number = columns["平台编号"].strip()[:_NUMBER]
    code = columns["错误码"].strip()
    known = _CODE.fullmatch(code) is not None
    return StatusUpdate(
        event_id=event,
        about=About.DELIVERY,
        keys=(Key(KeyKind.MESSAGE, message or event),),
        status=_word(columns["结果"], code if known else "", number),
        raw_status=(code or columns["结果"] or "-")[:_RAW],
        at=_moment(columns["处理时间"]) or received_at,
        reason_code=code if known else None,
        reasons=(_reason(code, columns["错误说明"]),) if known else (),
        references=(Reference(ReferenceKind.PLATFORM_NO, number),) if number else (),
    )


def _word(result: str, code: str, number: str) -> str:
    if result == "受理":
        return DeliveryWord.ACCEPTED
    if result == "重复":
        return DeliveryWord.ACCEPTED if number else DeliveryWord.TAKEN
    if result == "处理中":
        return DeliveryWord.TAKEN
    if result != "拒绝" or not code:
        return UNKNOWN
    return DeliveryWord.FAILED if code in _OPERATOR else DeliveryWord.REFUSED


def _reason(code: str, text: str) -> Reason:
    return Reason(code, text, text if code == "E11" and _PLACE.fullmatch(text) else "")


def _status(columns: Mapping[str, str], received_at: datetime) -> StatusUpdate:
    """An item about a case. The platform's number names a record, not a case: it is no key here."""
    event = columns.get("事件号", "").strip()
    if not event or len(event) > 64:
        raise UnreadableCallback("no_event_number")
    organization, mark, number = columns.get("案件主键", "").partition(MARK)
    if not organization or not mark or not number:
        raise UnreadableCallback("no_key")
    word, said = columns.get("状态", ""), columns.get("说明", "")
    return StatusUpdate(
        event_id=event,
        about=About.CASE,
        keys=(Key(KeyKind.CASE_NO_OF_SOURCE, number, organization),),
        status=codes.TOLD.value(word) or UNKNOWN,
        raw_status=word[:_RAW] or "-",
        at=_moment(columns.get("时间", "")) or received_at,
        reasons=(Reason(code="", text=said, place="说明"),) if said.strip() else (),
    )


def _moment(text: str) -> datetime | None:
    try:
        return SECONDS.read(text)
    except ValueError:
        return None
