"""A small client of the union's mock and the receiver of its callbacks, written from the page."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import aiohttp
import gmalg
from aiohttp import web

from mocks.server import MockServer
from mocks.union import Union
from tests.servers.aside import served

Pairs = list[tuple[str, str]]
FORM = "application/x-www-form-urlencoded; charset=GB18030"


def signature(pairs: Iterable[tuple[str, str]], secret: str) -> str:
    """The page's eight steps, written here a second time over another SM3."""
    text = "&".join(f"{k}={v}" for k, v in sorted(pairs, key=lambda p: p[0].encode()) if v and k != "sign")
    sm3 = gmalg.SM3()
    sm3.update(f"{text}&key={secret}".encode("gb18030"))
    digest: bytes = sm3.value()
    return digest.hex().upper()


@dataclass
class Gateway:
    """The other side: takes callbacks, checks them as the page says, keeps what it took."""

    secret: str = ""
    url: str = ""
    taken: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    nonces: set[str] = field(default_factory=set)
    answers: list[web.Response] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.bodies.append(body)
        assert request.headers["Content-Type"] == FORM
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, encoding="gb18030", errors="strict")
        values = dict(pairs)
        right = (
            len(values) == len(pairs)
            and abs(int(values["timestamp"]) - time.time() * 1000) <= 300_000
            and values.get("sign") == signature(pairs, self.secret)
            and values["nonce"] not in self.nonces
        )
        if not right:
            return web.Response(status=401, text="fail")
        self.nonces.add(values["nonce"])
        if self.answers:
            return self.answers.pop(0)
        self.taken.append((request.path, values))
        self.arrived.set()
        return web.Response(body=b"success", content_type="text/plain")

    async def wait(self, count: int) -> list[dict[str, str]]:
        async with asyncio.timeout(10):
            while len(self.taken) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return [values for _, values in self.taken]


@dataclass
class Client:
    """What an adapter does, from the page alone."""

    server: MockServer
    http: aiohttp.ClientSession
    gateway: Gateway

    @property
    def config(self) -> dict[str, Any]:
        return self.server.platform.config

    def common(self, method: str, n: int) -> Pairs:
        now = str(round(self.server.clock.now().timestamp() * 1000))
        pairs = [("appKey", "GH370000"), ("method", method), ("timestamp", now)]
        return [*pairs, ("nonce", secrets.token_hex(12)), ("n", str(n))]

    async def post(self, body: bytes, path: str = "/lda/batch.do", content_type: str = FORM) -> tuple[int, bytes]:
        headers = {"Content-Type": content_type}
        async with self.http.post(self.server.url + path, data=body, headers=headers) as response:
            return response.status, await response.read()

    async def send(self, pairs: Pairs, *, secret: str = "", sign: str | None = None) -> dict[str, str]:
        given = signature(pairs, secret or self.config["secret"]) if sign is None else sign
        status, reply = await self.post(urlencode([*pairs, ("sign", given)], encoding="gb18030").encode())
        assert status == 200
        got = parse_qsl(reply.decode("ascii"), keep_blank_values=True, encoding="gb18030", errors="strict")
        assert dict(got)["sign"] == signature(got, self.config["secret"])
        return dict(got)

    async def batch(self, method: str, *items: dict[str, str]) -> dict[str, str]:
        """Send a batch of ``items``; ``xlh`` and ``jgdm`` are added where they are missing."""
        pairs = self.common(method, len(items))
        for number, item in enumerate(items, start=1):
            full = {"xlh": f"dlv_{secrets.token_hex(6)}", "jgdm": "SD-JN-GH-001"} | item
            pairs += [(f"i{number}.{name}", value) for name, value in full.items()]
        return await self.send(pairs)

    async def mock(self, method: str, path: str, order: Any = None) -> Any:
        async with self.http.request(method, f"{self.server.url}/_mock/{path}", json=order) as response:
            value = await response.json()
            assert response.status == 200, value
            return value

    async def lines(self, kind: str) -> list[dict[str, Any]]:
        return [entry for entry in await self.mock("GET", "journal") if entry["kind"] == kind]


@asynccontextmanager
async def running(data: Path, gateway: Gateway, **settings: Any) -> AsyncIterator[Client]:
    """The mock on a free port, with its callbacks to ``gateway``; fast unless told otherwise."""
    fast = {"result_delay_s": 0, "rate_per_s": 0, "unknown_xlh_every": 0, "callback_url": gateway.url}
    server = MockServer(Union, data, settings=fast | settings)
    await server.start()
    gateway.secret = server.platform.config["secret"]
    try:
        async with aiohttp.ClientSession() as http:
            yield Client(server, http, gateway)
    finally:
        await server.stop()


@asynccontextmanager
async def listening() -> AsyncIterator[Gateway]:
    """A gateway that takes callbacks."""
    gateway = Gateway()
    application = web.Application()
    application.add_routes([web.post("/callbacks/union/{last}", gateway.take)])
    async with served(application, 0.2) as port:
        gateway.url = f"http://127.0.0.1:{port}/callbacks/union"
        yield gateway


NOTICE: dict[str, str] = {
    "ajbh": "370102-GH001-2026-00123",
    "zzlx": "1",
    "qh": "370102",
    "ly": "1",
    "sqsj": "20260916093000",
    "lb": "1",
    "ay": "劳动争议/劳动合同纠纷/追索劳动报酬纠纷",
    "jq": "拖欠工资18600元，身份证370*************38",
    "qq.1.lx": "01",
    "qq.1.nr": "支付工资18600元",
    "qq.1.je": "1860000",
    "je": "1860000",
    "rs": "1",
    "sqr.1.xm": "王建国",
    "sqr.1.zjlx": "1",
    "sqr.1.zjhm": "370*************38",
    "sqr.1.xb": "男",
    "sqr.1.dh": "13853100001",
    "sqr.1.dzqh": "370102",
    "bsqr.1.mc": "济南泉城餐饮管理有限公司",
    "bsqr.1.xydm": "91370102MA0DEM013R",
    "bsqr.1.dzqh": "370102",
    "dlr.1.xm": "赵敏",
    "dlr.1.dsr": "0",
    "dlr.1.zjhm": "370*************24",
    "dlr.1.dlx": "2",
}
AGREEMENT = {
    "ajbh": NOTICE["ajbh"],
    "xybh": "历下劳人调〔2026〕123号",
    "jg": "1",
    "nr": "拖欠工资18600元",
    "tk.1.xh": "1",
    "tk.1.nr": "支付15000元",
    "tk.1.je": "1500000",
    "tk.1.rq": "20261031",
    "tk.2.xh": "2",
    "tk.2.nr": "放弃其余请求",
    "sxsj": "20260925090000",
}
PROGRESS = {
    "ajbh": NOTICE["ajbh"],
    "zt": "08",
    "sj": "20260930170000",
    "yy": "05",
    "sm": "双方就补偿金额分歧较大，申请人要求终止调解",
    "kssj": "20260930140000",
    "jssj": "20260930165000",
}
ALERT = {
    "ajbh": "370102-GH001-2026-00999",
    "dj": "1",
    "rs": "23",
    "je": "50370000",
    "qk": "二十三人工资未付",
    "cs": "已派员到场",
    "lxr": "郑伟",
    "dh": "0539-8000001",
    "sj": "20261009090000",
}
SUPPORT = {
    "ajbh": "370102-GH001-2026-00999",
    "sqbh": "trf_01K6EXAMPLE0000000000000T",
    "yy": "01",
    "jq": "调解未成",
    "je": "1860000",
    **{name: value for name, value in NOTICE.items() if name.startswith("sqr.")},
}


def without(item: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in item.items() if name not in names}


def results(callbacks: Sequence[dict[str, str]]) -> dict[str, tuple[str, str]]:
    """``xlh`` → (``jg``, ``yy``) of all batch results."""
    found: dict[str, tuple[str, str]] = {}
    for values in callbacks:
        if values["method"] == "batch.result":
            for k in range(1, int(values["n"]) + 1):
                found[values[f"i{k}.xlh"]] = (values[f"i{k}.jg"], values.get(f"i{k}.yy", ""))
    return found
