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
    "DETAIL",
    "DIGITS",
    "ENDPOINT",
    "LIST",
    "MANIFEST",
    "MESSAGE",
    "PAPER",
    "SENT",
    "STEM",
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

ENDPOINT = "confederation"
MESSAGE = "msg_01K6EXAMPLE0000000000000E"
CASE_KEY = "SD-WF-QL-002|370705-QL002-2026-00008"
AT = datetime(2026, 9, 17, 2, 0, 5, tzinfo=UTC)
STEM = "QLTJ_SDGW_CASE_20260917_E47F8A1F7AD61200EEB5628BA5C37880"
LIST = (
    "行号,操作,业务主键,案件主键,调解组织编码,调解组织名称,组织类型,行政区划,登记时间,受理时间,案由表,案由,涉案金额,涉及人数,"
    "申请人,申请人证件号,被申请人,统一社会信用代码,状态,办结原因,发生时间,明细文件,附件数\r\n"
    "1,新增,msg_01K6EXAMPLE0000000000000E,SD-WF-QL-002|370705-QL002-2026-00008,SD-WF-QL-002,潍坊市奎文区企业联合会调解中心,"
    "企联调解组织,370705,2026-09-16 09:30:00,2026-09-17 10:00:00,2025,劳动争议/劳动合同纠纷/追索劳动报酬纠纷,18600.00,1,"
    "王建国,370102********1238,济南泉城餐饮管理有限公司,91370102MA3C123456,已登记,,2026-09-16 09:30:00,"
    "QLTJ_SDGW_CASE_20260917_E47F8A1F7AD61200EEB5628BA5C37880_001.json,0\r\n"
)
DETAIL = (
    '{"业务主键":"msg_01K6EXAMPLE0000000000000E","案件主键":"SD-WF-QL-002|370705-QL002-2026-00008","来源":"窗口",'
    '"申请方式":"书面","案情":"申请人自2026年6月起未领到工资，至申请之日共拖欠三个月。","请求":[{"类别":"劳动报酬",'
    '"内容":"支付2026年6月至8月工资18600元","金额":"18600.00"}],"当事人":[{"角色":"申请人","类型":"自然人","名称":"王建国",'
    '"证件类型":"居民身份证","证件号":"370102********1238","性别":"男","电话":"13853100001","地址":"历下区文化东路1号1单元101",'
    '"区划":"370102"},{"角色":"被申请人","类型":"用人单位","名称":"济南泉城餐饮管理有限公司","信用代码":"91370102MA3C123456",'
    '"电话":"0531-86000001","地址":"历下区泉城路180号","区划":"370102","法定代表人":"孙立","联系人":"周芳"}],'
    '"调解员":[{"证书编号":"LDTJ-3707-2023-0033","姓名":"于海"}]}'
)
MANIFEST = (
    '{"stem":"QLTJ_SDGW_CASE_20260917_E47F8A1F7AD61200EEB5628BA5C37880","op":"CASE","rows":1,'
    '"created_at":"2026-09-17 10:00:05",'
    '"files":[{"name":"QLTJ_SDGW_CASE_20260917_E47F8A1F7AD61200EEB5628BA5C37880.csv","size":759,'
    '"sm3":"7689d4b66e871de3fa93d7d7d70a73e6e99531ddbb888ccf6fce309a7ced9372"},'
    '{"name":"QLTJ_SDGW_CASE_20260917_E47F8A1F7AD61200EEB5628BA5C37880_001.json","size":923,'
    '"sm3":"2d4d90565d4f3e74ac693905b14f3b27438c8939e39ea71286ce182221b1a95c"}]}'
)
DIGITS = "58e8bae5fa9094d8a4e77b967443db25914f9e51458574b37adc9e984dc854e4"
"""Section 8 of the page."""


def unit(**changes: Any) -> dict[str, Any]:
    """The respondent of the page's example."""
    return samples.unit(**({"credit_code": "91370102MA3C123456"} | changes))


def wages(**changes: Any) -> Case:
    """The case of the page's example."""
    fields = fields_of("POST cases - wages") | {
        "source_case_no": "370705-QL002-2026-00008",
        "organization": {
            "code": "SD-WF-QL-002",
            "name": "潍坊市奎文区企业联合会调解中心",
            "type": "enterprise_confederation",
            "region_code": "370705",
        },
        "channel": "window",
        "facts": "申请人自2026年6月起未领到工资，至申请之日共拖欠三个月。",
        "parties": [person(), unit()],
        "mediators": [{"certificate_no": "LDTJ-3707-2023-0033", "name": "于海"}],
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
