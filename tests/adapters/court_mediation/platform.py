"""A small platform for these tests, written from the page alone: sessions, uploads, the ledger, the query, the links.

It checks transport and session strictly and no business rule; what it answers can be scripted.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import policy
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from adapters.court_mediation import CourtMediation, CourtMediationSettings
from contracts.adapter import AttachmentInfo, InboundCall, Json, Reply, Request, Tools
from contracts.errors import RetryableError
from tests.adapters.ways import HttpAlone

URL = "http://127.0.0.1:9102"
USERNAME, PASSWORD = "sdtj370102", "Synthetic-密码-1"
CALLBACK_KEY = bytes(range(1, 33))
NOW = datetime(2026, 10, 12, 2, 0, 30, tzinfo=UTC)
COURTS = {"370102": "鲁0102", "370100": "鲁01", "371302": "鲁1302"}
LOGIN_PAGE = b'<html><form id="loginForm" action="/fayuan/a/login"></form></html>'
PORTAL = "<html><title>人民法院调解平台</title>请稍候</html>".encode()


def settings(**changes: Any) -> CourtMediationSettings:
    """The endpoint's settings as the platform's configuration file has them."""
    values: dict[str, Any] = {
        "base_url": URL,
        "callback_url": "https://gateway.example/callbacks/court/notify",
        "username": USERNAME,
        "password": PASSWORD,
        "callback_key": CALLBACK_KEY.hex(),
        "court_codes": COURTS,
    }
    return CourtMediationSettings(**(values | changes))


class Clock:
    """A clock that is moved by hand."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self.now += timedelta(seconds=seconds)


class Nonces:
    """Remembers nonces while the test runs, and that it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def first_seen(self, nonce: str, keep: timedelta) -> bool:
        assert keep >= timedelta(minutes=15)
        self.asked.append(nonce)
        return self.asked.count(nonce) == 1


class Memory:
    """A memory that forgets in time."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.kept: dict[str, tuple[str, datetime | None]] = {}
        self.puts: list[str] = []

    async def get(self, key: str) -> str | None:
        value, until = self.kept.get(key, (None, None))
        return value if until is None or self.clock() < until else None

    async def put(self, key: str, value: str, keep: timedelta | None = None) -> None:
        self.puts.append(key)
        self.kept[key] = (value, None if keep is None else self.clock() + keep)

    async def forget(self, key: str) -> None:
        self.kept.pop(key, None)


class Attachments:
    """Attachments by id, and how often each was read."""

    def __init__(self, files: Iterable[tuple[AttachmentInfo, bytes]] = ()) -> None:
        self.files = {info.id: (info, data) for info, data in files}
        self.reads: list[str] = []

    async def info(self, attachment: str) -> AttachmentInfo:
        return self.files[attachment][0]

    async def read(self, attachment: str) -> bytes:
        self.reads.append(attachment)
        return self.files[attachment][1]


async def at_once(function: Callable[..., Any], /, *arguments: Any) -> Any:
    """``Blocking`` without a thread."""
    return function(*arguments)


def tools(clock: Clock | None = None, **changes: Any) -> Tools:
    """Tools with a fixed clock and true randomness."""
    clock = clock or Clock()
    values: dict[str, Any] = {
        "now": clock,
        "random_bytes": secrets.token_bytes,
        "attachments": Attachments(),
        "nonces": Nonces(),
        "memory": Memory(clock),
        "blocking": at_once,
    }
    return Tools(**(values | changes))


def adapter(clock: Clock | None = None, *, configured: dict[str, Any] | None = None, **changes: Any) -> CourtMediation:
    """The adapter with those tools."""
    return CourtMediation("court", settings(**(configured or {})), tools(clock, **changes))


# ------------------------------------------------------------------------------------------------------------- replies


def answer(code: str | int, content: Json | None = None, msg: str = "操作成功", **more: Any) -> Reply:
    """A reply in the page's envelope."""
    body: Json = {"code": code, "msg": msg} | ({} if content is None else {"content": content}) | more
    return raw(json.dumps(body, ensure_ascii=False).encode())


def raw(
    body: bytes, status: int = 200, media_type: str = "application/json; charset=UTF-8", *more: tuple[str, str]
) -> Reply:
    """A reply of those bytes."""
    return Reply(status, (("Content-Type", media_type), *more), body)


def html(body: bytes, status: int = 200) -> Reply:
    """A page."""
    return raw(body, status, "text/html;charset=UTF-8")


def login_page() -> Reply:
    """The session is over."""
    return html(LOGIN_PAGE)


def fixed(reply: Reply) -> Callable[[Request], Reply]:
    """An answer that does not look at the call."""
    return lambda _: reply


def reset(_: Request) -> Reply:
    """The connection is reset after a byte may have left."""
    raise RetryableError("broken_off", maybe_accepted=True)


def refused(_: Request) -> Reply:
    """The connection is refused."""
    raise RetryableError("unreachable")


# ------------------------------------------------------------------------------------------------------------ platform


@dataclass
class Step:
    """One recorded call."""

    name: str
    service: str
    filing: bool
    request: Request
    within: float | None


@dataclass
class Platform(HttpAlone):
    """The platform as an ``Exchange``. ``scripts`` say what the next call of a service is answered instead."""

    clock: Clock = field(default_factory=Clock)
    password: str = PASSWORD
    steps: list[Step] = field(default_factory=list)
    scripts: dict[str, list[Callable[[Request], Reply] | None]] = field(default_factory=dict)
    sessions: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    moments: list[str] = field(default_factory=list)
    files: dict[str, tuple[str, str, str, bytes]] = field(default_factory=dict)
    ledger: list[Json] = field(default_factory=list)
    documents: dict[str, bytes] = field(default_factory=dict)
    numbers: bool = False

    def script(self, service: str, *replies: Callable[[Request], Reply] | Reply | None) -> None:
        """What the next calls of the service are answered; ``None``: as always."""
        self.scripts.setdefault(service, []).extend(fixed(one) if isinstance(one, Reply) else one for one in replies)

    def served(self, service: str) -> list[Step]:
        """The recorded calls of one service."""
        return [step for step in self.steps if step.service == service]

    def path(self) -> list[str]:
        """The services called, in order."""
        return [step.service for step in self.steps]

    def end_sessions(self) -> None:
        """As at a restart."""
        self.sessions.clear()

    async def call(
        self,
        step: str,
        request: Request,
        *,
        filing: bool = False,
        within: float | None = None,
        limit: int | None = None,
    ) -> Reply:
        assert request.url.startswith(f"{URL}/fayuan/a/")
        service = urlsplit(request.url).path.removeprefix("/fayuan/a/")
        self.steps.append(Step(step, service, filing, request, within))
        if service != "login" and service != "ping" and not service.startswith("file/get"):
            cookie = dict(request.headers)["Cookie"].removeprefix("JSESSIONID=")
            if not self._alive(cookie):
                return login_page()
        scripted = self.scripts.get(service)
        if scripted and (script := scripted.pop(0)) is not None:
            return script(request)
        return self._serve(service, request)

    def _alive(self, cookie: str) -> bool:
        if cookie not in self.sessions:
            return False
        since, used = self.sessions[cookie]
        now = self.clock()
        if now - used > timedelta(minutes=20) or now - since > timedelta(hours=2):
            return False
        self.sessions[cookie] = (since, now)
        return True

    def _serve(self, service: str, request: Request) -> Reply:
        match service:
            case "ping":
                assert request.method == "GET"
                return raw(b"pong", 200, "text/plain")
            case "login":
                return self._login(request)
            case "file/upload":
                return self._upload(request)
            case "query/byTjbh":
                return self._query(form_of(request)["tjbh"])
            case "ws/link":
                number = form_of(request)["c_wsbh"]
                return answer("200", {"c_wsbh": number, "wjlj": self.link(number), "wjyxq": "20261012 10:10"})
        if service.startswith("file/get/"):
            assert request.method == "GET"
            assert all(name != "Cookie" for name, _ in request.headers)
            token = service.removeprefix("file/get/")
            data = self.documents.get(token)
            if data is None:
                return raw(answer("403", msg="链接已失效").body, 403)
            return raw(data, 200, "application/pdf")
        return self._file(service, form_of(request))

    def link(self, number: str) -> str:
        """A fresh link to a document."""
        return f"{URL}/fayuan/a/file/get/{number}"

    def _login(self, request: Request) -> Reply:
        fields = dict(parse_qsl(request.body.decode(), strict_parsing=True))
        assert set(fields) == {"username", "yzsj", "password"}
        moment = fields["yzsj"]
        there = datetime.strptime(moment + "+0800", "%Y%m%d%H%M%S%z")
        signed = hmac.new(self.password.encode(), (fields["username"] + moment).encode(), hashlib.sha256)
        fresh = abs((there - self.clock()).total_seconds()) <= 300 and moment not in self.moments
        self.moments.append(moment)
        if not fresh or fields["password"] != signed.hexdigest().upper():
            return answer("401", msg="用户名或密码错误")
        cookie = secrets.token_hex(16).upper()
        self.sessions[cookie] = (self.clock(), self.clock())
        for oldest in list(self.sessions)[:-3]:
            del self.sessions[oldest]
        found = answer("200", {"yxsj": "1200"}, "登录成功")
        header = ("Set-Cookie", f"JSESSIONID={cookie}; Path=/fayuan; HttpOnly")
        return Reply(200, (*found.headers, ("Set-Cookie", "lang=zh"), header), found.body)

    def _upload(self, request: Request) -> Reply:
        file_class, name, media_type, data = parts_of(request)
        file_id = secrets.token_hex(16)
        self.files[file_id] = (file_class, name, media_type, data)
        digest = hashlib.sha256(data).hexdigest()
        return answer(self._code(), {"fileId": file_id, "wjdx": str(len(data)), "sha256": digest})

    def _file(self, service: str, payload: Json) -> Reply:
        for entry in payload.get("docList", []):
            assert set(entry) == {"fileId", "fjlx", "wjmc"}
            if entry["fileId"] not in self.files:
                return answer("1002", msg="文件不存在")
        entry = {
            "tjbh": payload["tjbh"],
            "uuid": secrets.token_hex(16).upper(),
            "fwlx": service,
            "djsj": (self.clock() + timedelta(hours=8)).strftime("%Y%m%d %H:%M"),
            "zt": "0",
            "at": self.clock(),
            "payload": payload,
        }
        self.ledger.append(entry)
        return answer(self._code(), {key: entry[key] for key in ("uuid", "tjbh", "djsj")}, "成功<br>")

    def _query(self, number: str) -> Reply:
        indexed = [
            {key: entry[key] for key in ("tjbh", "uuid", "fwlx", "djsj", "zt")} | {"money": "18600.0"}
            for entry in self.ledger
            if entry["tjbh"] == number and self.clock() - entry["at"] >= timedelta(seconds=10)
        ]
        return answer(self._code(), {"total": str(len(indexed)), "list": indexed})

    def _code(self) -> str | int:
        """Now and then the code comes as a number."""
        self.numbers = not self.numbers
        return 200 if self.numbers else "200"


def form_of(request: Request) -> Json:
    """The JSON text of a service's one form field, read as the platform would."""
    assert request.method == "POST"
    assert dict(request.headers)["Content-Type"] == "application/x-www-form-urlencoded; charset=UTF-8"
    fields = parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True, encoding="utf-8")
    assert [name for name, _ in fields] == ["mediationFormStr"]
    payload = json.loads(fields[0][1])
    assert isinstance(payload, dict)
    assert_strings(payload)
    return payload


def assert_strings(value: Any) -> None:
    """All values are non-empty strings, lists and objects apart."""
    if isinstance(value, dict | list):
        assert value
        for below in value.values() if isinstance(value, dict) else value:
            assert_strings(below)
    else:
        assert isinstance(value, str)
        assert value


def parts_of(request: Request) -> tuple[str, str, str, bytes]:
    """Class, file name, media type and bytes of an upload, as a MIME parser reads them."""
    content_type = dict(request.headers)["Content-Type"]
    head = f"Content-Type: {content_type}\r\nMIME-Version: 1.0\r\n\r\n".encode()
    parsed = BytesParser(policy=policy.HTTP.clone(raise_on_defect=False)).parsebytes(head + request.body)
    first, second = parsed.iter_parts()
    assert first.get_param("name", header="Content-Disposition") == "fjlx"
    assert second.get_param("name", header="Content-Disposition") == "file"
    data = second.get_payload(decode=True)
    assert isinstance(data, bytes)
    name = second.get_filename() or ""
    plain = name.encode("utf-8", "surrogateescape").decode("utf-8")
    media_type = dict(second.raw_items())["Content-Type"]
    return str(first.get_content()).strip(), plain, str(media_type), data


# -------------------------------------------------------------------------------------------------------------- pushes


def push_body(kind: str, content: Json, **changes: Any) -> bytes:
    """A push as bytes."""
    body: Json = {"tsbh": "TS20261012000001", "tslx": kind, "tssj": "20261012 10:00", "fydm": "鲁0102"}
    return json.dumps(body | changes | {"content": content}, ensure_ascii=False).encode()


def signed_headers(
    body: bytes,
    *,
    key: bytes = CALLBACK_KEY,
    timestamp: str | None = None,
    nonce: str | None = None,
    now: datetime = NOW,
) -> list[tuple[str, str]]:
    """The three headers, by the page."""
    stamp = str(int(now.timestamp())) if timestamp is None else timestamp
    once = secrets.token_hex(16) if nonce is None else nonce
    signature = hmac.new(key, stamp.encode() + once.encode() + body, hashlib.sha256).hexdigest()
    return [("X-Fy-Timestamp", stamp), ("X-Fy-Nonce", once), ("X-Fy-Signature", signature)]


def call_of(
    body: bytes, headers: Iterable[tuple[str, str]] | None = None, method: str = "POST", path: str = "/notify"
) -> InboundCall:
    """A call as the gateway's door receives it."""
    found = signed_headers(body) if headers is None else list(headers)
    return InboundCall(method, path, (("Content-Type", "application/json; charset=UTF-8"), *found), body, NOW)


def push(kind: str, content: Json, **changes: Any) -> InboundCall:
    """A signed push at the door."""
    return call_of(push_body(kind, content, **changes))
