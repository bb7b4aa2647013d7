"""Bytes and digest of the union platform against its page's worked example, and the small client the tests speak by."""

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import aiohttp
import gmalg
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from mocks.server import MockServer
from mocks.union import Union
from mocks.union.digest import canonical, holds, secret_fault, sign
from mocks.union.form import FormError, decode, encode

Pairs = list[tuple[str, str]]
FORM = "application/x-www-form-urlencoded; charset=GB18030"

EXAMPLE: Pairs = [
    ("appKey", "GH370000"),
    ("method", "case.notice"),
    ("timestamp", "1790672703000"),
    ("nonce", "Zk3fA9bQ7LmX2pRt"),
    ("n", "1"),
    ("i1.xlh", "dlv_01JB2Z9K7Q4N"),
    ("i1.sqr.1.xm", "𠮷田㐂"),
    ("i1.bz", ""),
]


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
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    gateway.url = f"http://127.0.0.1:{runner.addresses[0][1]}/callbacks/union"
    try:
        yield gateway
    finally:
        await runner.cleanup()


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


def test_the_worked_example_of_the_page() -> None:
    text = canonical(EXAMPLE, "EXAMPLE-SECRET-0")
    assert text == (
        "appKey=GH370000&i1.sqr.1.xm=𠮷田㐂&i1.xlh=dlv_01JB2Z9K7Q4N&method=case.notice&n=1"
        "&nonce=Zk3fA9bQ7LmX2pRt&timestamp=1790672703000&key=EXAMPLE-SECRET-0"
    )
    assert len(text.encode("gb18030")) == 153
    expected = "49F498A0F4BD84BEDA14C1B3A9A9B900D32ECCDF178C63AAEF1A70C443292512"
    assert sign(EXAMPLE, "EXAMPLE-SECRET-0") == signature(EXAMPLE, "EXAMPLE-SECRET-0") == expected
    assert encode([("x", "𠮷田㐂")]) == b"x=%954%B25%CC%EF%819%EF1"


def test_the_key_order_is_by_bytes() -> None:
    pairs = [("i2.ajbh", "a"), ("i10.ajbh", "b"), ("appKey", "c"), ("Z", "d")]
    assert canonical(pairs, "s") == "Z=d&appKey=c&i10.ajbh=b&i2.ajbh=a&key=s"


@pytest.mark.parametrize("wire", [b"x=%819%EF1", b"x=%81%39%EF%31", b"x=%819%ef%31"])
def test_four_byte_characters_may_have_bare_digits(wire: bytes) -> None:
    assert decode(wire) == [("x", "㐂")]


@pytest.mark.parametrize(
    "wire",
    [
        b"x",
        b"=1",
        b"x=%8",
        b"x=%zz",
        b"x=\xd6\xd0",
        b"x=%81",
        b"x=%FF%FF",
        b"a=1&&b=2",
        b"x=a~b",
        b"%D6=1",
        b"x=%81%30",
    ],
)
def test_bytes_that_are_no_form(wire: bytes) -> None:
    with pytest.raises(FormError):
        decode(wire)


def test_utf8_is_not_read_as_gb18030() -> None:
    with pytest.raises(FormError):
        decode(f"x={quote('已接收')}".encode())


def test_blanks_are_written_both_ways_and_read_both_ways() -> None:
    wire = encode([("x", "a b c"), ("y", "&=%+~\n")])
    assert wire == b"x=a+b%20c&y=%26%3D%25%2B%7E%0A"
    assert decode(wire) == [("x", "a b c"), ("y", "&=%+~\n")]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_every_text_comes_back(text: str) -> None:
    assert decode(encode([("x", text)])) == [("x", text)]
    assert decode(urlencode([("x", text)], encoding="gb18030").replace("~", "%7E").encode()) == [("x", text)]


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        pairs = decode(body)
    except FormError:
        return
    assert all(re.fullmatch(r"[\x00-\x7f]*", name) for name, _ in pairs)


def test_the_sign_is_upper_case_and_whole() -> None:
    right = signature(EXAMPLE, "EXAMPLE-SECRET-0")
    assert holds([*EXAMPLE, ("sign", right)], "EXAMPLE-SECRET-0")
    for wrong in ("", right.lower(), right[:-1], right + "0", "签" * 64):
        assert not holds([*EXAMPLE, ("sign", wrong)], "EXAMPLE-SECRET-0")


def test_secrets_that_are_no_secrets() -> None:
    assert secret_fault("EXAMPLE-SECRET-0") is not None
    assert secret_fault("short") is not None
    assert secret_fault("sixteen&characters") is not None
    assert secret_fault("sixteen characters") is not None
    assert secret_fault(Union.default_config("http://127.0.0.1:1", "http://127.0.0.1:2")["secret"]) is None


async def test_the_example_secret_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="example"):
        await MockServer(Union, tmp_path, settings={"secret": "EXAMPLE-SECRET-0"}).start()
