"""The platform's signing keys (page §2): kept over a restart, shown before their use, and for a while after it."""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from mocks.national_mediation.settings import Settings

_EXPONENT: Final = 65537
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


class NotSigned(Exception):
    """The text is no compact JWS of a known key."""


@dataclass(frozen=True, slots=True)
class Key:
    """A signing key; it signs from ``begins`` (seconds) until the next one begins."""

    kid: str
    private: RSAPrivateKey
    begins: float

    @classmethod
    def new(cls, bits: int, begins: float) -> Key:
        """A fresh key under a fresh name."""
        return cls(f"ndm-{secrets.token_hex(8)}", generate_private_key(_EXPONENT, bits), begins)

    @classmethod
    def stored(cls, row: dict[str, Any]) -> Key:
        """A key out of its file."""
        private = load_pem_private_key(row["pem"].encode("ascii"), None)
        if not isinstance(private, RSAPrivateKey):
            raise ValueError("keys.json: not an RSA key")  # noqa: TRY004 -- a wrong file, not a wrong call
        return cls(row["kid"], private, row["begins"])

    def row(self) -> dict[str, Any]:
        """As it stands in the file."""
        pem = self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return {"kid": self.kid, "pem": pem.decode("ascii"), "begins": self.begins}

    def shown(self) -> dict[str, str]:
        """The public half as a JWK."""
        numbers = self.private.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.kid,
            "n": _number(numbers.n),
            "e": _number(numbers.e),
        }


class KeyRing:
    """All keys, oldest first, in ``file`` (readable by its owner alone)."""

    def __init__(self, file: Path, settings: Settings) -> None:
        self._file = file
        self._settings = settings
        self._foreign: Key | None = None
        self._keys: list[Key] = []
        if file.exists():
            self._keys = [Key.stored(row) for row in json.loads(file.read_text("utf-8"))]
        else:
            self._add(Key.new(settings.key_bits, 0.0))

    def _add(self, key: Key) -> None:
        """One more key, in its file before it signs: a process that dies over the writing leaves the file as it was."""
        keys = [*self._keys, key]
        part = self._file.with_suffix(".part")
        part.touch(mode=0o600, exist_ok=True)
        part.write_text(json.dumps([kept.row() for kept in keys]), "utf-8")
        part.replace(self._file)
        self._keys = keys

    def signing(self, now: datetime) -> Key:
        """The key in force; where its life nears its end, the next one is made and shown first."""
        moment = now.timestamp()
        begun = [key for key in self._keys if key.begins <= moment] or self._keys[:1]
        current = begun[-1]
        settings = self._settings
        if settings.key_life_s and current is self._keys[-1]:
            # The first key has no beginning: its life starts when it is first used.
            began = current.begins or self._file.stat().st_mtime
            ends = began + settings.key_life_s
            if moment >= ends - settings.key_lead_s:
                self._add(Key.new(settings.key_bits, max(ends, moment + settings.key_lead_s)))
        return current

    def rotate(self, now: datetime) -> None:
        """A new key signs from now on, shown by nobody before (fault ``expire_session`` with ``rotate``)."""
        self._add(Key.new(self._settings.key_bits, now.timestamp()))

    def foreign(self) -> Key:
        """A key under the name of the one in force that is not ours."""
        if self._foreign is None:
            self._foreign = Key.new(self._settings.key_bits, 0.0)
        return self._foreign

    def published(self, now: datetime) -> list[dict[str, str]]:
        """The key in force, those to come, and those that signed within ``key_overlap_s``."""
        self.signing(now)
        gone = now.timestamp() - self._settings.key_overlap_s
        followers = [*self._keys[1:], None]
        return [
            key.shown()
            for key, next_one in zip(self._keys, followers, strict=True)
            if next_one is None or next_one.begins > gone
        ]

    def sign(self, typ: str, claims: dict[str, Any], now: datetime) -> str:
        """The compact JWS of ``claims`` under the key in force."""
        key = self.signing(now)
        return signed({"alg": "RS256", "typ": typ, "kid": key.kid}, claims, key.private)

    def read(self, text: str, typ: str, now: datetime) -> dict[str, Any]:
        """The claims of a JWS that we signed. Raises :class:`NotSigned`."""
        parts = text.split(".")
        if len(parts) != 3 or not all(_SEGMENT.fullmatch(part) for part in parts):
            raise NotSigned
        header, claims = _object(parts[0]), _object(parts[1])
        shown = {jwk["kid"] for jwk in self.published(now)}
        key = next((key for key in self._keys if key.kid == header.get("kid") and key.kid in shown), None)
        if key is None or header != {"alg": "RS256", "typ": typ, "kid": key.kid}:
            raise NotSigned
        try:
            key.private.public_key().verify(
                _bytes(parts[2]), f"{parts[0]}.{parts[1]}".encode("ascii"), PKCS1v15(), SHA256()
            )
        except InvalidSignature:
            raise NotSigned from None
        return claims


def signed(header: dict[str, Any], claims: dict[str, Any], private: RSAPrivateKey | None) -> str:
    """The compact JWS; without a key its signature is empty."""
    text = f"{_segment(header)}.{_segment(claims)}"
    if private is None:
        return f"{text}."
    return f"{text}.{encoded(private.sign(text.encode('ascii'), PKCS1v15(), SHA256()))}"


def encoded(content: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def _segment(value: dict[str, Any]) -> str:
    return encoded(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8"))


def _bytes(segment: str) -> bytes:
    try:
        return base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise NotSigned from None


def _object(segment: str) -> dict[str, Any]:
    try:
        value = json.loads(_bytes(segment))
    except (ValueError, RecursionError):
        raise NotSigned from None
    if not isinstance(value, dict):
        raise NotSigned
    return value


def _number(value: int) -> str:
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))
