"""Replies of the union platform on the wire, and how a broken portal in front of it answers (union page §1, §3, §7)."""

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote_plus

from aiohttp import web

from mocks.union import digest
from mocks.union.callbacks import nonce
from mocks.union.form import decode, encode

_PAGE = (
    "<html><head><meta charset=gbk><title>工会服务门户</title></head>"
    "<body><h1>系统维护中</h1><p>请稍后再试</p></body></html>"
)


def reply(params: Iterable[tuple[str, str]], secret: str, now: datetime) -> web.Response:
    """A signed reply with the union's ``timestamp`` (milliseconds) and a fresh ``nonce`` (§3)."""
    pairs = [*params, ("timestamp", str(round(now.timestamp() * 1000))), ("nonce", nonce())]
    return form_bytes(encode([*pairs, ("sign", digest.sign(pairs, secret))]))


def form_bytes(body: bytes) -> web.Response:
    """HTTP 200 with these bytes, declared as §1 says."""
    return web.Response(body=body, headers={"Content-Type": "text/plain; charset=GB18030"})


def as_utf8(form: bytes) -> bytes:
    """The same reply with its values percent coded from UTF-8, as a careless server writes it."""
    return "&".join(f"{name}={quote_plus(value, encoding='utf-8')}" for name, value in decode(form)).encode("ascii")


def portal_page(status: int) -> web.Response:
    """An HTML page in GBK."""
    return web.Response(status=status, body=_PAGE.encode("gbk"), headers={"Content-Type": "text/html; charset=GBK"})
