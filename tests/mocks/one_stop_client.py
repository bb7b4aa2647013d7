"""A small client of the one-stop platform's mock and the documents it sends, written from the page."""

import hashlib
import io
import re
import secrets
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import aiohttp

from mocks.one_stop import OneStop
from mocks.server import MockServer

NS = "urn:sdzz:mdjf:1"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ORGANIZATION = "SD-JN-LX-001"
OTHER = "SD-QD-SH-003"
NUMBER = "370102-LX001-2026-00123"
REFERRAL = "ref_01JB2Z9K7Q4N"

CASE: dict[str, Any] = {
    "操作类型": "1",
    "案件外部编号": NUMBER,
    "名称": "王建国与济南示例餐饮有限公司·追索劳动报酬",
    "发生日期": "2026-09-20",
    "发生地点": "370102",
    "规模": "01",
    "类别": "0701",
    "案由": "2025:劳动争议/追索劳动报酬",
    "涉及人数": "2",
    "简述": "公司拖欠三个月工资。",
    "请求事项列表": {"请求事项": [{"种类": "01", "内容": "支付工资", "金额": "1.860000"}]},
    "涉案金额": "1.860000",
    "涉及单位": "济南示例餐饮有限公司",
    "主要当事人列表": {
        "主要当事人": [
            {
                "角色": "1",
                "证件代码": "111",
                "号码": "11010519491231002X",
                "姓名": "王建国",
                "性别": "1",
                "民族": "01",
                "人员类别": "1001",
                "居住详址": "370102 示例街道1号",
                "联系方式": "13800000000",
            }
        ]
    },
    "单位当事人列表": {
        "单位当事人": [
            {
                "角色": "2",
                "单位名称": "济南示例餐饮有限公司",
                "统一社会信用代码": "91350100M000100Y43",
                "法定代表人": "李示例",
                "地址": "370102 示例路2号",
            }
        ]
    },
    "代理人列表": {"代理人": [{"代理当事人序号": "1", "姓名": "赵示例"}]},
    "化解时限": "2026-10-05",
    "化解方式": "0201",
    "化解组织": "历下区示例调解委员会",
    "组织类型": "02",
    "行政区划": "370102000000",
    "责任人姓名": "孙示例",
    "责任人证号": "TJ-0001",
    "来源渠道": "1",
    "受理时间": "2026-09-20 09:00:00",
    "重大标志": "0",
}
PROGRESS: dict[str, Any] = {
    "案件外部编号": NUMBER,
    "进展类别": "1",
    "来源": "1",
    "状态": "08",
    "发生时间": "2026-09-30 17:00:00",
    "原因": "05",
    "化解情况": "双方就补偿金额分歧较大，申请人要求终止调解",
    "调解开始": "2026-09-30 14:00:00",
    "调解结束": "2026-09-30 16:50:00",
    "调解地点": "第二调解室",
    "调解形式": "1",
}
AGREEMENT = {
    "案件外部编号": NUMBER,
    "协议编号": "A-1",
    "是否成功": "1",
    "化解情况": "公司分两期支付。\n1. 支付工资",
    "生效规则": "1",
    "生效时间": "2026-09-28 10:00:00",
    "化解日期": "2026-09-28",
    "给付总额": "1.860000",
    "履行期限": "2026-10-28",
    "份数": "3",
}
TRANSFER = {
    "案件外部编号": NUMBER,
    "转办编号": "trf_1",
    "转往": "5",
    "接收机构": "历下区劳动保障监察大队",
    "接收机构代码": "J-1",
    "原因": "01",
    "请求事项列表": {"请求事项": [{"种类": "01", "内容": "支付工资"}]},
}
ALERT = {
    "案件外部编号": NUMBER,
    "等级": "1",
    "涉及人数": "35",
    "涉案金额": "120.000000",
    "现场情况": "工人聚集在门口",
    "处置措施": "已到现场",
    "联系人": "孙示例",
    "联系方式": "13800000001",
    "发生时间": "2026-09-29 08:00:00",
}
MEDIATOR = {
    "证号": "TJ-0001",
    "姓名": "孙示例",
    "性别": "2",
    "联系方式": "13800000001",
    "所属组织": "历下区示例调解委员会",
}
REPORTS = {
    "reportProgress": PROGRESS,
    "reportAgreement": AGREEMENT,
    "reportTransfer": TRANSFER,
    "reportAlert": ALERT,
    "saveMediator": MEDIATOR,
}


def signature(stamp: str, token: str, nonce: str) -> str:
    """Page §2, point 2 and 3."""
    return hashlib.sha256((stamp + token + nonce + stamp).encode("ascii")).hexdigest().upper()


def xml(items: Mapping[str, Any]) -> str:
    """A mapping as elements: text, a mapping inside, or a list that repeats the element."""
    parts = []
    for name, value in items.items():
        for one in value if isinstance(value, list) else [value]:
            inner = xml(one) if isinstance(one, Mapping) else escape(one, {"\r": "&#13;"})
            parts.append(f"<{name}>{inner}</{name}>")
    return "".join(parts)


def envelope(operation: str, inner: str) -> str:
    return (
        f'<soap:Envelope xmlns:soap="{SOAP}" xmlns="{NS}"><soap:Body><{operation}Request>{inner}'
        f"</{operation}Request></soap:Body></soap:Envelope>"
    )


@dataclass
class Reply:
    """An answer of the platform, read as the page says."""

    status: int
    raw: bytes
    root: ET.Element | None
    headers: Mapping[str, str]

    @property
    def content(self) -> ET.Element:
        assert self.root is not None
        assert self.root.tag == f"{{{SOAP}}}Envelope"
        return self.root[0][0]

    def __getitem__(self, name: str) -> str:
        element = self.content.find(f"{{{NS}}}{name}")
        assert element is not None, name
        return element.text or ""

    @property
    def names(self) -> list[str]:
        return [element.tag.removeprefix(f"{{{NS}}}") for element in self.content]

    @property
    def fault(self) -> tuple[str, str, str]:
        """errCode, faultcode, retryAfter of a Fault."""
        assert self.content.tag == f"{{{SOAP}}}Fault", self.raw.decode("gb18030", "replace")
        detail = self.content.find(f"detail/{{{NS}}}fault")
        assert detail is not None
        texts = {element.tag: element.text or "" for element in detail}
        assert [element.tag for element in self.content] == ["faultcode", "faultstring", "detail"]
        return texts[f"{{{NS}}}errCode"], self.content[0].text or "", texts[f"{{{NS}}}retryAfter"]

    @property
    def refusal(self) -> tuple[str, str]:
        """errCode and 项名 of a refused message."""
        assert (self.status, self["retCode"], self["重复标志"], self["平台编号"]) == (200, "0", "0", "")
        assert self["retMessage"]
        return self["errCode"], self["项名"] if "项名" in self.names else ""

    @property
    def ref(self) -> str:
        """平台编号 of a message that was taken for the first time."""
        assert (self.status, self["retCode"], self["errCode"], self["重复标志"]) == (200, "1", "", "0")
        assert re.fullmatch(r"[0-9]{20}", self["平台编号"])
        return self["平台编号"]

    @property
    def changes(self) -> list[dict[str, Any]]:
        """The 变更 of a page, lists as lists of mappings."""
        assert self["retCode"] == "1"
        rows = self.content.find(f"{{{NS}}}变更列表")
        assert rows is not None
        return [_items(row) for row in rows]


def _items(element: ET.Element) -> dict[str, Any]:
    return {
        child.tag.removeprefix(f"{{{NS}}}"): [_items(row) for row in child] if len(child) else child.text or ""
        for child in element
    }


def read(status: int, raw: bytes, headers: Mapping[str, str]) -> Reply:
    """By the encoding of the XML declaration; none = UTF-8 (page §1)."""
    declared = re.match(rb'<\?xml[^>]*encoding="([^"]+)"[^>]*\?>', raw)
    encoding = declared[1].decode() if declared else "utf-8"
    try:
        text = raw[declared.end() if declared else 0 :].decode(encoding)
        root = ET.fromstring(text)  # noqa: S314 -- our own mock's answer, from this machine
    except (ET.ParseError, UnicodeDecodeError):
        root = None
    return Reply(status, raw, root, headers)


class Client:
    """Speaks to one mock as the page says."""

    def __init__(self, server: MockServer, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.config = server.platform.config
        self.session = session
        self.address = f"{server.url}/services/DisputeExchange"

    def headers(self, operation: str, **changed: str) -> dict[str, str]:
        stamp = changed.pop("stamp", str(int(self.server.clock.now().timestamp())))
        nonce = changed.pop("nonce", secrets.token_hex(12))
        token = changed.pop("token", self.config["token"])
        return {
            "Content-Type": "text/xml; charset=UTF-8",
            "SOAPAction": f'"{NS}#{operation}"',
            "x-tif-paasid": self.config["paasid"],
            "x-tif-serviceId": self.config["service_id"],
            "x-tif-timestamp": stamp,
            "x-tif-nonce": nonce,
            "x-tif-signature": signature(stamp, token, nonce),
        } | changed

    async def post(self, body: bytes | str, headers: Any) -> Reply:
        data = body.encode() if isinstance(body, str) else body
        async with self.session.post(self.address, data=io.BytesIO(data), headers=headers) as answer:
            return read(answer.status, await answer.read(), answer.headers)

    async def call(
        self,
        operation: str,
        items: Mapping[str, Any],
        message_id: str = "",
        *,
        organization: str = ORGANIZATION,
        sent_at: str = "2026-09-30 17:05:03",
        head: Mapping[str, str] | None = None,
    ) -> Reply:
        message_id = message_id or f"dlv_{secrets.token_hex(8)}"
        header = {"外部编号": message_id, "机构编码": organization, "发送时间": sent_at} if head is None else head
        body = envelope(operation, xml({"报文头": header, **items}))
        return await self.post(body, self.headers(operation))

    async def pull(self, cursor: str = "0", size: str = "100", organization: str = ORGANIZATION) -> Reply:
        return await self.call("pullChanges", {"游标": cursor, "每页条数": size}, organization=organization)

    async def mock(self, method: str, path: str, order: Any = None) -> Any:
        """A control call that succeeds."""
        status, answer = await self.mock_raw(method, path, order)
        assert status == 200, answer
        return answer

    async def mock_raw(self, method: str, path: str, order: Any = None) -> tuple[int, Any]:
        async with self.session.request(method, f"{self.server.url}/_mock/{path}", json=order) as answer:
            return answer.status, await answer.json()

    async def lines(self, kind: str = "") -> list[dict[str, Any]]:
        """The journal, or its lines of one kind."""
        return [line for line in await self.mock("GET", "journal") if kind in ("", line["kind"])]


FAST = {"rate_per_s": 1000, "pull_interval_s": 0, "organization_codes": [ORGANIZATION, OTHER]}


@asynccontextmanager
async def running(data: Path, **settings: Any) -> AsyncIterator[Client]:
    """A mock in ``data``, quick unless ``settings`` say otherwise, and a client."""
    server = MockServer(OneStop, data, settings=FAST | settings)
    await server.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield Client(server, session)
    finally:
        await server.stop()


def ping(message_id: str = "p1") -> str:
    header = {"外部编号": message_id, "机构编码": ORGANIZATION, "发送时间": "2026-09-30 17:05:03"}
    return envelope("ping", xml({"报文头": header}))


def page(name: str, number: int, count: int, text: str) -> dict[str, str]:
    return {"项名": name, "页号": str(number), "页数": str(count), "内容": text}


async def assigned(client: Client, organization: str = ORGANIZATION) -> str:
    """A fresh assignment; its 平台编号."""
    return str((await client.mock("POST", "refer", {"机构编码": organization}))["ref"])


def bind(ref: str, number: str = REFERRAL) -> dict[str, str]:
    return {"平台编号": ref, "案件外部编号": number}
