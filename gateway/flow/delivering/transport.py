"""The HTTP transport of production, with what aiohttp knows and its httpx bridge forgets: whether anything left us."""

from __future__ import annotations

import ssl
from functools import partial

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver
from httpx_aiohttp import AiohttpTransport

_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


def _connector(resolver: AbstractResolver | None, single: bool) -> aiohttp.TCPConnector:
    if resolver is None:
        return (
            aiohttp.TCPConnector(limit=0, force_close=True)
            if single
            else aiohttp.TCPConnector(limit=0, keepalive_timeout=15)
        )
    # Names are resolved once per attempt: no cache, and no connection that outlives its attempt.
    return aiohttp.TCPConnector(limit=0, resolver=resolver, use_dns_cache=False, force_close=True)


def _session(resolver: AbstractResolver | None, single: bool) -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(
        connector=_connector(resolver, single),
        auto_decompress=False,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
    )
    # aiohttp repeats a GET by itself where a kept connection turns out dead: a second retry layer, unseen and unrecorded.
    session._retry_connection = False  # there is no public switch; its own test client does the same
    return session


def _bridge(resolver: AbstractResolver | None, single: bool) -> AiohttpTransport:
    # The session's connector verifies; the bridge would load the machine's certificates once more, for nothing.
    unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return AiohttpTransport(verify=unused, client=partial(_session, resolver, single), trust_env=False)


class Transport(httpx.AsyncBaseTransport):
    """aiohttp under httpx's interface. No proxies from the environment, no decompression, no cookies, no repeats.

    A request that says ``Connection: close`` gets a connection of its own, whatever the other side answers: aiohttp alone
    would keep it where the answer does not say so, and the next request would go into a connection that may be dead.

    The bridge reports every broken connection as ``httpx.ConnectTimeout``. Here only a connection that was never made is a
    ``ConnectError``; one that broke with the request on its way is a ``ReadError``, and bytes that are no HTTP are a
    ``RemoteProtocolError``: after those the platform may have it (``reliability.md`` §2 rows 13-17).
    """

    def __init__(self, resolver: AbstractResolver | None = None) -> None:
        """``resolver``: who resolves names, anew for every request; absent: the machine, for as long as connections live."""
        self._kept = _bridge(resolver, single=False)
        self._single = _bridge(resolver, single=True)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See ``httpx.AsyncBaseTransport``."""
        bridge = self._single if request.headers.get("connection") == "close" else self._kept
        try:
            response: httpx.Response = await bridge.handle_async_request(request)
        except httpx.UnsupportedProtocol:
            raise
        except httpx.TransportError as error:
            reason = error.__cause__
            if isinstance(reason, _NOT_SENT):
                raise httpx.ConnectError(type(reason).__name__) from error
            raise httpx.ReadError(type(reason).__name__) from error
        except aiohttp.ClientError as error:
            raise httpx.RemoteProtocolError(type(error).__name__) from None
        return response

    async def aclose(self) -> None:
        """Close every connection."""
        await self._kept.aclose()
        await self._single.aclose()
