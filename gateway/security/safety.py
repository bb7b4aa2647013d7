"""What production refuses to start with: every reason at once (``design.md`` §6.9)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from gateway.settings import Settings


def unsafe(settings: Settings) -> list[str]:
    """One line per unsafe setting; nothing outside production."""
    return list(_reasons(settings)) if settings.env == "production" else []


def _reasons(settings: Settings) -> Iterator[str]:
    if settings.keys is None and settings.key_file is None:
        yield "key_file: production needs sealing keys (gateway config keys FILE makes a file)"
    if _plain(settings.public_base):
        yield "public_base: plain http reaches others unprotected; put TLS in front and name the https address"
    if settings.host not in ("127.0.0.1", "::1", "localhost") and _plain(settings.public_base):
        yield "host: listening beyond this machine needs TLS in front (public_base with https)"
    if not settings.endpoints:
        yield "endpoints: none is configured, nothing would ever leave"
    for name, endpoint in settings.endpoints.items():
        for key, value in endpoint.settings.items():
            if key.endswith("_url") and isinstance(value, str) and _plain(value):
                yield f"endpoints.{name}.settings.{key}: plain http outside this machine"
    if settings.database.startswith("postgresql://"):
        parts = urlsplit(settings.database)
        modes = parse_qs(parts.query).get("sslmode", [])
        # The driver's own default falls back to a plain connection where the server has no TLS.
        if not _is_here(parts.hostname) and not set(modes) & {"require", "verify-ca", "verify-full"}:
            yield "database: personal data would travel unprotected; add ?sslmode=verify-full (or require)"
    if settings.bus.startswith("kafka://") and settings.kafka.intake is not None:
        hosts = [urlsplit(f"//{address}").hostname for address in settings.bus.removeprefix("kafka://").split(",")]
        if not all(map(_is_here, hosts)):
            yield "bus: cases of the intake topic would travel unprotected; use kafka+tls://"
    if settings.kafka.user is not None and settings.bus.startswith("kafka://"):
        yield "bus: the password of kafka.user would travel unprotected; use kafka+tls://"


def _plain(address: str) -> bool:
    """Whether the address is http on another machine than this one."""
    parts = urlsplit(address)
    if parts.scheme != "http":
        return False
    return not _is_here(parts.hostname)


def _is_here(host: str | None) -> bool:
    """Whether the host is this machine (a socket's path counts as none)."""
    if not host or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
