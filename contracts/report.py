"""A platform's word as a document of our own: what ``status.reported`` carries to the other platforms of a case."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from contracts.document import Document, Part, named
from contracts.status import ReferenceKind
from contracts.titled import Titled
from contracts.values import LIST_LIMIT, Time

# A platform's words are taken as they come: bounded, but not judged like an organisation's document.
_Word = Annotated[str, StringConstraints(max_length=100)]
_Number = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_Note = Annotated[str, StringConstraints(max_length=20_000)]


class ReportAbout(Titled):
    """What a reported status is about (``messages.md`` §1: referrals are reported to nobody)."""

    CASE = "case", "案件", "Case"
    CONFIRMATION = "confirmation", "协议确认", "Confirmation"
    TRANSFER = "transfer", "移送", "Transfer"
    FULFILMENT = "fulfilment", "协议履行", "Fulfilment"


class GivenReference(Part):
    """A number that the platform gave beside its word (平台编号, 案号, 文书号)."""

    kind: Annotated[ReferenceKind, named("编号类型", "Kind of number")]
    value: Annotated[_Number, named("编号", "Number")]


class StatusReport(Document):
    """What one platform said about a matter of a case (状态通报), in canonical words.

    ``source_endpoint`` is our endpoint that heard it, ``source_platform`` the name of its adapter, ``event_id`` the
    platform's own number of the word, the same at every repeat. ``about_id`` is our id of the thing. The status is
    never ``unknown``: such a word stays where it was heard. Source: ``messages.md`` §3.
    """

    source_endpoint: Annotated[_Number, named("来源端点", "Source endpoint")]
    source_platform: Annotated[_Number, named("来源平台", "Source platform")]
    event_id: Annotated[_Number, named("平台事件编号", "Event number of the platform")]
    about: Annotated[ReportAbout, named("事项类型", "What it is about")]
    about_id: Annotated[_Number, named("事项标识", "Our id of the thing")]
    status: Annotated[_Word, named("状态", "Status")]
    raw_status: Annotated[_Word, named("平台原始状态", "Raw status")]
    at: Annotated[Time, named("发生时间", "Time of the fact")]
    agreement_no: Annotated[_Number | None, named("协议编号", "Agreement number")] = None
    term_no: Annotated[int | None, named("协议事项序号", "Number of the term", ge=1)] = None
    reason_code: Annotated[_Word | None, named("原因代码", "Reason code")] = None
    document_no: Annotated[_Number | None, named("文书号", "Document number")] = None
    case_no: Annotated[_Number | None, named("案号", "Case number")] = None
    note: Annotated[_Note | None, named("备注", "Note")] = None
    references: Annotated[tuple[GivenReference, ...], named("平台编号", "Numbers given", max_length=LIST_LIMIT)] = ()
