"""The platform's envelope (page §3) as bytes: fields, patterns, string-to-sign, and the keys of its plaintexts."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.beijing import D14
from adapters.http import NotJson, json_bytes, marks, read_json_object
from contracts.adapter import Json

VERSION, ENCTYPE, SIGNTYPE = "1.0.0", "SM4/CBC/PKCS7", "SM2"
HEADERS = (("Content-Type", "application/json; charset=UTF-8"),)

LIMIT = 2 * 1024 * 1024
"""The most bytes of a request, reply or callback."""
FILE_LIMIT = 16 * 1024 * 1024
"""The same where a file travels (TJ9002 out, TJ9003 back)."""
LARGEST_FILE = 10 * 1024 * 1024
MOST_MARKS = 256
"""Brackets, braces and commas of an envelope. The page's largest, a reply, has 15 around its 13 fields and ``body``, and as
many as may stand in ``message``, 200; base64 has none. The rest is for fields too many, which have an answer of their own
(3001)."""
HEAD_ROOM = 1024
"""More than any head and the JSON around it take."""


def request_limit(service: str) -> int:
    """The most bytes of a request of that service (page §1)."""
    return FILE_LIMIT if service == "TJ9002" else LIMIT


def reply_limit(service: str) -> int:
    """The most bytes of a reply of that service (page §1)."""
    return FILE_LIMIT if service == "TJ9003" else LIMIT


_PATTERNS: Mapping[str, re.Pattern[str]] = {
    "appid": re.compile(r"[A-Z0-9]{8,32}"),
    "serviceid": re.compile(r"[A-Z]{2}[0-9]{4}"),
    "serialno": re.compile(r"[0-9A-Za-z_-]{8,64}"),
    "timestamp": re.compile(r"[0-9]{14}"),
    "nonce": re.compile(r"[0-9a-f]{32}"),
    "version": re.compile(re.escape(VERSION)),
    "enctype": re.compile(re.escape(ENCTYPE)),
    "signtype": re.compile(re.escape(SIGNTYPE)),
    # DER, 63 or 65 bytes are a wrong signature (3004, page §2), no wrong head: its form is judged with the signature.
    "sign": re.compile(r".+", re.DOTALL),
}
SIGN = "sign"
_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{86}==")


class NotAnEnvelope(ValueError):
    """Bytes that are not one JSON object with ``head`` and ``body`` (HTTP 400). ``code`` never quotes them."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Envelope:
    """A head and its body as they travelled, not yet believed."""

    head: Mapping[str, Any]
    body: str

    def field(self, name: str) -> str:
        """A field of the head; ``""`` where it is absent or no string."""
        value = self.head.get(name)
        return value if isinstance(value, str) else ""


def read_envelope(raw: bytes, limit: int = LIMIT) -> Envelope:
    """Read an envelope. One that has more in it than a sound one can have is refused before it is parsed.

    Raises:
        NotAnEnvelope: not one JSON object with an object ``head`` and a string ``body``, and nothing else.
    """
    if len(raw) <= limit and marks(raw) > MOST_MARKS:
        raise NotAnEnvelope("too_many_values")
    try:
        found = read_json_object(raw, limit=limit, depth=4)
    except NotJson as error:
        raise NotAnEnvelope(error.code) from None
    head, body = found.get("head"), found.get("body")
    if len(found) != 2 or not isinstance(head, dict) or not isinstance(body, str):
        raise NotAnEnvelope("not_head_and_body")
    return Envelope(head, body)


def fresh_head(appid: str, service: str, serial: str, at: datetime, nonce: bytes) -> dict[str, str]:
    """The head of a message of ours, as yet unsigned. ``at``: an aware time; ``nonce``: 16 random bytes."""
    return {
        "appid": appid,
        "serviceid": service,
        "serialno": serial,
        "timestamp": D14.write(at),
        "nonce": nonce.hex(),
        "version": VERSION,
        "enctype": ENCTYPE,
        "signtype": SIGNTYPE,
    }


def call_head_is_sound(head: Mapping[str, Any]) -> bool:
    """Whether a request's or callback's head has every field, no other, and each in its pattern (else 3001)."""
    return head.keys() == _PATTERNS.keys() and all(readable(name, value) for name, value in head.items())


def readable(name: str, value: object) -> bool:
    """Whether a value of the head has the pattern of its field."""
    return isinstance(value, str) and _PATTERNS[name].fullmatch(value) is not None


def is_raw_signature(value: object) -> bool:
    """Whether a ``sign`` is the page's: 64 bytes r‖s in standard base64, 88 characters."""
    return isinstance(value, str) and _SIGNATURE.fullmatch(value) is not None


def string_to_sign(head: Mapping[str, str], body: str) -> bytes:
    """What the signature is made over (page §2): ``name=value`` of every field but ``sign``, by ascending ASCII name,
    joined by ``&``, then ``&body=``. Values raw; an empty field stays as ``name=``."""
    fields = "&".join(f"{name}={head[name]}" for name in sorted(head) if name != SIGN)
    return f"{fields}&body={body}".encode()


def encode(raw: bytes) -> str:
    """Standard base64 with padding, no line breaks."""
    return base64.b64encode(raw).decode("ascii")


def decode(text: str) -> bytes:
    """Standard base64 with padding, no line breaks, and no other spelling of the same bytes.

    Raises:
        ValueError: anything else.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not base64") from None
    if encode(raw) != text:
        raise ValueError("not base64")
    return raw


def sealed_size(plaintext: int) -> int:
    """The most bytes of a request whose plaintext has that many: IV, padding, base64, head."""
    return HEAD_ROOM + (16 + plaintext + 16 + 2) // 3 * 4


def plaintext_size(payload: Json) -> int:
    """Bytes of a plaintext."""
    return len(json_bytes(payload))


def sealed_file_size(size: int) -> int:
    """The most bytes of a TJ9002 request around a file of that many bytes: it is base64 twice over."""
    return sealed_size((size + 2) // 3 * 4 + HEAD_ROOM)


def upper_keys(value: Any) -> Any:
    """The plaintext with all keys in upper case: the platform sometimes answers in lower case (page §3).

    Where two spellings of one key stand side by side, the upper-case one counts."""
    if isinstance(value, dict):
        return {key.upper(): upper_keys(value[key]) for key in sorted(value, key=str.isupper)}
    if isinstance(value, list):
        return [upper_keys(one) for one in value]
    return value


def texts(found: Json, code: str) -> str:
    """The string under a key; ``""`` where there is none. A number, which the page forbids, is read as its digits."""
    value = found.get(code)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
