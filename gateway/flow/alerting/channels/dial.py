"""Connections of channels that speak no HTTP: names are resolved once, every address is checked, then one is connected."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import ip_address

from gateway.flow.alerting.channels.port import ChannelFailed
from gateway.security.egress import Address, EgressPolicy, EgressRefused


async def addresses(
    policy: EgressPolicy, host: str, port: int, *, encrypted: bool, kind: socket.SocketKind
) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    """Where a host may be reached. One closed address among several refuses them all.

    Raises:
        ChannelFailed: ``egress_refused:…`` against the policy, ``unreachable`` where the name has no address.
    """
    try:
        target = policy.examine_host(host, port, encrypted=encrypted)
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=kind)
        for _, _, _, _, place in found:
            if not policy.admits(target, _address(str(place[0]))):
                raise EgressRefused("address_not_public")
    except EgressRefused as refusal:
        raise ChannelFailed(f"egress_refused:{refusal.code}") from None
    except OSError as error:
        raise ChannelFailed("unreachable") from error
    return [(family, (str(place[0]), int(place[1]))) for family, _, _, _, place in found]


def _address(text: str) -> Address:
    return ip_address(text.partition("%")[0])


async def connect(found: Iterable[tuple[socket.AddressFamily, tuple[str, int]]]) -> socket.socket:
    """A TCP connection to the first address that takes one.

    Raises:
        ChannelFailed: none does.
    """
    loop = asyncio.get_running_loop()
    for family, place in found:
        opened = socket.socket(family, socket.SOCK_STREAM)
        opened.setblocking(False)
        try:
            await loop.sock_connect(opened, place)
        except OSError:
            opened.close()
            continue
        except BaseException:
            opened.close()
            raise
        return opened
    raise ChannelFailed("unreachable")
