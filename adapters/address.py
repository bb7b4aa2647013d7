"""The address of a platform (平台地址) as an operator configures it: HTTPS, or plain HTTP on loopback alone."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

_WANTED = (
    "须为 https 地址，不带用户名、查询串和片段（http 只可用于本机回环地址） "
    "an https address without user, query and fragment is needed (plain http on loopback alone)"
)


def checked(value: str) -> str:
    """The address without a final slash.

    Raises:
        ValueError: another scheme, plain HTTP to another machine, no host or port that can be, a user, query or fragment.
    """
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port  # a port that is none is found out by asking for it
    except ValueError:
        raise ValueError(_WANTED) from None
    if not host or parts.username is not None or parts.query or parts.fragment:
        raise ValueError(_WANTED)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise ValueError(_WANTED)
    return value.rstrip("/")


PlatformAddress = Annotated[str, AfterValidator(checked)]
"""A setting that holds one."""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
