"""A small client and a small receiver for the court's mock, written from the page."""

import asyncio
import hashlib
import hmac
import itertools
import json
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import aiohttp
from aiohttp import web

from mocks.court_mediation import CourtMediation
from mocks.server import MockServer
from tests.servers.aside import served

Doc = dict[str, Any]
BEIJING = ZoneInfo("Asia/Shanghai")
JGDM = "SD-JN-LX-001"
FYDM = "鲁0102"
HEAD = {"fydm": FYDM, "jgdm": JGDM, "jgmc": "济南市历下区劳动人事争议仲裁院调解中心"}
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
FORM = "application/x-www-form-urlencoded; charset=UTF-8"
CALM = {"rate_per_s": 0, "number_every": 0, "index_lag_s": 0}
"""Settings that keep a test from waiting; tests of these very limits set their own."""
SILENCE = 599
"""The status of an answer that comes too late."""
_SECONDS = itertools.count()


def sealed(key: bytes, timestamp: str, nonce: str, body: bytes) -> str:
    """The callback signature of §2, as a receiver computes it."""
    return hmac.new(key, timestamp.encode() + nonce.encode() + body, hashlib.sha256).hexdigest()


class Reply:
    """What one request got."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Doc:
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value

    @property
    def code(self) -> str:
        return str(self.json["code"])

    @property
    def content(self) -> Doc:
        content = self.json["content"]
        assert isinstance(content, dict)
        return content

    @property
    def is_login_page(self) -> bool:
        return self.status == 200 and b'id="loginForm"' in self.body

    @property
    def errors(self) -> dict[str, str]:
        assert self.code == "400"
        found: dict[str, str] = {}
        for error in self.content["errors"]:
            assert set(error) == {"zd", "yy"}
            found.setdefault(error["zd"], error["yy"])
        return found


class Client:
    """One account. `cookie` is kept by hand, so that a test sees what a session does."""

    def __init__(self, server: MockServer, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session
        self.config: Doc = server.platform.config
        self.cookie = ""

    def now(self) -> datetime:
        return self.server.clock.now()

    def yzsj(self) -> str:
        """Never the same twice: one yzsj may be used once."""
        return f"{self.now() + timedelta(seconds=next(_SECONDS) % 200):%Y%m%d%H%M%S}"

    def password(self, yzsj: str, password: str | None = None) -> str:
        key = (password or self.config["password"]).encode()
        text = (self.config["username"] + yzsj).encode()
        return hmac.new(key, text, hashlib.sha256).hexdigest().upper()

    async def send(
        self, path: str, body: bytes, content_type: str = FORM, method: str = "POST", cookie: str | None = None
    ) -> Reply:
        headers = {"Content-Type": content_type} if body else {}
        if cookie := (self.cookie if cookie is None else cookie):
            headers["Cookie"] = f"JSESSIONID={cookie}"
        async with self.session.request(
            method, self.server.url + path, data=body, headers=headers, allow_redirects=False
        ) as response:
            return Reply(response.status, dict(response.headers), await response.read())

    async def login(self, yzsj: str = "", password: str = "", username: str = "") -> Reply:
        yzsj = yzsj or self.yzsj()
        fields = {
            "username": username or self.config["username"],
            "yzsj": yzsj,
            "password": password or self.password(yzsj),
        }
        reply = await self.send("/fayuan/a/login", urlencode(fields).encode(), cookie="")
        set_cookie = reply.headers.get("Set-Cookie", "")
        if set_cookie.startswith("JSESSIONID="):
            self.cookie = set_cookie.split(";")[0].partition("=")[2]
        return reply

    async def post(self, service: str, document: Doc | str) -> Reply:
        text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
        return await self.send(f"/fayuan/a/{service}", urlencode({"mediationFormStr": text}).encode())

    async def upload(
        self, fjlx: str, content: bytes = PDF, name: str = "材料.pdf", media_type: str = "application/pdf"
    ) -> Reply:
        parts = aiohttp.FormData(quote_fields=False)
        parts.add_field("fjlx", fjlx)
        parts.add_field("file", content, filename=name, content_type=media_type)
        writer = parts()
        return await self.send("/fayuan/a/file/upload", await writer.as_bytes(), writer.headers["Content-Type"])

    async def files(self, *classes: str) -> list[Doc]:
        """Uploads one file of each class and returns the entries of `docList`."""
        found = []
        for fjlx in classes:
            reply = await self.upload(fjlx)
            found.append({"fileId": reply.content["fileId"], "fjlx": fjlx, "wjmc": f"{fjlx}.pdf"})
        return found

    async def query(self, tjbh: str) -> list[Doc]:
        reply = await self.post("query/byTjbh", {"tjbh": tjbh})
        assert reply.code == "200"
        assert reply.content["total"] == str(len(reply.content["list"]))
        entries: list[Doc] = reply.content["list"]
        return entries

    async def mock(self, call: str, order: Any = None, expect: int = 200) -> Any:
        """One control call; an order makes it a POST."""
        method = "GET" if order is None else "POST"
        async with self.session.request(method, f"{self.server.url}/_mock/{call}", json=order) as response:
            answer = await response.json()
            assert response.status == expect, answer
            return answer

    async def fault(self, **fault: Any) -> None:
        await self.mock("faults", [fault])

    async def decide(self, ref: str, decision: str, **more: Any) -> Doc:
        answer: Doc = await self.mock("decide", {"ref": ref, "decision": decision, **more})
        return answer

    async def journal(self, kind: str) -> list[Doc]:
        return [entry for entry in await self.mock("journal?after=0") if entry["kind"] == kind]


class Inbox:
    """The gateway's callback address: keeps every request, answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[list[tuple[str, str]], bytes]] = []
        self.answers: list[tuple[int, bytes]] = []
        self.url = ""
        self.key = b""
        self._came = asyncio.Event()

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.got.append(([(name.lower(), value) for name, value in request.headers.items()], body))
        self._came.set()
        if self.answers:
            status, answer = self.answers.pop(0)
            if status == SILENCE:
                await asyncio.sleep(2)
            return web.Response(status=status, body=answer, content_type="application/json")
        if not self.is_genuine(len(self.got) - 1):
            return web.json_response({"code": "401", "msg": "签名错误"}, status=401)
        return web.json_response({"code": "200", "msg": "success", "tsbh": json.loads(body)["tsbh"]})

    def header(self, index: int, name: str) -> list[str]:
        return [value for key, value in self.got[index][0] if key == name.lower()]

    def body(self, index: int) -> Doc:
        body = json.loads(self.got[index][1])
        assert isinstance(body, dict)
        return body

    def is_genuine(self, index: int) -> bool:
        """The receiver's checks of §2.4 but for the nonce's memory."""
        stamp, nonce = self.header(index, "X-Fy-Timestamp"), self.header(index, "X-Fy-Nonce")
        seal = self.header(index, "X-Fy-Signature")
        if not len(stamp) == len(nonce) == len(seal) == 1:
            return False
        fresh = abs(int(stamp[0]) - datetime.now(BEIJING).timestamp()) <= 300
        return fresh and seal[0] == sealed(self.key, stamp[0], nonce[0], self.got[index][1])

    async def wait(self, count: int, seconds: float = 5) -> None:
        """Until `count` requests came."""
        async with asyncio.timeout(seconds):
            while len(self.got) < count:
                self._came.clear()
                await self._came.wait()


@asynccontextmanager
async def inbox() -> AsyncIterator[Inbox]:
    """A receiver that listens."""
    box = Inbox()
    application = web.Application()
    application.add_routes([web.post("/callbacks/court_mediation/notify", box.take)])
    async with served(application) as port:
        box.url = f"http://127.0.0.1:{port}/callbacks"
        yield box


@asynccontextmanager
async def court(data: Path, box: Inbox | None = None, log_in: bool = True, **settings: Any) -> AsyncIterator[Client]:
    """A running mock and a client that has logged in."""
    server = MockServer(
        CourtMediation,
        data,
        callbacks=box.url if box is not None else "http://127.0.0.1:9/callbacks",
        settings={**CALM, **settings},
    )
    await server.start()
    if box is not None:
        box.key = bytes.fromhex(server.platform.config["callback_key"])
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            client = Client(server, session)
            if log_in:
                assert (await client.login()).code == "200"
            yield client
    finally:
        await server.stop()


# --- documents


def person(side: str = "applicant", **more: Any) -> Doc:
    """A person of the page's example."""
    return {
        f"{side}Type": "0",
        f"{side}Name": "王建国",
        f"{side}Tel": "13853100001",
        "credentialsType": "09_00015-1",
        "credentialsName": "身份证",
        f"{side}IDCardNo": "370102199003071238",
        f"{side}Sex": "0",
        f"{side}Birthday": "19900307",
        f"{side}Nation": "汉族",
        "areaCode": "370102",
        f"{side}Address": "历下区文化东路1号1单元101",
        f"{side}Sddz": "370102 历下区文化东路1号1单元101",
        f"{side}Dzsd": "1",
        "agentList": [
            {
                "dllx": "2",
                "xm": "赵敏",
                "credentialsType": "09_00015-1",
                "zjhm": "370213198511200024",
                "dh": "13853100002",
                "dlqx": "1",
            }
        ],
        **more,
    }


def employer(side: str = "respondent", **more: Any) -> Doc:
    """An employer."""
    return {
        f"{side}Type": "1",
        f"{side}Name": "济南泉城餐饮管理有限公司",
        f"{side}Tel": "0531-86000001",
        f"{side}StaticPhone": "0531-86000001",
        "credentialsType": "09_00015-255",
        "credentialsName": "统一社会信用代码证",
        f"{side}IDCardNo": "91370102MA0DEM013R",
        "areaCode": "370102",
        f"{side}Address": "历下区泉城路180号",
        f"{side}Fddbr": "孙立",
        f"{side}Fddbrzw": "执行董事",
        f"{side}Lxr": "周芳",
        **more,
    }


def case_and_agreement(files: list[Doc]) -> Doc:
    """Case and agreement keys of `addOffline`, the case number apart."""
    return {
        "year": "2026",
        "type": "1",
        "draftFlag": "0",
        "caseCatalog": "9901",
        "causeCode": "2025-205-5",
        "disputeType": "追索劳动报酬纠纷",
        "money": "18600.00",
        "claimMoney": "18600.00",
        "startTimeStr": "20260916 09:30",
        "endTimeStr": "20260925 09:00",
        "dispute": "被申请人自2026年6月起未支付工资。",
        "claims": [{"lx": "labor_remuneration", "nr": "支付2026年6月至8月工资18600元", "je": "18600.00"}],
        "mediatorId": "LDTJ-3701-2023-0456",
        "otherMediators": ["LDTJ-3701-2023-0457"],
        "state": "3",
        "successState": "1",
        "applicantPartyList": [person()],
        "respondentPartyList": [employer()],
        "xybh": "历下劳人调〔2026〕123号",
        "agreement": "1. 被申请人支付工资18600元。",
        "xyx": [
            {
                "xh": "1",
                "lx": "payment",
                "nr": "被申请人支付工资18600元",
                "je": "18600.00",
                "lxqx": "20261015",
                "skr": "王建国",
                "khh": "测试银行",
                "zh": "6222000000000000001",
                "fq": [{"je": "9300.00", "rq": "20261001"}, {"je": "9300.00", "rq": "20261015"}],
            }
        ],
        "sxgz": "1",
        "sxsj": "20260925 09:00",
        "qm": [{"xm": "王建国", "lx": "1", "fs": "1", "sj": "20260925 08:50"}],
        "gzsj": "20260925 09:00",
        "fs": "4",
        "docList": files,
    }


async def agreement(client: Client, tjbh: str = "dlv_1", **more: Any) -> Doc:
    """A whole `offline/addOffline`."""
    files = await client.files("05")
    number = {"mediationCaseNo": "370102-LX001-2026-00123"}
    return {"tjbh": tjbh, **HEAD, **number, **case_and_agreement(files), **more}


async def application(client: Client, tjbh: str = "dlv_2", sqbh: str = "cnf_1", **more: Any) -> Doc:
    """A whole `sfqr/add`."""
    files = await client.files("05", "06", "13")
    return {
        "tjbh": tjbh,
        **HEAD,
        "tjzh": "370102-LX001-2026-00123",
        **case_and_agreement(files),
        "sqbh": sqbh,
        "slfymc": "济南市历下区人民法院",
        "sqsj": "20261009 10:00",
        "sddzList": [{"xm": "王建国", "dqdm": "370102", "dz": "文化东路1号", "dh": "13853100001", "dzsd": "1"}],
        **more,
    }


async def transfer(client: Client, tjbh: str = "dlv_3", ysbh: str = "trf_1", **more: Any) -> Doc:
    """A whole `transfer/add`."""
    return {
        "tjbh": tjbh,
        **HEAD,
        "ysbh": ysbh,
        "tjzh": "370102-LX001-2026-00123",
        "ssqq": "支付工资18600元\n支付经济补偿6200元",
        "yy": "1",
        "applicantPartyList": [person()],
        "respondentPartyList": [employer()],
        "bdje": "24800.00",
        "causeCode": "2025-205-5",
        "disputeType": "追索劳动报酬纠纷",
        "docList": await client.files("08"),
        **more,
    }


def gunzipped(data: bytes, limit: int) -> int:
    """How many bytes a gzip stream opens to, `limit` at most."""
    return len(zlib.decompressobj(31).decompress(data, limit))
