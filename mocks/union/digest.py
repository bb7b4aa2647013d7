"""Signature of the union platform: SM3 (GB/T 32905) over the sorted parameters and the secret (union page §2)."""

import hmac
import re
from collections.abc import Iterable

from cryptography.hazmat.primitives import hashes

_SIGN = re.compile(r"[0-9A-F]{64}")

EXAMPLE_SECRET = "EXAMPLE-SECRET-0"  # noqa: S105 - printed in the page, refused as configuration
"""The secret of the page's worked example; refused as configuration by both sides (§2)."""


def canonical(pairs: Iterable[tuple[str, str]], secret: str) -> str:
    """Steps 2 to 5 of §2: without ``sign`` and empty values, sorted by the bytes of the key, values raw."""
    kept = sorted((name.encode("ascii"), name, value) for name, value in pairs if name != "sign" and value)
    return "&".join([*(f"{name}={value}" for _, name, value in kept), f"key={secret}"])


def sm3_hex(text: str, charset: str = "gb18030") -> str:
    """SM3 of the text's bytes as 64 upper-case hex characters (steps 6 to 8 of §2)."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(text.encode(charset))
    return digest.finalize().hex().upper()


def sign(pairs: Iterable[tuple[str, str]], secret: str) -> str:
    """The value of ``sign`` for these parameters."""
    return sm3_hex(canonical(pairs, secret))


def holds(pairs: list[tuple[str, str]], secret: str) -> bool:
    """Whether the parameters carry the right ``sign``; a missing, malformed or lower-case one does not hold."""
    given = next((value for name, value in pairs if name == "sign"), "")
    expected = sign(pairs, secret)
    return _SIGN.fullmatch(given) is not None and hmac.compare_digest(given.encode(), expected.encode())


def secret_fault(secret: str) -> str | None:
    """Why this secret is refused as configuration, or None (§1: at least 16 printable ASCII characters, no ``&=``)."""
    if secret == EXAMPLE_SECRET:
        return "the example's secret is no site's secret"
    if len(secret) < 16:
        return "the secret has fewer than 16 characters"
    if not all("!" <= character <= "~" and character not in "&=" for character in secret):
        return "the secret has characters other than printable ASCII without & and ="
    return None
