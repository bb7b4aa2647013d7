"""Standard Webhooks 1.0: what the sender of a webhook signs and its receiver verifies (``platforms/webhook.md`` §2).

Signed are the bytes ``<webhook-id>.<webhook-timestamp>.<body>``; the header ``webhook-signature`` lists signatures parted by
one space, newest key first. ``v1`` is HMAC-SHA256 under a shared secret, ``v1a`` Ed25519 (RFC 8032).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Kind = Literal["v1", "v1a"]
"""A kind of signature."""

KINDS: Final[tuple[Kind, ...]] = ("v1", "v1a")
"""Every kind, in the order in which their signatures are listed."""

TOLERANCE_S: Final = 300
"""How far the time of an attempt may be from the receiver's clock, in seconds."""

SECRET_BYTES: Final = 32
"""Length of the secrets that are made here; 24 to 64 are taken."""

_SECRET, _PUBLIC, _PRIVATE = "whsec_", "whpk_", "whsk_"
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")
_ENTRY: Final = re.compile(r"(?P<kind>[A-Za-z0-9_-]{1,16}),(?P<signature>[A-Za-z0-9+/]{1,512}={0,2})")
_MOST_ENTRIES: Final = 32
_LONGEST_HEADER: Final = 4096


class KeyForm(ValueError):
    """A key that is none: another prefix, no padded base64, a wrong length, a public key that is not of its seed. The key
    itself is never part of the message."""


class WebhookRejected(Exception):
    """A request that is not proven. ``code``: ``missing``, ``doubled``, ``form``, ``timestamp``, ``signature``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Secret:
    """The shared secret of one webhook (``v1``): 24 to 64 random bytes."""

    raw: bytes = field(repr=False)
    kind: Kind = field(default="v1", init=False)

    @classmethod
    def make(cls, random_bytes: Callable[[int], bytes]) -> Secret:
        """A fresh secret of 32 bytes."""
        return cls(random_bytes(SECRET_BYTES))

    @classmethod
    def parse(cls, shown: str) -> Secret:
        """From ``whsec_…``.

        Raises:
            KeyForm: it is none.
        """
        raw = _decode(shown, _SECRET)
        if not 24 <= len(raw) <= 64:
            raise KeyForm("a webhook secret has 24 to 64 bytes")
        return cls(raw)

    @property
    def shown(self) -> str:
        """``whsec_`` and the base64 of the bytes."""
        return _encode(_SECRET, self.raw)

    def sign(self, content: bytes) -> bytes:
        """HMAC-SHA256: 32 bytes."""
        return hmac.new(self.raw, content, hashlib.sha256).digest()

    def fits(self, signature: bytes, content: bytes) -> bool:
        """Whether the signature is this secret's over the content (constant time)."""
        return hmac.compare_digest(self.sign(content), signature)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half of a webhook's Ed25519 pair (``v1a``): what the receiver trusts."""

    raw: bytes
    kind: Kind = field(default="v1a", init=False)

    @classmethod
    def parse(cls, shown: str) -> PublicKey:
        """From ``whpk_…``.

        Raises:
            KeyForm: it is none.
        """
        raw = _decode(shown, _PUBLIC)
        if len(raw) != 32:
            raise KeyForm("a public key has 32 bytes")
        return cls(raw)

    @property
    def shown(self) -> str:
        """``whpk_`` and the base64 of the 32 bytes."""
        return _encode(_PUBLIC, self.raw)

    def fits(self, signature: bytes, content: bytes) -> bool:
        """Whether the signature is this key's over the content."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, content)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A webhook's Ed25519 pair (``v1a``). It never leaves the gateway; its text form is for storage alone."""

    seed: bytes = field(repr=False)
    kind: Kind = field(default="v1a", init=False)

    @classmethod
    def make(cls, random_bytes: Callable[[int], bytes]) -> PrivateKey:
        """A fresh pair from 32 random bytes."""
        return cls(random_bytes(32))

    @classmethod
    def parse(cls, text: str) -> PrivateKey:
        """From ``whsk_…`` (seed and public key, 64 bytes).

        Raises:
            KeyForm: it is none, or its halves do not belong together.
        """
        raw = _decode(text, _PRIVATE)
        if len(raw) != 64:
            raise KeyForm("a private key has 64 bytes")
        found = cls(raw[:32])
        if found.public.raw != raw[32:]:
            raise KeyForm("the halves of the private key do not belong together")
        return found

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return PublicKey(self._key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    @property
    def text(self) -> str:
        """``whsk_`` and the base64 of seed and public key."""
        return _encode(_PRIVATE, self.seed + self.public.raw)

    def sign(self, content: bytes) -> bytes:
        """Ed25519: 64 bytes."""
        return self._key().sign(content)

    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


SigningKey = Secret | PrivateKey
TrustedKey = Secret | PublicKey


def signing_key(text: str) -> SigningKey:
    """A key to sign with, from ``whsec_…`` or ``whsk_…``.

    Raises:
        KeyForm: neither.
    """
    return PrivateKey.parse(text) if text.startswith(_PRIVATE) else Secret.parse(text)


def trusted_key(text: str) -> TrustedKey:
    """A key to verify with, from ``whsec_…`` or ``whpk_…``.

    Raises:
        KeyForm: neither.
    """
    return PublicKey.parse(text) if text.startswith(_PUBLIC) else Secret.parse(text)


def _encode(prefix: str, raw: bytes) -> str:
    return prefix + base64.b64encode(raw).decode()


def _decode(text: str, prefix: str) -> bytes:
    if not text.startswith(prefix) or len(text) > 200:
        raise KeyForm(f"a key of this kind begins with {prefix}")
    try:
        return base64.b64decode(text[len(prefix) :].encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise KeyForm(f"what follows {prefix} is not padded base64") from None


def signed_content(webhook_id: str, timestamp: int, body: bytes) -> bytes:
    """The bytes that are signed. ``timestamp`` is the attempt's, in Unix seconds.

    Raises:
        ValueError: an id with other characters than ``A-Z a-z 0-9 _ -`` (a dot would move the border to the body).
    """
    if not _ID.fullmatch(webhook_id):
        raise ValueError("a webhook id has letters, digits, _ and - alone")
    return b"%s.%d.%s" % (webhook_id.encode(), timestamp, body)


def signature_header(keys: Iterable[SigningKey], webhook_id: str, timestamp: int, body: bytes) -> str:
    """The value of ``webhook-signature``: one signature of each key, in the order of the keys."""
    content = signed_content(webhook_id, timestamp, body)
    return " ".join(f"{key.kind},{base64.b64encode(key.sign(content)).decode()}" for key in keys)


def signed_headers(
    keys: Iterable[SigningKey], webhook_id: str, timestamp: int, body: bytes
) -> tuple[tuple[str, str], ...]:
    """The three headers of one attempt."""
    return (
        ("webhook-id", webhook_id),
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", signature_header(keys, webhook_id, timestamp, body)),
    )


def verify(headers: Iterable[tuple[str, str]], body: bytes, keys: Iterable[TrustedKey], now: datetime) -> str:
    """Prove a request over its raw body; returns the ``webhook-id``, which the receiver keeps against repeats (7 days).

    ``headers`` as received, in any case; each of the three must be there once. One signature of a kind and key that is
    trusted is enough; unknown kinds are skipped.

    Raises:
        WebhookRejected: answer 401.
    """
    webhook_id, timestamp, listed = _three(headers)
    if not _ID.fullmatch(webhook_id) or not _TIMESTAMP.fullmatch(timestamp) or len(listed) > _LONGEST_HEADER:
        raise WebhookRejected("form")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_S:
        raise WebhookRejected("timestamp")
    content = b"%s.%s.%s" % (webhook_id.encode(), timestamp.encode(), body)
    signatures = _signatures(listed)
    fitting = [
        key.fits(signature, content) for key in keys for kind, signature in signatures if kind == key.kind
    ]  # all are tried: the time does not tell which key fits
    if not any(fitting):
        raise WebhookRejected("signature")
    return webhook_id


def _three(headers: Iterable[tuple[str, str]]) -> tuple[str, str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        folded = name.lower()
        if folded in ("webhook-id", "webhook-timestamp", "webhook-signature"):
            if folded in found:
                raise WebhookRejected("doubled")
            found[folded] = value
    if len(found) < 3:
        raise WebhookRejected("missing")
    return found["webhook-id"], found["webhook-timestamp"], found["webhook-signature"]


def _signatures(listed: str) -> list[tuple[str, bytes]]:
    signatures = []
    for entry in listed.split(" ", _MOST_ENTRIES)[:_MOST_ENTRIES]:
        found = _ENTRY.fullmatch(entry)
        if found is None or found["kind"] not in KINDS:
            continue
        try:
            signatures.append((found["kind"], base64.b64decode(found["signature"], validate=True)))
        except binascii.Error:
            continue
    return signatures
