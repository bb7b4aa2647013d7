"""The one-stop platform over its socket: a client written from the page; security headers, rate, configuration."""

import asyncio
import hashlib
import io
import re
import secrets
import time
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import aiohttp
import pytest

from mocks.clock import Clock
from mocks.one_stop import OneStop
from mocks.one_stop.gate import Gate
from mocks.one_stop.refusal import SoapFault
from mocks.one_stop.settings import Settings
from mocks.server import MockServer

NS = "urn:sdzz:mdjf:1"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ORGANIZATION = "SD-JN-LX-001"
OTHER = "SD-QD-SH-003"
NUMBER = "370102-LX001-2026-00123"

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
        root = ET.fromstring(text)  # noqa: S314 -- the mock's own answer
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


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(tmp_path / "one_stop") as there:
        yield there


def ping(message_id: str = "p1") -> str:
    header = {"外部编号": message_id, "机构编码": ORGANIZATION, "发送时间": "2026-09-30 17:05:03"}
    return envelope("ping", xml({"报文头": header}))


# --- security headers (§2)


def test_the_worked_signature_of_the_page() -> None:
    assert signature("1790672703", "EXAMPLE-TOKEN-00", "Zk3fA9bQ7LmX2pRt") == (
        "3C49A243783C71DBC3828B308449FCA9F0F7F3F37B2EA0F14B423971942618BD"
    )


async def test_the_platform_takes_the_worked_form_of_signature(tmp_path: Path) -> None:
    async with running(tmp_path / "m", token="EXAMPLE-TOKEN-01") as client:
        await client.mock("POST", "clock", {"at": "2026-09-29T17:05:03+08:00"})
        stamp, nonce = "1790672703", "Zk3fA9bQ7LmX2pRt"
        right = signature(stamp, "EXAMPLE-TOKEN-01", nonce)
        reply = await client.post(
            ping(), client.headers("ping", stamp=stamp, nonce=nonce, **{"x-tif-signature": right})
        )
        assert reply["retCode"] == "1"


async def test_ping_answers_in_the_order_of_the_page(client: Client) -> None:
    reply = await client.call("ping", {}, "p-1")
    assert reply.status == 200
    assert reply.names == ["retCode", "retMessage", "errCode", "外部编号", "平台编号", "重复标志"]
    assert (reply["retCode"], reply["retMessage"], reply["外部编号"], reply["平台编号"]) == ("1", "成功", "p-1", "")
    assert await client.lines() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-tif-paasid", "somebody_else"),
        ("x-tif-serviceId", "another_service"),
        ("x-tif-timestamp", "179067270"),
        ("x-tif-timestamp", "179067270x"),
        ("x-tif-nonce", "short"),
        ("x-tif-nonce", "a" * 33),
        ("x-tif-nonce", "sixteen-letters-"),
        ("x-tif-signature", "0" * 64),
        ("x-tif-signature", ""),
    ],
)
async def test_a_wrong_header_is_s001(client: Client, name: str, value: str) -> None:
    reply = await client.post(ping(), client.headers("ping") | {name: value})
    assert reply.status == 500
    assert reply.fault == ("S001", "soap:Client", "")


async def test_a_missing_or_doubled_header_is_s001(client: Client) -> None:
    for name in ("x-tif-paasid", "x-tif-serviceId", "x-tif-timestamp", "x-tif-nonce", "x-tif-signature"):
        headers = client.headers("ping")
        value = headers.pop(name)
        assert (await client.post(ping(), headers)).fault[0] == "S001", name
        doubled = [*headers.items(), (name, value), (name, value)]
        assert (await client.post(ping(), doubled)).fault[0] == "S001", name


async def test_a_lower_case_signature_is_s001(client: Client) -> None:
    headers = client.headers("ping")
    headers["x-tif-signature"] = headers["x-tif-signature"].lower()
    assert (await client.post(ping(), headers)).fault[0] == "S001"


async def test_the_clock_is_checked_before_the_signature_and_after_the_names(client: Client) -> None:
    late = str(int(time.time()) - 305)
    assert (await client.post(ping(), client.headers("ping", stamp=late))).fault == ("S002", "soap:Client", "")
    early = str(int(time.time()) + 310)
    assert (await client.post(ping(), client.headers("ping", stamp=early, token="w" * 16))).fault[0] == "S002"
    wrong = client.headers("ping", stamp=late) | {"x-tif-paasid": "somebody_else"}
    assert (await client.post(ping(), wrong)).fault[0] == "S001"
    inside = str(int(time.time()) - 290)
    assert (await client.post(ping(), client.headers("ping", stamp=inside)))["retCode"] == "1"


async def test_a_nonce_is_noted_only_after_the_signature_held(client: Client) -> None:
    nonce = "N" * 16
    assert (await client.post(ping(), client.headers("ping", nonce=nonce, token="w" * 16))).fault[0] == "S001"
    assert (await client.post(ping(), client.headers("ping", nonce=nonce)))["retCode"] == "1"
    assert (await client.post(ping(), client.headers("ping", nonce=nonce))).fault == ("S003", "soap:Server", "")
    await client.mock("POST", "clock", {"shift_s": 899})
    assert (await client.post(ping(), client.headers("ping", nonce=nonce))).fault[0] == "S003"
    await client.mock("POST", "clock", {"shift_s": 2})
    assert (await client.post(ping(), client.headers("ping", nonce=nonce)))["retCode"] == "1"


async def test_too_many_requests_are_s004(tmp_path: Path) -> None:
    async with running(tmp_path / "m", rate_per_s=1) as client:
        replies = await asyncio.gather(*(client.call("ping", {}) for _ in range(3)))
        faults = [reply.fault for reply in replies if reply.status == 500]
        assert faults == [("S004", "soap:Server", "1")] * 2
        await asyncio.sleep(1.05)
        assert (await client.call("ping", {}))["retCode"] == "1"


def test_ten_requests_a_second_are_admitted(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.read(OneStop.default_config("http://127.0.0.1:1", ""))
    gate = Gate(settings, Clock().now)
    moment = 100.0
    monkeypatch.setattr("mocks.one_stop.gate.time.monotonic", lambda: moment)
    for _ in range(10):
        gate.admit()
    moment = 100.99
    with pytest.raises(SoapFault, match="S004"):
        gate.admit()
    moment = 101.0
    for _ in range(10):
        gate.admit()
    with pytest.raises(SoapFault, match="S004"):
        gate.admit()


def test_configuration_is_refused_when_it_cannot_be_right() -> None:
    good = OneStop.default_config("http://127.0.0.1:1", "")
    assert len(good["token"]) >= 16
    assert good["token"] != OneStop.default_config("http://127.0.0.1:1", "")["token"]
    assert (good["rate_per_s"], good["pull_interval_s"], good["cursor_days"]) == (10, 5, 30)
    assert (good["request_limit"], good["reply_limit"], good["gb18030_every"]) == (1 << 20, 4 << 20, 3)
    wrong_ones: list[dict[str, Any]] = [
        {"token": "EXAMPLE-TOKEN-00"},
        {"token": "short"},
        {"token": "中文中文中文中文中文中文中文中文"},
        {"paasid": ""},
        {"organization_codes": []},
        {"organization_codes": "SD"},
        {"rate_per_s": "10"},
        {"rate_per_s": -1},
        {"page_limit": 101},
        {"pull_scope": "all"},
        {"surprise": 1},
    ]
    for wrong in wrong_ones:
        with pytest.raises(ValueError, match="one_stop"):
            Settings.read(good | wrong)
