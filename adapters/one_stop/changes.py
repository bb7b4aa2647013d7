"""A pulled change (变更) in canonical words: assignment, recall, status, supervision, the unknown (page §5)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime

from adapters.beijing import DAY, SECONDS
from adapters.one_stop.codes import END_REASON, PROGRESS, TRANSFER_REASON
from adapters.one_stop.drafts import offered
from adapters.one_stop.pulling import numbered, ours
from adapters.one_stop.wire import NAMESPACE, Node, Unreadable, read
from contracts.adapter import InboundCall, PolledItem
from contracts.errors import Reason, UnreadableCallback
from contracts.holdings import Holding, Period
from contracts.identifiers import IdPrefix, id_pattern
from contracts.update import About, Inbound, Key, KeyKind, Reference, StatusUpdate

UNKNOWN = "unknown"

_NOT_SIGNED_IN_TIME = "逾期未签收"
_CATEGORIES = {code: (About(noun), statuses) for noun, (code, statuses) in PROGRESS.items()}
_REASONS = {About.CASE: END_REASON, About.TRANSFER: TRANSFER_REASON}

_REFERRAL_ID = re.compile(id_pattern(IdPrefix.REFERRAL))

_LONGEST_RAW = 100
_LONGEST_NOTE = 20_000


def parse_change(call: InboundCall, endpoint: str, organizations: Collection[str]) -> tuple[Inbound, ...]:
    """What one stored change says.

    Raises:
        UnreadableCallback: no sound XML, no change, no number, an organisation that is not configured, a required item
            missing or of no sound form. An unknown kind or code is no error: its status is ``unknown``.
    """
    try:
        change = read(call.body)
        if (change.namespace, change.name) != (NAMESPACE, "变更"):
            raise Unreadable("not_a_change")
        number = numbered(change)
        if number is None:
            raise Unreadable("no_event_number")
        if not ours(change, organizations):
            raise Unreadable("foreign_organization")
        return (_inbound(change, number, call.received_at, endpoint),)
    except Unreadable as problem:
        raise UnreadableCallback(problem.code) from None


def said_in(period: Period, items: Iterable[PolledItem]) -> Iterator[Holding]:
    """The changes of a period among the raw items of a page. One that tells no time belongs to every period."""
    for item in items:
        change = read(item.body)
        try:
            at = _at(change)
        except Unreadable:
            at = None
        if at is None or period.holds(at):
            yield Holding(item.event_id, at, item=item)


def _inbound(change: Node, number: str, received_at: datetime, endpoint: str) -> Inbound:
    match change.value("变更类型"):
        case "1":
            return offered(change, number, _at(change), endpoint)
        case "2":
            return _recalled(change, number)
        case "3":
            return _status(change, number)
        case "4":
            return _supervised(change, number)
        case None:
            raise Unreadable("no_type")
        case other:
            return _unknown(change, number, other, received_at)


def _recalled(change: Node, number: str) -> StatusUpdate:
    reason = change.value("原因")
    return StatusUpdate(
        event_id=number,
        about=About.REFERRAL,
        keys=_referral_keys(change),
        status="expired" if reason == _NOT_SIGNED_IN_TIME else "recalled",
        raw_status="2",
        at=_at(change),
        note=reason[:_LONGEST_NOTE] if reason else None,
    )


def _status(change: Node, number: str) -> StatusUpdate:
    category, raw = change.value("进展类别") or "", change.value("状态")
    if raw is None:
        raise Unreadable("no_status")
    about, statuses = _CATEGORIES.get(category, (About.CASE, None))
    if statuses is None:
        # A code means nothing without its table: both are kept.
        status, raw = UNKNOWN, f"{category}/{raw}"
    else:
        status = statuses.value(raw) or UNKNOWN
    reason = change.value("原因")
    table = _REASONS.get(about)
    reason_code = table.value(reason) if table is not None and reason is not None else None
    document_no = change.value("文书号")
    return StatusUpdate(
        event_id=number,
        about=about,
        keys=_case_keys(change),
        status=status,
        raw_status=raw[:_LONGEST_RAW],
        at=_at(change),
        reason_code=reason_code,
        reasons=_unmapped(reason) if reason is not None and reason_code is None else (),
        references=(Reference("document_no", document_no),) if document_no else (),
    )


def _supervised(change: Node, number: str) -> StatusUpdate:
    """督办: a note for people, no step of the case."""
    words = change.value("督办意见")
    if words is None:
        raise Unreadable("no_note")
    return StatusUpdate(
        event_id=number,
        about=About.CASE,
        keys=_case_keys(change),
        status="",
        raw_status="4",
        at=_at(change),
        due_at=_due(change.value("反馈期限")),
        note=words[:_LONGEST_NOTE],
    )


def _unknown(change: Node, number: str, kind: str, received_at: datetime) -> StatusUpdate:
    try:
        at = _at(change)
    except Unreadable:
        at = received_at
    return StatusUpdate(
        event_id=number,
        about=About.CASE,
        keys=_case_keys(change),
        status=UNKNOWN,
        raw_status=kind[:_LONGEST_RAW],
        at=at,
    )


def _at(change: Node) -> datetime:
    try:
        return SECONDS.read(change.value("变更时间") or "")
    except ValueError:
        raise Unreadable("no_time") from None


def _due(text: str | None) -> date | datetime | None:
    """反馈期限, a day or a moment; the page leaves its form open."""
    for form in (DAY, SECONDS):
        try:
            return form.read_day(text or "") if form is DAY else form.read(text or "")
        except ValueError:
            continue
    return None


def _unmapped(reason: str) -> tuple[Reason, ...]:
    return (Reason(code=reason if len(reason) == 2 else "", text=reason[:_LONGEST_NOTE], place="原因"),)


def _case_keys(change: Node) -> tuple[Key, ...]:
    """Our number first, then the platform's. Until the case has a number of its own, ours is the referral's id."""
    keys: list[Key] = []
    number, theirs = change.value("案件外部编号"), change.value("平台编号")
    if number is not None:
        keys.append(_own_key(number, change.value("机构编码") or ""))
    if theirs is not None:
        keys.append(Key(KeyKind.REFERENCE, theirs, "platform_no"))
    return _some(keys)


def _referral_keys(change: Node) -> tuple[Key, ...]:
    """The referral's own names. A case number beside them would name another thing, the case that came of it."""
    keys: list[Key] = []
    number, theirs = change.value("案件外部编号"), change.value("平台编号")
    if number is not None:
        key = _own_key(number, change.value("机构编码") or "")
        if key.kind is KeyKind.REFERRAL or theirs is None:
            keys.append(key)
    if theirs is not None:
        keys.append(Key(KeyKind.REFERENCE, theirs, "task_no"))
    return _some(keys)


def _some(keys: list[Key]) -> tuple[Key, ...]:
    """平台编号 stands in every change (page §5), so one that names nothing is broken."""
    if not keys:
        raise Unreadable("no_key")
    return tuple(keys)


def _own_key(number: str, organization: str) -> Key:
    if _REFERRAL_ID.fullmatch(number):
        return Key(KeyKind.REFERRAL, number)
    return Key(KeyKind.CASE_NO_OF_SOURCE, number, organization)
