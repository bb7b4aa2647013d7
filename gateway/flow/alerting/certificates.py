"""When the TLS certificates end that platforms show us, and our own public address's: read by a handshake, nothing sent."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from gateway.registry import Endpoint

_EVERY_S: Final = 6 * 3600.0
_FIRST_S: Final = 60.0
_WITHIN_S: Final = 10.0
_EXPIRED: Final = 10
"""OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED."""


def addresses(endpoints: Mapping[str, Endpoint], public_base: str) -> dict[str, tuple[str, int]]:
    """Host and port of every https address, by endpoint; our own under its host name."""
    found: dict[str, tuple[str, int]] = {}
    for name, endpoint in endpoints.items():
        parts = urlsplit(str(getattr(endpoint.adapter.settings, "base_url", "")))
        if parts.scheme == "https" and parts.hostname:
            found[name] = (parts.hostname, parts.port or 443)
    own = urlsplit(public_base)
    if own.scheme == "https" and own.hostname:
        found[own.hostname] = (own.hostname, own.port or 443)
    return found


class Certificates:
    """Looks every six hours, for the first time a minute after the start; in between it tells what it saw."""

    def __init__(
        self,
        places: Mapping[str, tuple[str, int]],
        tls: ssl.SSLContext | None = None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._places = places
        self._tls = tls
        self._seconds = seconds
        self._next = seconds() + _FIRST_S
        self._seen: dict[str, int] = {}

    async def ends(self) -> Mapping[str, int]:
        """Ends (ms since 1970) by name, as last seen."""
        if self._places and self._seconds() >= self._next:
            self._next = self._seconds() + _EVERY_S
            await self.look()
        return self._seen

    async def look(self) -> None:
        """Shake hands with each once. One that cannot be reached keeps what was seen of it before."""
        if self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        tls = self._tls
        found = await asyncio.gather(*(_end_of(tls, *place) for place in self._places.values()))
        self._seen |= {name: at for name, at in zip(self._places, found, strict=True) if at is not None}


async def _end_of(tls: ssl.SSLContext, host: str, port: int) -> int | None:
    try:
        async with asyncio.timeout(_WITHIN_S):
            _, writer = await asyncio.open_connection(host, port, ssl=tls, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        return 0 if error.verify_code == _EXPIRED else None
    except (OSError, TimeoutError, ssl.SSLError):
        return None
    try:
        shown = writer.get_extra_info("peercert") or {}
        return round(1000 * ssl.cert_time_to_seconds(str(shown["notAfter"]))) if "notAfter" in shown else None
    finally:
        writer.close()
