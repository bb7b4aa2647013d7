"""Keys and signatures of Standard Webhooks as the receiver checks them (webhook page §2)."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_LENGTHS = {"v1": 32, "v1a": 64}
_ENTRY = re.compile(r"([0-9A-Za-z_.-]{1,32}),([!-~]{1,512})")


class SignatureForm(ValueError):
    """The header ``webhook-signature`` is not a list of §2."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of one endpoint: HMAC secrets and Ed25519 public keys in force, and old ones nobody may use any more."""

    secrets: tuple[bytes, ...] = ()
    public_keys: tuple[bytes, ...] = ()
    retired_secrets: tuple[bytes, ...] = ()
    retired_public_keys: tuple[bytes, ...] = ()

    @property
    def kinds(self) -> frozenset[str]:
        """The signature kinds that a request must carry."""
        return frozenset({"v1"} if self.secrets else set()) | frozenset({"v1a"} if self.public_keys else set())


def read_key(text: str) -> tuple[str, bytes]:
    """A key as shown: ``whsec_…`` → (``v1``, 24 to 64 bytes), ``whpk_…`` → (``v1a``, 32 bytes).

    Raises:
        ValueError: another prefix, no padded base64, a wrong length. The text is never part of the message.
    """
    for prefix, kind, least, most in (("whsec_", "v1", 24, 64), ("whpk_", "v1a", 32, 32)):
        if text.startswith(prefix):
            try:
                key = base64.b64decode(text.removeprefix(prefix).encode("ascii"), validate=True)
            except (binascii.Error, UnicodeEncodeError):
                raise ValueError(f"{prefix}: no base64") from None
            if not least <= len(key) <= most:
                raise ValueError(f"{prefix}: {least} to {most} bytes are needed")
            return kind, key
    raise ValueError("a key begins with whsec_ or whpk_")


def read_keys(secrets: Iterable[str], public_keys: Iterable[str], retired: Iterable[str]) -> Keys:
    """All keys of one endpoint. Raises ``ValueError`` as :func:`read_key`, and for a key in the wrong list."""
    ours = {"v1": [read_key(text) for text in secrets], "v1a": [read_key(text) for text in public_keys]}
    for wanted, keys in ours.items():
        if any(kind != wanted for kind, _ in keys):
            raise ValueError("secrets take whsec_ keys, public_keys take whpk_ keys")
    old = [read_key(text) for text in retired]
    return Keys(
        secrets=tuple(key for _, key in ours["v1"]),
        public_keys=tuple(key for _, key in ours["v1a"]),
        retired_secrets=tuple(key for kind, key in old if kind == "v1"),
        retired_public_keys=tuple(key for kind, key in old if kind == "v1a"),
    )


def read_header(value: str) -> list[tuple[str, bytes]]:
    """The signatures of the kinds known here, in order; unknown kinds are skipped (§2).

    Raises:
        SignatureForm: entries not parted by one space, not ``<id>,<text>``, or of a known kind with a wrong length.
    """
    found: list[tuple[str, bytes]] = []
    for entry in value.split(" "):
        match = _ENTRY.fullmatch(entry)
        if match is None:
            raise SignatureForm("not a list of <id>,<text> parted by one space")
        kind, text = match.groups()
        if kind not in _LENGTHS:
            continue
        try:
            signature = base64.b64decode(text, validate=True)
        except binascii.Error:
            raise SignatureForm(f"{kind}: no padded base64") from None
        if len(signature) != _LENGTHS[kind]:
            raise SignatureForm(f"{kind}: {_LENGTHS[kind]} bytes are needed")
        found.append((kind, signature))
    return found


def fitting(signed: bytes, signatures: list[tuple[str, bytes]], keys: Keys) -> set[str]:
    """The kinds of which at least one signature fits a key in force."""
    return {
        kind
        for kind, signature in signatures
        if _fits(kind, signature, signed, keys.secrets if kind == "v1" else keys.public_keys)
    }


def uses_retired(signed: bytes, signatures: list[tuple[str, bytes]], keys: Keys) -> bool:
    """Whether any signature was made by a retired key."""
    return any(
        _fits(kind, signature, signed, keys.retired_secrets if kind == "v1" else keys.retired_public_keys)
        for kind, signature in signatures
    )


def _fits(kind: str, signature: bytes, signed: bytes, keys: tuple[bytes, ...]) -> bool:
    if kind == "v1":
        return any(hmac.compare_digest(hmac.digest(key, signed, hashlib.sha256), signature) for key in keys)
    return any(_verifies(key, signature, signed) for key in keys)


def _verifies(key: bytes, signature: bytes, signed: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except InvalidSignature:
        return False
    return True
