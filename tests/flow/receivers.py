"""Those who are told alerts, as real servers in this process: mail, HTTP, syslog."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache
from typing import Any

import trustme
from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests.servers.aside import served

HOST = "localhost"
ALLOWED = ({"host": "localhost"}, {"host": "127.0.0.1"})


@cache
def authority() -> trustme.CA:
    """Who signed our servers."""
    return trustme.CA()


def trusting() -> ssl.SSLContext:
    """Trusts that authority alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority().configure_trust(context)
    return context


def serving() -> ssl.SSLContext:
    """The side of a server on ``localhost``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("localhost").configure_cert(context)
    return context


@dataclass
class MailServer:
    """What came by mail. ``refuse`` answers the data of the next mails."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)
    refuse: list[str] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """A recipient is named."""
        if address.startswith("nobody"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 # aiosmtpd's name
        """A mail came whole."""
        if self.refuse:
            return self.refuse.pop(0)
        content = envelope.content
        assert isinstance(content, bytes)
        made = message_from_bytes(content, policy=default)
        assert isinstance(made, EmailMessage)
        self.mails.append(made)
        self.recipients.append(list(envelope.rcpt_tos))
        assert server.transport is not None
        self.secured.append(session.ssl is not None or server.transport.get_extra_info("sslcontext") is not None)
        return "250 OK"


@asynccontextmanager
async def mail_server(
    *, starttls: bool = False, tls: bool = False, login: tuple[str, str] | None = None
) -> AsyncIterator[MailServer]:
    """A mail server; with ``login`` it wants that user and password, after STARTTLS alone."""
    loop, kept = asyncio.get_running_loop(), MailServer()

    def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == login, handled=False)

    def made() -> SMTP:
        return SMTP(
            kept,
            hostname="mail.test",
            tls_context=serving() if starttls else None,
            require_starttls=starttls,
            auth_required=login is not None,
            authenticator=authenticate if login else None,
            auth_require_tls=not tls,
            loop=loop,
        )

    server = await loop.create_server(made, "127.0.0.1", 0, ssl=serving() if tls else None)
    kept.port = server.sockets[0].getsockname()[1]
    try:
        yield kept
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.05)  # its side of the connections ends a moment after ours


@dataclass
class HttpServer:
    """What came by HTTP; ``answers`` are given in turn, then ``errcode 0``."""

    port: int = 0
    calls: list[tuple[dict[str, str], dict[str, str], bytes]] = field(default_factory=list)
    answers: list[web.Response | Callable[[], Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address, with a token as robots have."""
        return f"http://{HOST}:{self.port}/robot/send?access_token=t0ken"


@asynccontextmanager
async def http_server() -> AsyncIterator[HttpServer]:
    """A receiver of calls."""
    kept = HttpServer()

    async def handle(request: web.Request) -> web.StreamResponse:
        kept.calls.append((dict(request.query), dict(request.headers), await request.read()))
        if kept.answers:
            answer = kept.answers.pop(0)
            if callable(answer):
                await answer()
                return web.json_response({"errcode": 0})
            return answer
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    application = web.Application()
    application.router.add_post("/robot/send", handle)
    async with served(application, 1) as port:
        kept.port = port
        yield kept


@asynccontextmanager
async def syslog_stream(*, tls: bool = False) -> AsyncIterator[tuple[int, asyncio.Queue[bytes]]]:
    """A collector over TCP or TLS: its port, and what came in each connection."""
    came: asyncio.Queue[bytes] = asyncio.Queue()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await came.put(await reader.read(-1))
        finally:
            writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=serving() if tls else None)
    try:
        yield server.sockets[0].getsockname()[1], came
    finally:
        server.close()
        await server.wait_closed()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, came: asyncio.Queue[bytes]) -> None:
        self._came = came

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._came.put_nowait(data)


@asynccontextmanager
async def syslog_datagrams() -> AsyncIterator[tuple[int, asyncio.Queue[bytes]]]:
    """A collector over UDP."""
    came: asyncio.Queue[bytes] = asyncio.Queue()
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Datagrams(came), local_addr=("127.0.0.1", 0)
    )
    try:
        yield transport.get_extra_info("sockname")[1], came
    finally:
        transport.close()


def frames(stream: bytes) -> list[str]:
    """Octet-counted messages of a stream."""
    found = []
    while stream:
        length, _, rest = stream.partition(b" ")
        found.append(rest[: int(length)].decode())
        stream = rest[int(length) :]
    return found


def mail_text(mail: EmailMessage) -> str:
    """The text of a mail."""
    body = mail.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert base64.b64encode(body)
    return body.decode("utf-8")
