"""The canonical documents that these tests translate: the page's own example, and the contract's samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from contracts.adapter import Context
from contracts.case import Case
from contracts.document import Document
from contracts.message import Message
from contracts.messages import MessageType
from tests.adapters import samples
from tests.adapters.samples import (
    AGREEMENT_ID,
    CASE_ID,
    PAPER,
    agreement,
    fields_of,
    file,
    made,
    performance,
    person,
    progress,
)

__all__ = [
    "AGREEMENT_ID",
    "AT",
    "CASE_ID",
    "CASE_KEY",
    "DIGEST",
    "ENDPOINT",
    "MESSAGE",
    "NR",
    "PAPER",
    "SENT",
    "agreement",
    "context",
    "fields_of",
    "file",
    "made",
    "message",
    "new",
    "performance",
    "person",
    "progress",
    "unit",
    "wages",
]

ENDPOINT = "commerce"
MESSAGE = "msg_01K6EXAMPLE0000000000000C"
CASE_KEY = "SD-QD-SH-003#370202-SH003-2026-00017"
AT = datetime(2026, 9, 17, 2, 0, 3, tzinfo=UTC)
NR = (
    '{"ah":"370202-SH003-2026-00017","twh":"青岛市市南区商会调解中心","twhlx":"04","qhdm":"370202","ajly":"1","sqfs":"1",'
    '"djrq":"2026-09-16 09:30:00","slrq":"2026-09-17 10:00:00","aydm":"205-5","aymc":"追索劳动报酬纠纷",'
    '"jfjyqk":"申请人自2026年6月起未领到工资，至申请之日共拖欠三个月。",'
    '"qq":[{"qqlx":"01","qqnr":"支付2026年6月至8月工资18600元","je":"1.860000"}],"saje":"1.860000",'
    '"dsr":[{"ssdw":"4","dsrlx":"0","dsrxm":"王建国","zjlx":"1","zjhm":"370102********1238","xb":"0","nl":"36",'
    '"dh":"13853100001","dz":"历下区文化东路1号1单元101"},{"ssdw":"5","dsrlx":"1","dsrxm":"济南泉城餐饮管理有限公司",'
    '"zjlx":"7","zjhm":"91370102MA3C123456","fddbr":"孙立","lxr":"周芳","dh":"0531-86000001",'
    '"dz":"历下区泉城路180号"}],"tjy":[{"zsbh":"LDTJ-3702-2023-0101","xm":"陈静"}]}'
)
"""Section 8 of the page."""
DIGEST = "d77bd335974e027d8405a5a9d0d81801d5ce150e234c289fb9ae4f0ce60cd746"


def unit(**changes: Any) -> dict[str, Any]:
    """The respondent of the page's example."""
    return samples.unit(**({"credit_code": "91370102MA3C123456"} | changes))


def wages(**changes: Any) -> Case:
    """The case of the page's example."""
    fields = fields_of("POST cases - wages") | {
        "source_case_no": "370202-SH003-2026-00017",
        "organization": {
            "code": "SD-QD-SH-003",
            "name": "青岛市市南区商会调解中心",
            "type": "chamber_of_commerce",
            "region_code": "370202",
        },
        "channel": "window",
        "facts": "申请人自2026年6月起未领到工资，至申请之日共拖欠三个月。",
        "parties": [person(), unit()],
        "mediators": [{"certificate_no": "LDTJ-3702-2023-0101", "name": "陈静"}],
    }
    return made(Case, **(fields | changes))


def message(kind: MessageType, document: Document, identifier: str = MESSAGE) -> Message:
    """A message of that day."""
    return Message(identifier, kind, CASE_ID, CASE_ID, 1, "up", "cor_1", AT, document)


def context(**changes: Any) -> Context:
    """All that an endpoint knows which was delivered everything."""
    known = Context(
        delivery="dlv_01JB2Z9K7Q4N",
        endpoint=ENDPOINT,
        case_id=CASE_ID,
        case=wages(),
        agreement_id=AGREEMENT_ID,
        agreement=agreement(),
        registered_version=1,
        attachments={PAPER: file()},
    )
    return replace(known, **changes)


def new(**changes: Any) -> Context:
    """An endpoint that was delivered nothing yet."""
    return context(**({"registered_version": None} | changes))


SENT: Mapping[MessageType, tuple[Document, Context]] = {
    MessageType.CASE_SUBMITTED: (wages(), new()),
    MessageType.CASE_REVISED: (wages(), context()),
    MessageType.CASE_PROGRESSED: (progress(), context()),
    MessageType.AGREEMENT_CONCLUDED: (agreement(), context()),
    MessageType.AGREEMENT_PERFORMED: (performance(), context()),
}
"""One message of every type that the platform takes."""
