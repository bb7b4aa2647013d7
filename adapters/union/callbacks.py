"""The platform's callbacks (page §5) in canonical words. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from adapters.beijing import D14
from adapters.union import codes, door, drafts, form, security, wire
from adapters.union.wire import Row
from contracts.adapter import InboundCall
from contracts.errors import Reason, UnreadableCallback
from contracts.update import (
    About,
    DeliveryWord,
    Inbound,
    Key,
    KeyKind,
    Reference,
    ReferralOffered,
    StatusUpdate,
)
from contracts.values import CONTROL_CHARACTER

UNKNOWN = "unknown"

_RESULTS = {"1": DeliveryWord.ACCEPTED, "0": DeliveryWord.REFUSED}
_NUMBER = re.compile(r"[0-9A-Za-z_-]{1,64}")
"""A number that the platform gives; its own have 20 digits."""
_CODE = re.compile(r"[0-9A-Za-z]{1,8}")

_LONGEST_RAW = 64
_LONGEST_REASON = 2_000
_LONGEST_NOTE = 20_000


@dataclass(frozen=True, slots=True)
class Told:
    """One callback, opened. ``at`` is the platform's time of telling, for facts without a time of their own. Where a code
    that the page requires is missing, the method is all that was said."""

    batch_no: str
    items: list[Row]
    at: datetime
    endpoint: str
    organizations: tuple[str, ...]


def parse(call: InboundCall, endpoint: str, organizations: tuple[str, ...]) -> tuple[Inbound, ...]:
    """Read a stored callback: one word for each item. Fields in excess are passed over, unknown codes stay unknown with
    their raw value, and an item that cannot be understood becomes a word about nothing known, so that a person sees it.

    Raises:
        UnreadableCallback: no form, no such method, no batch number, or nothing in it that can be understood.
    """
    try:
        received = form.decode(call.body)
    except form.Malformed as problem:
        raise UnreadableCallback(problem.code) from None
    read = _READERS.get(received.get("method", ""))
    if read is None:
        raise UnreadableCallback("unknown_method")
    told = Told(
        batch_no=received.get("batchNo", ""),
        items=wire.items(received),
        at=security.read_stamp(received.get("timestamp", "")) or call.received_at,
        endpoint=endpoint,
        organizations=organizations,
    )
    return read(told)


def _results(told: Told) -> tuple[Inbound, ...]:
    """``batch.result``: what became of each item, under its ``xlh``.

    An item that was sent twice may be named twice: the first acceptance counts."""
    if not told.batch_no:
        raise UnreadableCallback("no_batch_no")
    chosen: dict[str, Row] = {}
    for item in told.items:
        known = chosen.get(item.text("xlh"))
        if known is None or (known.text("jg") != "1" and item.text("jg") == "1"):
            chosen[item.text("xlh")] = item
    if not any(chosen):
        raise UnreadableCallback("no_key")
    return tuple(_result(told, xlh, item) for xlh, item in chosen.items())


def _result(told: Told, xlh: str, item: Row) -> StatusUpdate:
    raw, given, code = item.text("jg"), item.text("slh"), item.text("yy")
    word = _RESULTS.get(raw, UNKNOWN)
    references = [Reference("batch_no", told.batch_no)]
    if _NUMBER.fullmatch(given):
        references.insert(0, Reference("platform_no", given))
    reasons: tuple[Reason, ...] = ()
    if word != DeliveryWord.ACCEPTED and (code or item.text("yysm")):
        reasons = (Reason(code=code[:_LONGEST_RAW], text=item.text("yysm")[:_LONGEST_REASON]),)
    return StatusUpdate(
        event_id=f"{told.batch_no}:{xlh}",
        about=About.DELIVERY,
        keys=(Key(KeyKind.DELIVERY, xlh),) if xlh else (),
        status=word,
        raw_status=raw[:_LONGEST_RAW] or door.RESULT,
        at=told.at,
        # A code travels into events and logs: one that has not the form of a code stays among the reasons.
        reason_code=code if reasons and _CODE.fullmatch(code) else None,
        reasons=reasons,
        references=tuple(references),
        sending=told.batch_no,
    )


def _statuses(told: Told) -> tuple[Inbound, ...]:
    """``case.status``: of a case, or of a request for support."""
    return tuple(_status(told, item) for item in told.items)


def _status(told: Told, item: Row) -> StatusUpdate:
    raw, given = item.text("zt"), item.text("slh")
    if (support := codes.SUPPORT_STATUS.value(raw)) is not None:
        about, status = About.TRANSFER, support
    else:
        about, status = About.CASE, codes.CASE_STATUS.value(raw) or UNKNOWN
    keys = [Key(KeyKind.CASE_NO_OF_SOURCE, case_no, code) for case_no, code in _case_numbers(told, item)]
    references: tuple[Reference, ...] = ()
    if _NUMBER.fullmatch(given):
        keys.append(Key(KeyKind.REFERENCE, given, "platform_no"))
        references = (Reference("platform_no", given),)
    event_id = item.text("sjbh")
    if not keys or not event_id:
        raise UnreadableCallback("no_key" if event_id else "no_event_id")
    return StatusUpdate(
        event_id=event_id,
        about=about,
        keys=tuple(keys),
        status=status,
        raw_status=raw[:_LONGEST_RAW] or door.STATUS,
        at=_moment(item.text("sj")) or told.at,
        references=references,
        note=_note(item),
    )


def _case_numbers(told: Told, item: Row) -> list[tuple[str, str]]:
    """The case's number under each organisation of this union: the callback does not name the organisation."""
    case_no = item.text("ajbh")
    return [(case_no, code) for code in told.organizations or ("",)] if case_no else []


def _handovers(told: Told) -> tuple[Inbound, ...]:
    """``case.handover``: each item a case that an organisation is to mediate. Of a task that is named twice, the first
    sound item counts."""
    found: dict[str, Inbound] = {}
    for number, item in enumerate(told.items, start=1):
        task_no = item.text("yjbh")
        word: Inbound
        try:
            word = ReferralOffered(f"{door.HANDOVER}:{task_no}", drafts.referral(item, told.endpoint), told.at)
        except drafts.Incomplete:
            word = _about_task(told, door.HANDOVER, task_no or f"#{number}", item, UNKNOWN)
        if not isinstance(found.get(word.event_id), ReferralOffered) and (
            isinstance(word, ReferralOffered) or word.event_id not in found
        ):
            found[word.event_id] = word
    if not any(isinstance(one, ReferralOffered) for one in found.values()):
        raise UnreadableCallback("referral_incomplete")
    return tuple(found.values())


def _recalls(told: Told) -> tuple[Inbound, ...]:
    """``case.recall``: the union takes a case back."""
    if not any(item.text("yjbh") for item in told.items):
        raise UnreadableCallback("no_key")
    words = (
        _about_task(told, door.RECALL, item.text("yjbh") or f"#{number}", item, "recalled")
        for number, item in enumerate(told.items, start=1)
    )
    return tuple({word.event_id: word for word in words}.values())


def _about_task(told: Told, method: str, name: str, item: Row, status: str) -> StatusUpdate:
    task_no = item.text("yjbh")
    return StatusUpdate(
        event_id=f"{method}:{name}",
        about=About.REFERRAL,
        keys=(Key(KeyKind.REFERENCE, task_no, "task_no"),) if task_no else (),
        status=status,
        raw_status=method,
        at=told.at,
        note=_note(item),
    )


def _note(item: Row) -> str | None:
    return CONTROL_CHARACTER.sub(" ", item.text("sm"))[:_LONGEST_NOTE] or None


def _moment(text: str) -> datetime | None:
    try:
        return D14.read(text)
    except ValueError:
        return None


_READERS: Mapping[str, Callable[[Told], tuple[Inbound, ...]]] = MappingProxyType(
    {
        door.RESULT: _results,
        door.STATUS: _statuses,
        door.HANDOVER: _handovers,
        door.RECALL: _recalls,
    }
)
