"""Form coding of this platform: ASCII names, values as GB18030 bytes, percent coded (page §1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

ENCODING = "gb18030"
CONTENT_TYPE = "application/x-www-form-urlencoded; charset=GB18030"

LIMIT = 512 * 1024
"""The most bytes of a request, reply or callback."""
_MOST_PARAMETERS = 5_000
"""50 items (page §1) of a hundred parameters: a case that is handed over has 12 of its own, three for each claim, twelve for
each party."""

_BARE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.*")
_CODED = tuple(chr(byte) if byte in _BARE else f"%{byte:02X}" for byte in range(256))

_NAME = re.compile(r"[A-Za-z][0-9A-Za-z]*(?:\.[0-9A-Za-z]+)*")
_PART = re.compile(rb"(?:[!-$'-~]++|%[0-9A-Fa-f]{2})*+")
"""Printable ASCII, tolerated bare beyond the page's unreserved ones, and whole percent triplets. Possessive: what it took it
never gives back, so that a broken end costs nothing."""
_LONGEST_SAID = 200


class Malformed(ValueError):
    """Bytes that are no form of this platform (page §2: B1). ``code`` says why and never quotes them."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def encode(parameters: Mapping[str, str]) -> bytes:
    """The parameters as they travel, in the mapping's order. Space is ``%20``; hex digits are capitals."""
    return "&".join(f"{name}={_coded(value)}" for name, value in parameters.items()).encode("ascii")


def decode(raw: bytes) -> dict[str, str]:
    """The parameters of a stranger's bytes, values as text, empty ones kept.

    Raises:
        Malformed: empty, over 512 KiB, over 5,000 parameters, a pair without ``=``, a broken triplet, bytes that are not
            GB18030, a name of another form or one that stands twice.
    """
    if len(raw) > LIMIT:
        raise Malformed("too_large")
    if not raw:
        raise Malformed("empty")
    if raw.count(b"&") >= _MOST_PARAMETERS:
        raise Malformed("too_many_parameters")
    found: dict[str, str] = {}
    for pair in raw.split(b"&"):
        name_part, equals, value_part = pair.partition(b"=")
        if not equals:
            raise Malformed("no_pair")
        name = _decoded(name_part)
        if not _NAME.fullmatch(name):
            raise Malformed("name")
        if name in found:
            raise Malformed("doubled_name")
        found[name] = _decoded(value_part)
    return found


def said(raw: bytes, name: str) -> str:
    """A parameter's short text, found without opening the others; ``""`` where it is absent, long, or its name coded.

    Raises:
        Malformed: a broken triplet, bytes that are not GB18030, or a name that stands twice.
    """
    whole, lead = b"&" + raw, f"&{name}=".encode("ascii")
    at = whole.find(lead)
    if at < 0:
        return ""
    if whole.find(lead, at + 1) >= 0:
        raise Malformed("doubled_name")
    start = at + len(lead)
    value = whole[start : start + _LONGEST_SAID + 1].partition(b"&")[0]
    return _decoded(value) if len(value) <= _LONGEST_SAID else ""


def _coded(value: str) -> str:
    return "".join([_CODED[byte] for byte in value.encode(ENCODING)])


def _decoded(part: bytes) -> str:
    if not _PART.fullmatch(part):
        raise Malformed("percent")
    try:
        return unquote_to_bytes(part.replace(b"+", b" ")).decode(ENCODING)
    except UnicodeDecodeError:
        raise Malformed("encoding") from None
