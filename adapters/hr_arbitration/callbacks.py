"""The platform's callbacks (page §5) in canonical words. Pure: decrypting is computing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from adapters.hr_arbitration import codes, drafts, wire
from adapters.hr_arbitration.reading import Gap, Reader
from adapters.hr_arbitration.security import Keys, Undecipherable
from adapters.tables import Table
from contracts.adapter import InboundCall
from contracts.errors import Reason, UnreadableCallback
from contracts.update import About, DocumentLink, Inbound, Key, KeyKind, Reference, ReferralOffered, StatusUpdate

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Fact:
    """One callback, opened: the platform's event number, its fields, the time of the fact, and who hears it."""

    event_id: str
    service: str
    body: Reader
    at: datetime
    endpoint: str


def parse(call: InboundCall, keys: Keys, endpoint: str) -> tuple[Inbound, ...]:
    """Read a stored callback. Fields in excess are passed over, unknown codes stay unknown with their raw value.

    Raises:
        UnreadableCallback: no envelope, no key opens it, no such service, or nothing that says which matter it means.
    """
    try:
        envelope = wire.read_envelope(call.body)
        body = Reader(keys.open(envelope.body))
    except (wire.NotAnEnvelope, Undecipherable) as error:
        raise UnreadableCallback(error.code) from None
    read = SERVICES.get(envelope.field("serviceid"))
    if read is None:
        raise UnreadableCallback("unknown_service")
    try:
        fact = Fact(
            event_id=envelope.field("serialno"),
            service=envelope.field("serviceid"),
            body=body,
            # AAE036 is always there by the page; a fact without its time is no reason to lose it.
            at=body.moment("AAE036") or call.received_at,
            endpoint=endpoint,
        )
        return (read(fact),)
    except Gap:
        raise UnreadableCallback("long_text_with_gaps") from None


def _case(fact: Fact) -> Inbound:
    """ZC1001 案件状态."""
    raw, note = fact.body.text("BZS001"), fact.body.text("AAE013")
    if raw:
        status = codes.CASE_STATUS.value(raw) or UNKNOWN
    elif note:
        status = ""  # a note for people (督办)
    else:
        raise UnreadableCallback("no_status")
    number, organization = fact.body.text("BZA001"), fact.body.text("BZA002")
    own = Key(KeyKind.CASE_NO_OF_SOURCE, number, organization) if number and organization else None
    return _update(fact, About.CASE, own, status, raw, note=note)


def _review_accepted(fact: Fact) -> Inbound:
    """ZC2001 审查受理."""
    note = _sentence(("仲裁员", fact.body.text("AAE011")), ("联系电话", fact.body.text("AAE005")))
    return _confirmation(fact, "accepted", fact.service, numbers=(("case_no", "BZC005"),), note=note)


def _review_not_accepted(fact: Fact) -> Inbound:
    """ZC2002 审查不予受理."""
    raw, note = fact.body.text("BZC006"), fact.body.text("AAE013")
    return _confirmation(
        fact,
        "not_accepted",
        fact.service,
        reason_code=codes.REFUSAL_REASON.value(raw),
        reasons=(Reason(code=raw, text=note, place="BZC006"),) if raw or note else (),
        note=note,
    )


def _review_correction(fact: Fact) -> Inbound:
    """ZC2003 审查补正."""
    return _confirmation(fact, "correction_required", fact.service, reasons=_to_correct(fact), due_at=_due(fact))


_DECISION_NAMES = MappingProxyType(
    {
        "confirmed": "仲裁调解书",
        "rejected": "不予确认决定书",
        "withdrawn": "准予撤回决定书",
        "deemed_withdrawn": "按撤回处理决定书",
    }
)


def _review_decided(fact: Fact) -> Inbound:
    """ZC2004 审查决定."""
    status, raw = _coded(fact, "BZC010", codes.DECISION)
    file_id = fact.body.text("BZF001")
    link = DocumentLink(ref=file_id, kind="decision", name=_DECISION_NAMES.get(status, "审查决定文书"))
    return _confirmation(
        fact,
        status,
        raw,
        numbers=(("document_no", "BZC009"),),
        documents=(link,) if file_id else (),
        note=_sentence(("决定日期", _iso(fact.body.day("BZC014"))), ("", fact.body.text("AAE013"))),
    )


def _transfer(fact: Fact) -> Inbound:
    """ZC3001 转仲裁结果."""
    status, raw = _coded(fact, "BZG005", codes.TRANSFER_RESULT)
    return _update(
        fact,
        About.TRANSFER,
        _own(KeyKind.TRANSFER, fact.body.text("BZG001")),
        status,
        raw,
        numbers=(("case_no", "BZG006"),),
        reasons=_to_correct(fact),
        due_at=_due(fact),
        note=_sentence(("立案日期", _iso(fact.body.day("BZG007"))), ("", fact.body.text("AAE013"))),
    )


def _offered(fact: Fact) -> Inbound:
    """ZC5001 委托调解下达."""
    return ReferralOffered(fact.event_id, drafts.referral(fact.body, fact.endpoint), fact.at)


def _recalled(fact: Fact) -> Inbound:
    """ZC5002 委托收回."""
    task = fact.body.text("BZJ001")
    own = Key(KeyKind.REFERENCE, task, "task_no") if task else None
    return _update(fact, About.REFERRAL, own, "recalled", fact.service, note=fact.body.text("AAE013"))


SERVICES: Mapping[str, Callable[[Fact], Inbound]] = MappingProxyType(
    {
        "ZC1001": _case,
        "ZC2001": _review_accepted,
        "ZC2002": _review_not_accepted,
        "ZC2003": _review_correction,
        "ZC2004": _review_decided,
        "ZC3001": _transfer,
        "ZC5001": _offered,
        "ZC5002": _recalled,
    }
)
"""The callbacks of page §5; any other ``serviceid`` is answered 3008."""


def _confirmation(
    fact: Fact,
    status: str,
    raw: str,
    *,
    numbers: tuple[tuple[str, str], ...] = (),
    reason_code: str | None = None,
    reasons: tuple[Reason, ...] = (),
    due_at: date | datetime | None = None,
    documents: tuple[DocumentLink, ...] = (),
    note: str = "",
) -> StatusUpdate:
    return _update(
        fact,
        About.CONFIRMATION,
        _own(KeyKind.CONFIRMATION, fact.body.text("BZC002")),
        status,
        raw,
        numbers=numbers,
        reason_code=reason_code,
        reasons=reasons,
        due_at=due_at,
        documents=documents,
        note=note,
    )


def _update(
    fact: Fact,
    about: About,
    own: Key | None,
    status: str,
    raw: str,
    *,
    numbers: tuple[tuple[str, str], ...] = (),
    reason_code: str | None = None,
    reasons: tuple[Reason, ...] = (),
    due_at: date | datetime | None = None,
    documents: tuple[DocumentLink, ...] = (),
    note: str = "",
) -> StatusUpdate:
    """An update with its keys: our own number first, then the platform's; one of them must be there."""
    given = fact.body.text("BZR001")
    keys = tuple(
        key for key in (own, Key(KeyKind.REFERENCE, given, "platform_no") if given else None) if key is not None
    )
    if not keys:
        raise UnreadableCallback("no_key")
    references = [Reference("platform_no", given)] if given else []
    references += [Reference(kind, value) for kind, code in numbers if (value := fact.body.text(code))]
    return StatusUpdate(
        event_id=fact.event_id,
        about=about,
        keys=keys,
        status=status,
        raw_status=raw,
        at=fact.at,
        reason_code=reason_code,
        reasons=reasons,
        due_at=due_at,
        references=tuple(references),
        documents=documents,
        note=note or None,
    )


def _own(kind: KeyKind, value: str) -> Key | None:
    return Key(kind, value) if value else None


def _coded(fact: Fact, code: str, table: Table) -> tuple[str, str]:
    """The canonical word and the raw code. Where the code, which the page requires, is missing, the service is all that
    was said."""
    raw = fact.body.text(code)
    return table.value(raw) or UNKNOWN, raw or fact.service


def _to_correct(fact: Fact) -> tuple[Reason, ...]:
    """``BZC007``: what has to be supplemented (补正事项)."""
    return tuple(Reason(code="BZC007", text=text) for text in fact.body.texts("BZC007"))


def _due(fact: Fact) -> date | None:
    """``BZC008``: the day until which it has to be (补正期限)."""
    return fact.body.day("BZC008")


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _sentence(*parts: tuple[str, str]) -> str:
    """What has no field of its own, as one note: ``title：value`` joined by ``；``."""
    return "；".join(f"{title}：{value}" if title else value for title, value in parts if value)
