"""Where a webhook may go: hostile addresses, hostile name servers, and what the operator allows."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from gateway.flow.delivering.transport import Transport
from gateway.security.egress import (
    Allowed,
    CheckedResolver,
    EgressPolicy,
    EgressRefused,
    GuardedTransport,
    Target,
    is_public,
)
from tests.servers.aside import served

TENANTS = EgressPolicy()

CLOSED = [
    # loopback, this network
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    # private
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    # link-local, metadata of clouds
    "169.254.169.254",
    "169.254.0.1",
    # shared
    "100.64.0.1",
    "100.127.255.255",
    "100.100.100.200",
    # documentation, benchmarks, protocol assignments
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "198.18.0.1",
    "198.19.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.88.99.1",
    # multicast, reserved, broadcast
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    # IPv6
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
OPEN = [
    "8.8.8.8",
    "1.1.1.1",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:4860:4860::8888",
    "2400:3200::1",
    "240e::1",
]


def bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


@pytest.mark.parametrize("address", CLOSED)
def test_closed_addresses(address: str) -> None:
    assert not is_public(ip_address(address))
    with pytest.raises(EgressRefused) as refused:
        TENANTS.examine(f"https://{bracketed(address)}/hooks")
    assert refused.value.code in ("address_not_public", "url_form")


@pytest.mark.parametrize("address", OPEN)
def test_open_addresses(address: str) -> None:
    target = TENANTS.examine(f"https://{bracketed(address)}:8443/hooks?x=1")
    assert target == Target("https", address, 8443, ip_address(address))
    assert TENANTS.admits(target, ip_address(address))


@given(number=st.integers(0, 2**32 - 1))
def test_what_python_calls_local_is_never_public(number: int) -> None:
    address = IPv4Address(number)
    if (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
    ):
        assert not is_public(address) or address in (IPv4Address("192.0.0.9"), IPv4Address("192.0.0.10"))


@given(number=st.integers(0, 2**128 - 1))
def test_what_python_calls_local_is_never_public_in_ipv6(number: int) -> None:
    address = IPv6Address(number)
    if is_public(address):
        assert address.is_global
        assert address.ipv4_mapped is None
        assert address.sixtofour is None
        assert address.teredo is None


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://receiver.org/hooks", "url_scheme"),
        ("ftp://receiver.org/hooks", "url_scheme"),
        ("file:///etc/passwd", "url_scheme"),
        ("gopher://receiver.org:443/_x", "url_scheme"),
        ("javascript:alert(1)", "url_scheme"),
        ("//receiver.org/hooks", "url_scheme"),
        ("receiver.org/hooks", "url_scheme"),
        ("", "url_scheme"),
        ("https://", "url_form"),
        ("https:///hooks", "url_form"),
        ("https://receiver.org:80/hooks", "url_port"),
        ("https://receiver.org:22/", "url_port"),
        ("https://receiver.org:8080/", "url_port"),
        ("https://receiver.org:0/", "url_port"),
        ("https://receiver.org:65536/", "url_port"),
        ("https://receiver.org:443x/", "url_form"),
        ("https://receiver.org:/", "url_form"),
        # user info and other second readings
        ("https://user@receiver.org/", "url_form"),
        ("https://user:secret@receiver.org/", "url_form"),
        ("https://receiver.org@127.0.0.1/", "url_form"),
        ("https://receiver.org:443@127.0.0.1/", "url_form"),
        ("https://127.0.0.1\\@receiver.org/", "url_form"),
        ("https://receiver.org\\.evil.org/", "url_form"),
        ("https://receiver.org/#fragment", "url_form"),
        ("https://receiver.org#@127.0.0.1/", "url_form"),
        ("https://receiver.org/a b", "url_form"),
        ("https://receiver.org/\r\nHost: x", "url_form"),
        ("https://receiver.org/\x00", "url_form"),
        (" https://receiver.org/", "url_scheme"),
        ("https://receiver.org/\n", "url_form"),
        ("https://receiver.org/路径", "url_form"),
        ("https://receiver。org/", "url_form"),
        ("https://ⓡeceiver.org/", "url_form"),
        ("https://１２７.0.0.1/", "url_form"),
        ("https://receiver..org/", "url_form"),
        ("https://receiver.org./", "url_form"),
        ("https://-receiver.org/", "url_form"),
        ("https://rec%65iver.org/", "url_form"),
        ("https://[::1%25lo]/", "url_form"),
        ("https://[fe80::1%eth0]/", "url_form"),
        ("https://[::1/", "url_form"),
        ("https://[127.0.0.1]/", "url_host"),
        ("https://::1/", "url_form"),
        # numbers in disguise
        ("https://2130706433/", "url_host"),
        ("https://0x7f000001/", "url_host"),
        ("https://0X7F.0.0.1/", "url_host"),
        ("https://0177.0.0.1/", "url_host"),
        ("https://127.0.0.01/", "url_host"),
        ("https://127.1/", "url_host"),
        ("https://127.0.1/", "url_host"),
        ("https://10.0.0.256/", "url_host"),
        ("https://1.2.3.4.5/", "url_host"),
        ("https://receiver.0x7f/", "url_host"),
        # local names
        ("https://localhost/", "url_host"),
        ("https://LOCALHOST/", "url_host"),
        ("https://app.localhost/", "url_host"),
        ("https://intranet/", "url_host"),
        ("https://printer.local/", "url_host"),
        ("https://metadata.google.internal/", "url_host"),
        ("https://" + "a." * 127 + "org/", "url_host"),
        ("https://receiver.org/" + "x" * 2048, "url_form"),
    ],
)
def test_addresses_that_are_refused(url: str, code: str) -> None:
    with pytest.raises(EgressRefused) as refused:
        TENANTS.examine(url)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://receiver.org/hooks", Target("https", "receiver.org", 443)),
        ("https://receiver.org", Target("https", "receiver.org", 443)),
        ("HTTPS://Receiver.ORG:8443/Hooks?Key=a%20b&x=1", Target("https", "receiver.org", 8443)),
        ("https://xn--fiq228c.xn--55qx5d.cn/", Target("https", "xn--fiq228c.xn--55qx5d.cn", 443)),
        ("https://a_b.receiver.org/", Target("https", "a_b.receiver.org", 443)),
        ("https://8.8.8.8.receiver.org/", Target("https", "8.8.8.8.receiver.org", 443)),
        ("https://receiver.org/@127.0.0.1", Target("https", "receiver.org", 443)),
    ],
)
def test_addresses_that_are_taken(url: str, target: Target) -> None:
    assert TENANTS.examine(url) == target


@given(text=st.text(max_size=80))
def test_whatever_is_given_it_is_taken_or_refused(text: str) -> None:
    try:
        target = TENANTS.examine(f"https://{text}")
    except EgressRefused:
        return
    parsed = httpx.URL(f"https://{text}")
    assert (parsed.raw_host.decode(), parsed.port or 443) == (target.host, target.port), "two parsers, two readings"
    assert not parsed.userinfo


class TestTheOperatorsList:
    """Names, addresses and nets that may be private and http."""

    def test_a_name(self) -> None:
        policy = EgressPolicy([Allowed.of("Hooks.Intranet", 8080, "http")])
        target = policy.examine("http://hooks.intranet:8080/x")
        assert policy.admits(target, ip_address("10.1.2.3"))
        for other in ("https://hooks.intranet:8080/x", "http://hooks.intranet:8081/x", "http://other.intranet:8080/x"):
            with pytest.raises(EgressRefused):
                policy.examine(other)

    def test_an_address(self) -> None:
        policy = EgressPolicy([Allowed.of("10.1.2.3")])
        assert policy.examine("http://10.1.2.3:9/").port == 9
        assert policy.examine("https://10.1.2.3/").port == 443
        with pytest.raises(EgressRefused):
            policy.examine("http://10.1.2.4:9/")

    def test_a_net_holds_for_names_by_their_addresses(self) -> None:
        policy = EgressPolicy([Allowed.of("10.0.0.0/8", 8080, "http")])
        assert policy.examine("http://10.9.9.9:8080/").address == ip_address("10.9.9.9")
        target = policy.examine("http://hooks.intranet:8080/")
        assert policy.admits(target, ip_address("10.9.9.9"))
        assert not policy.admits(target, ip_address("192.168.0.1"))
        assert not policy.admits(target, ip_address("8.8.8.8")), "http to the public net is not allowed by it"
        with pytest.raises(EgressRefused):
            policy.examine("http://hooks.intranet:8081/")

    def test_tenants_rules_stand_beside_it(self) -> None:
        policy = EgressPolicy([Allowed.of("10.0.0.0/8")])
        assert policy.admits(policy.examine("https://receiver.org/"), ip_address("8.8.8.8"))
        with pytest.raises(EgressRefused):
            policy.examine("http://8.8.8.8/")

    def test_an_ipv6_net(self) -> None:
        policy = EgressPolicy([Allowed.of("fd00::/8", None, "https")])
        assert policy.examine("https://[fd00::1]:9443/").port == 9443
        with pytest.raises(EgressRefused):
            policy.examine("https://[fe80::1]/")

    @pytest.mark.parametrize("host", ["", "10.0.0.0/33", "http://a", "a b", "127.1", "*.intranet", "a/24"])
    def test_what_is_no_host(self, host: str) -> None:
        with pytest.raises(ValueError, match="neither"):
            Allowed.of(host)


class Names(AbstractResolver):
    """A name server that answers in turn."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        addresses = self.answers.pop(0)
        if not addresses:
            raise OSError("no such name")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        return None


@pytest.fixture
async def server() -> AsyncIterator[tuple[int, list[str]]]:
    """A receiver on this machine: its port, and the hosts that it was asked for."""
    asked: list[str] = []

    async def take(request: web.Request) -> web.Response:
        asked.append(request.headers["Host"])
        return web.Response(status=204)

    application = web.Application()
    application.router.add_post("/hooks", take)
    async with served(application) as port:
        yield port, asked


async def post(policy: EgressPolicy, names: Names, *urls: str) -> list[int]:
    """Post to the addresses, one after the other, by one transport."""
    guarded = GuardedTransport(policy, Transport(CheckedResolver(policy, names)))
    found = []
    try:
        for url in urls:
            request = httpx.Request("POST", url, content=b"{}")
            request.extensions["timeout"] = {"connect": 2.0, "pool": 2.0, "read": None, "write": None}
            response = await guarded.handle_async_request(request)
            found.append(response.status_code)
            await response.aclose()
    finally:
        await guarded.aclose()
    return found


async def test_the_connection_goes_to_the_checked_address(server: tuple[int, list[str]]) -> None:
    port, asked = server
    policy = EgressPolicy([Allowed.of("127.0.0.0/8", port, "http")])
    names = Names(["127.0.0.1"], ["127.0.0.1"])
    url = f"http://hooks.receiver.org:{port}/hooks"
    assert await post(policy, names, url, url) == [204, 204]
    assert asked == [f"hooks.receiver.org:{port}"] * 2
    assert names.asked == ["hooks.receiver.org"] * 2, "resolved once for each attempt, and no oftener"


async def test_a_name_that_answers_otherwise_the_second_time(server: tuple[int, list[str]]) -> None:
    port, asked = server
    policy = EgressPolicy([Allowed.of("127.0.0.1", port, "http")])
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    url = f"http://hooks.receiver.org:{port}/hooks"
    with pytest.raises(EgressRefused) as refused:
        await post(policy, names, url, url)
    assert refused.value.code == "address_not_public"
    assert len(asked) == 1


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "127.0.0.1"],
        ["10.0.0.1", "8.8.8.8"],
        ["2001:4860:4860::8888", "::1"],
        ["::ffff:127.0.0.1"],
        ["169.254.169.254"],
        ["fe80::1%eth0"],
        ["no address"],
    ],
)
async def test_one_closed_address_refuses_them_all(addresses: list[str]) -> None:
    with pytest.raises(EgressRefused) as refused:
        await post(TENANTS, Names(addresses), "https://hooks.receiver.org/hooks")
    assert refused.value.code == "address_not_public"


async def test_a_name_without_address_is_a_failure_to_connect() -> None:
    with pytest.raises(httpx.ConnectError):
        await post(TENANTS, Names([]), "https://hooks.receiver.org/hooks")


async def test_literals_are_checked_though_no_resolver_sees_them(server: tuple[int, list[str]]) -> None:
    port, asked = server
    names = Names()
    for url in (f"https://127.0.0.1:{port}/hooks", f"http://127.0.0.1:{port}/hooks", "https://127.0.0.1/hooks"):
        with pytest.raises(EgressRefused):
            await post(TENANTS, names, url)
    policy = EgressPolicy([Allowed.of("127.0.0.1", port, "http")])
    assert await post(policy, names, f"http://127.0.0.1:{port}/hooks") == [204]
    assert names.asked == []
    assert len(asked) == 1


async def test_certificates_are_verified(tmp_path: Path) -> None:
    async with served(web.Application(), tls=unsigned(tmp_path)) as port:
        policy = EgressPolicy([Allowed.of("127.0.0.1", port, "https")])
        with pytest.raises(httpx.ConnectError, match="ClientConnectorCertificateError"):
            await post(policy, Names(["127.0.0.1"]), f"https://hooks.receiver.org:{port}/hooks")


def unsigned(directory: Path) -> ssl.SSLContext:
    """A certificate of the right name that nobody signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.receiver.org")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.receiver.org")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = directory / "server.pem"
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(plain + certificate.public_bytes(Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return context


async def test_a_name_that_nobody_examined_is_not_resolved() -> None:
    names = Names(["8.8.8.8"])
    transport = Transport(CheckedResolver(TENANTS, names))
    with pytest.raises(EgressRefused) as refused:
        await transport.handle_async_request(httpx.Request("POST", "https://hooks.receiver.org/"))
    assert refused.value.code == "not_checked"
    assert names.asked == []
    await transport.aclose()
