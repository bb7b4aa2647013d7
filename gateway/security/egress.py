"""Where a webhook may go: the policy for addresses that clients give us (``platforms/webhook.md`` §1), checked at connect time.

Against requests that a client makes us send into our own nets (SSRF): the address is read strictly, literal addresses are
checked before every attempt, and names in the connector's resolver, so that the connection goes to the address that was checked
(no second look-up that may answer otherwise: DNS rebinding).
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal

import httpx
from aiohttp.abc import AbstractResolver, ResolveResult

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Scheme = Literal["http", "https"]

LONGEST_URL = 2048
TENANT_PORTS = frozenset({443, 8443})
_DEFAULT_PORTS: dict[Scheme, int] = {"https": 443, "http": 80}

# IANA's special-purpose registries (RFC 6890 and its updates) and what the page names beside them.
_CLOSED_4 = tuple(
    IPv4Network(net)
    for net in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, metadata of clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
# Global unicast; everything else is ::/8, ULA, link-local, multicast, NAT64 or reserved.
_OPEN_6 = IPv6Network("2000::/3")
_CLOSED_6 = tuple(
    IPv6Network(net)
    for net in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3ffe::/16",  # given back (6bone)
        "3fff::/20",  # documentation
    )
)

_NAME = r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?)"
_URL = re.compile(
    r"(?P<scheme>https?)://"
    rf"(?:(?P<name>{_NAME}(?:\.{_NAME})*)|\[(?P<six>[0-9a-f:.]{{2,45}})\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?)"
)
_HEAD = re.compile(r"[A-Za-z]+://[^/?#\\]*")


class EgressRefused(Exception):
    """The address is against the policy. ``code``: ``url_form``, ``url_scheme``, ``url_port``, ``url_host``,
    ``address_not_public``, ``not_checked``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Target:
    """Where a checked URL leads: ``address`` where its host is a literal address."""

    scheme: Scheme
    host: str
    port: int
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator allows beyond the public net: a name, an address or a net; any port or scheme where it says none."""

    host: str | Network
    port: int | None = None
    scheme: Scheme | None = None

    @classmethod
    def of(cls, host: str, port: int | None = None, scheme: Scheme | None = None) -> Allowed:
        """From a host name, an address or a CIDR net.

        Raises:
            ValueError: none of them.
        """
        try:
            return cls(ip_network(host, strict=False), port, scheme)
        except ValueError:
            name = host.lower()
            if re.fullmatch(rf"{_NAME}(?:\.{_NAME})*", name) is None or _numeric(name):
                raise ValueError("neither a host name nor an address nor a net") from None
            return cls(name, port, scheme)

    def covers(self, target: Target, address: Address | None) -> bool:
        """Whether it allows this target by name, or this address of it."""
        if self.port not in (None, target.port) or self.scheme not in (None, target.scheme):
            return False
        if isinstance(self.host, str):
            return self.host == target.host
        return address is not None and address.version == self.host.version and address in self.host

    def may_cover(self, target: Target) -> bool:
        """Whether it is a net that the target's name may turn out to lie in."""
        return (
            not isinstance(self.host, str)
            and target.address is None
            and self.port in (None, target.port)
            and self.scheme in (None, target.scheme)
        )


def is_public(address: Address) -> bool:
    """Whether an address is one of the public net: none of the special ones, no other address in disguise (mapped, 6to4,
    Teredo, NAT64)."""
    if isinstance(address, IPv4Address):
        return not any(address in net for net in _CLOSED_4)
    return address in _OPEN_6 and not any(address in net for net in _CLOSED_6)


def _numeric(name: str) -> bool:
    """Whether a name is a number in disguise: its last label is one (``127.1``, ``0x7f.1``, ``2130706433``)."""
    return re.fullmatch(r"[0-9]+|0x[0-9a-f]*", name.rpartition(".")[2]) is not None


class EgressPolicy:
    """The rules: tenants' addresses are public and https; the operator's list may allow others. ``ports`` are those that go
    without being listed."""

    def __init__(self, allowed: Iterable[Allowed] = (), ports: frozenset[int] = TENANT_PORTS) -> None:
        self._allowed = tuple(allowed)
        self._ports = ports

    def examine(self, url: str) -> Target:
        """Read a URL and check all that can be checked without resolving its name.

        Raises:
            EgressRefused: it is against the policy.
        """
        return self._checked(_read(url))

    def examine_host(self, host: str, port: int, *, encrypted: bool) -> Target:
        """The same for a server of another protocol (mail, syslog); ``encrypted`` stands for https.

        Raises:
            EgressRefused: it is against the policy.
        """
        name = host.lower()
        scheme: Scheme = "https" if encrypted else "http"
        if not 0 < port <= 65535:
            raise EgressRefused("url_port")
        if ":" in name:
            return self._checked(Target(scheme, name, port, _literal(name, IPv6Address)))
        if re.fullmatch(rf"{_NAME}(?:\.{_NAME})*", name) is None or len(name) > 253:
            raise EgressRefused("url_host")
        return self._checked(Target(scheme, name, port, _literal(name, IPv4Address) if _numeric(name) else None))

    def _checked(self, target: Target) -> Target:
        if any(allowed.covers(target, target.address) or allowed.may_cover(target) for allowed in self._allowed):
            return target  # of a name that may lie in an allowed net the addresses decide
        if target.scheme != "https":
            raise EgressRefused("url_scheme")
        if target.port not in self._ports:
            raise EgressRefused("url_port")
        if target.address is not None and not is_public(target.address):
            raise EgressRefused("address_not_public")
        if target.address is None and _local_name(target.host):
            raise EgressRefused("url_host")
        return target

    def admits(self, target: Target, address: Address) -> bool:
        """Whether the connection to this target may go to this address of it."""
        if any(allowed.covers(target, address) for allowed in self._allowed):
            return True
        return target.scheme == "https" and target.port in self._ports and is_public(address)


def _local_name(host: str) -> bool:
    """Names of a machine or a local net: single labels and the zones that no public server holds (RFC 6761, RFC 6762)."""
    return "." not in host or host.rpartition(".")[2] in {"localhost", "local", "internal"}


def _read(url: str) -> Target:
    """A URL, read as narrowly as can be: what two parsers could read in two ways is refused."""
    if len(url) > LONGEST_URL or not url.isascii():
        raise EgressRefused("url_form")
    head = _HEAD.match(url)
    folded = url if head is None else head.group().lower() + url[head.end() :]
    found = _URL.fullmatch(folded)
    if found is None:
        raise EgressRefused("url_form" if folded.startswith(("https://", "http://")) else "url_scheme")
    scheme: Scheme = "https" if found["scheme"] == "https" else "http"
    port = int(found["port"] or _DEFAULT_PORTS[scheme])
    if not 0 < port <= 65535:
        raise EgressRefused("url_port")
    if found["six"] is not None:
        return Target(scheme, found["six"], port, _literal(found["six"], IPv6Address))
    name = found["name"]
    if len(name) > 253:
        raise EgressRefused("url_host")
    return Target(scheme, name, port, _literal(name, IPv4Address) if _numeric(name) else None)


def _literal(text: str, kind: type[IPv4Address] | type[IPv6Address]) -> Address:
    """A literal address in its one proper form; decimal, octal, hexadecimal and short ones are refused."""
    try:
        return kind(text)
    except ValueError:
        raise EgressRefused("url_host") from None


_going_to: ContextVar[Target | None] = ContextVar("going_to", default=None)


class CheckedResolver(AbstractResolver):
    """Resolves a checked target's name once and lets no address pass that the policy does not admit.

    One closed address among several refuses them all: a name that mixes them is not to be trusted.
    """

    def __init__(self, policy: EgressPolicy, inner: AbstractResolver) -> None:
        self._policy = policy
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """See ``aiohttp.abc.AbstractResolver``.

        Raises:
            EgressRefused: nobody examined the URL, or an address is closed.
            OSError: the name has no address.
        """
        target = _going_to.get()
        if target is None or (target.host, target.port) != (host, port):
            raise EgressRefused("not_checked")
        found = await self._inner.resolve(host, port, family)
        for entry in found:
            if not self._policy.admits(target, _address_of(entry)):
                raise EgressRefused("address_not_public")
        return found

    async def close(self) -> None:
        """Close the inner resolver."""
        await self._inner.close()


def _address_of(entry: ResolveResult) -> Address:
    try:
        return ip_address(entry["host"].partition("%")[0])
    except ValueError:
        raise EgressRefused("address_not_public") from None


class GuardedTransport(httpx.AsyncBaseTransport):
    """Lets through what the policy allows; its inner transport must resolve names by a ``CheckedResolver``."""

    def __init__(self, policy: EgressPolicy, inner: httpx.AsyncBaseTransport) -> None:
        self._policy = policy
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See ``httpx.AsyncBaseTransport``.

        Raises:
            EgressRefused: nothing was sent.
        """
        going = _going_to.set(self._policy.examine(str(request.url)))
        try:
            return await self._inner.handle_async_request(request)
        finally:
            _going_to.reset(going)

    async def aclose(self) -> None:
        """Close the inner transport."""
        await self._inner.aclose()
