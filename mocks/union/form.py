"""Form coding of the union platform: percent coded GB18030 bytes (union page §1)."""

import re
from collections.abc import Iterable

_VALUE = re.compile(rb"(?:[A-Za-z0-9\-_.*+]|%[0-9A-Fa-f]{2})*")
_TRIPLET = re.compile(rb"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.*")
_BLANK = 0x20


class FormError(ValueError):
    """The bytes are not a form in GB18030 as §1 writes it (answered with ``B1``)."""


def decode(body: bytes) -> list[tuple[str, str]]:
    """All parameters in the order they came, doubles kept.

    Names must be ASCII. Values are decoded as bytes first and as GB18030 afterwards, since the third and second bytes
    of a four-byte character may stand bare as ASCII digits (§1).

    Raises:
        FormError: a pair without ``=``, a byte outside the unreserved set, a broken triplet, bytes outside GB18030.
    """
    if not body:
        return []
    pairs: list[tuple[str, str]] = []
    for segment in body.split(b"&"):
        name, equals, value = segment.partition(b"=")
        if not equals or not name:
            raise FormError("a parameter without name or value sign")
        pairs.append((_text(name, "ascii"), _text(value, "gb18030")))
    return pairs


def _text(coded: bytes, charset: str) -> str:
    if _VALUE.fullmatch(coded) is None:
        raise FormError("a byte that is not percent coded, or a broken triplet")
    plain = _TRIPLET.sub(lambda match: bytes([int(match[1], 16)]), coded.replace(b"+", b" "))
    try:
        return plain.decode(charset)
    except UnicodeDecodeError:
        raise FormError(f"bytes outside {charset}") from None


def encode(pairs: Iterable[tuple[str, str]]) -> bytes:
    """The form as the union writes it: blanks as ``+`` and ``%20`` by turns (oddity of §7), digits bare.

    Raises:
        UnicodeEncodeError: a lone surrogate; everything else has a place in GB18030.
    """
    blanks = 0
    out = bytearray()
    for name, value in pairs:
        if out:
            out += b"&"
        out += name.encode("ascii") + b"="
        for byte in value.encode("gb18030"):
            if byte in _UNRESERVED:
                out.append(byte)
            elif byte == _BLANK:
                blanks += 1
                out += b"+" if blanks % 2 else b"%20"
            else:
                out += b"%%%02X" % byte
    return bytes(out)
