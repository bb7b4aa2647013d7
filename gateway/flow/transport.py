"""The HTTP transport of production, with what aiohttp knows and its httpx bridge forgets: whether anything left us."""

from __future__ import annotations

import ssl
from functools import partial

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver
from httpx_aiohttp import AiohttpTransport

_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


def _connector(resolver: AbstractResolver | None) -> aiohttp.TCPConnector:
    if resolver is None:
        return aiohttp.TCPConnector(limit=0, keepalive_timeout=15)
    # Names are resolved once per attempt: no cache, and no connection that outlives its attempt.
    return aiohttp.TCPConnector(limit=0, resolver=resolver, use_dns_cache=False, force_close=True)


def _session(resolver: AbstractResolver | None) -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(
        connector=_connector(resolver),
        auto_decompress=False,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
    )
    # aiohttp repeats a GET by itself where a kept connection turns out dead: a second retry layer, unseen and unrecorded.
    session._retry_connection = False  # there is no public switch; its own test client does the same
    return session


class Transport(AiohttpTransport):
    """aiohttp under httpx's interface. No proxies from the environment, no decompression, no cookies, no repeats.

    The bridge reports every broken connection as ``httpx.ConnectTimeout``. Here only a connection that was never made is a
    ``ConnectError``; one that broke with the request on its way is a ``ReadError``, and bytes that are no HTTP are a
    ``RemoteProtocolError``: after those the platform may have it (``reliability.md`` §2 rows 13-17).
    """

    def __init__(self, resolver: AbstractResolver | None = None) -> None:
        """``resolver``: who resolves names, anew for every request; absent: the machine, for as long as connections live."""
        # The session's connector verifies; the bridge would load the machine's certificates once more, for nothing.
        super().__init__(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), client=partial(_session, resolver), trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See ``httpx.AsyncBaseTransport``."""
        try:
            response: httpx.Response = await super().handle_async_request(request)
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
