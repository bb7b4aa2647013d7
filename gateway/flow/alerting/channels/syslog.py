"""Alerts by syslog: one RFC 5424 message for each transition, over UDP (RFC 5426), TCP (RFC 6587) or TLS (RFC 5425)."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import ssl
from typing import Final

from gateway.flow.alerting.channels.dial import addresses, connect
from gateway.flow.alerting.channels.port import Bundle, ChannelFailed, Told
from gateway.security.egress import EgressPolicy
from gateway.settings import SyslogChannelSettings

_WITHIN_S: Final = 10.0
_LEAVE_S: Final = 2.0
_SEVERITY: Final = {"critical": 2, "warning": 4, "info": 5}
_RECOVERED: Final = 5
_ID: Final = "gateway@32473"
"""The structured data's name under IANA's number for documentation (RFC 5612): the gateway has none of its own."""


class Syslog:
    """One collector."""

    def __init__(
        self, settings: SyslogChannelSettings, policy: EgressPolicy, tls: ssl.SSLContext | None = None
    ) -> None:
        """``tls``: whom to trust; absent: the machine's certificates."""
        self._settings = settings
        self._policy = policy
        self._tls = tls

    async def tell(self, bundle: Bundle) -> None:
        """See ``Channel``. TCP and TLS know no acknowledgement: told is what the other side's machine has taken."""
        own = self._settings
        port = own.port or (6514 if own.transport == "tls" else 514)
        udp = own.transport == "udp"
        kind = socket.SOCK_DGRAM if udp else socket.SOCK_STREAM
        found = await addresses(self._policy, own.host, port, encrypted=own.transport == "tls", kind=kind)
        lines = [line(one, bundle.site, own.facility) for one in bundle.items]
        try:
            async with asyncio.timeout(_WITHIN_S):
                if udp:
                    await _send_datagrams(found[0], lines)
                else:
                    await self._stream(await connect(found), lines)
        except TimeoutError:
            raise ChannelFailed("timeout") from None
        except (OSError, ssl.SSLError) as error:
            raise ChannelFailed(f"syslog_failed:{type(error).__name__}") from None

    async def _stream(self, opened: socket.socket, lines: list[bytes]) -> None:
        """Octet counting, the framing of RFC 6587 §3.4.1 and RFC 5425."""
        tls = self._settings.transport == "tls"
        if tls and self._tls is None:
            self._tls = ssl.create_default_context()
        reader, writer = await asyncio.open_connection(
            sock=opened,
            ssl=self._tls if tls else None,
            server_hostname=self._settings.host if tls else None,
        )
        try:
            writer.write(b"".join(b"%d %b" % (len(each), each) for each in lines))
            await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
                try:
                    async with asyncio.timeout(_LEAVE_S):
                        await reader.read(1)  # until the collector closes: then it has read everything
                except TimeoutError:
                    pass
        finally:
            writer.close()
            try:
                async with asyncio.timeout(_LEAVE_S):
                    await writer.wait_closed()
            except (TimeoutError, OSError, ssl.SSLError):
                writer.transport.abort()


async def _send_datagrams(place: tuple[socket.AddressFamily, tuple[str, int]], lines: list[bytes]) -> None:
    family, address = place
    with socket.socket(family, socket.SOCK_DGRAM) as opened:
        opened.setblocking(False)
        for each in lines:
            await asyncio.get_running_loop().sock_sendto(opened, each, address)


def line(one: Told, site: str, facility: int) -> bytes:
    """One message: ``<PRI>1 time host app pid msgid [data] text``, UTF-8 with its mark (RFC 5424 §6)."""
    severity = _SEVERITY.get(one.severity, 4) if one.opened else _RECOVERED
    data = {"alert": one.alert, "rule": one.rule, "state": one.phase, "severity": one.severity, "about": one.about}
    pairs = " ".join(f'{name}="{_quoted(value)}"' for name, value in data.items())
    stamp = one.moment.isoformat(timespec="milliseconds")
    priority, host = facility * 8 + severity, _name(socket.gethostname(), 255)
    head = f"<{priority}>1 {stamp} {host} mediation-gateway {os.getpid()} {_name(one.rule, 32)}"
    figure = f" ({one.figure})" if one.figure else ""
    text = f"{site} {one.title}: {one.about}{figure} {one.link}".replace("\n", " ").strip()
    return f"{head} [{_ID} {pairs}] \ufeff{text}".encode()


def _name(text: str, most: int) -> str:
    return re.sub(r"[^\x21-\x7e]", "_", text)[:most] or "-"


def _quoted(value: str) -> str:
    return re.sub(r'(["\\\]])', r"\\\1", value.replace("\n", " "))
