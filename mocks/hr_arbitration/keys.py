"""The keys of one side of the exchange, read from its settings (hr_arbitration page §2)."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from mocks.hr_arbitration.settings import Settings
from mocks.hr_arbitration.sm2 import (
    Signer,
    Verifier,
    public_of,
    read_private_key,
    read_public_key,
    unwrap_key,
)


@dataclass(frozen=True, slots=True)
class Keys:
    """What the platform holds: its signer, the gateway's verifier, the SM4 keys for receiving (current one first)."""

    signer: Signer
    verifier: Verifier
    sm4: tuple[bytes, ...]


def read_keys(settings: Settings) -> Keys:
    """The platform's keys. Raises ``ValueError`` for one that is wrong or fits no other."""
    platform = read_private_key(settings.platform_private_key)
    if read_public_key(settings.platform_public_key) != public_of(platform):
        raise ValueError("platform_public_key is not that of platform_private_key")
    gateway = read_private_key(settings.gateway_private_key) if settings.gateway_private_key else None
    sm4 = [bytes.fromhex(settings.sm4_key)]
    if settings.sm4_key_previous:
        sm4.append(bytes.fromhex(settings.sm4_key_previous))
    elif settings.sm4_key_envelope_previous and gateway is not None:
        sm4.append(_open(settings.sm4_key_envelope_previous, gateway))
    if any(len(key) != 16 for key in sm4):
        raise ValueError("sm4_key is 32 hex digits")
    if gateway is not None:
        if public_of(gateway) != read_public_key(settings.gateway_public_key):
            raise ValueError("gateway_public_key is not that of gateway_private_key")
        if _open(settings.sm4_key_envelope, gateway) != sm4[0]:
            raise ValueError("sm4_key_envelope does not hold sm4_key")
    return Keys(
        Signer(platform, settings.platform_signer_id.encode("utf-8")),
        Verifier(read_public_key(settings.gateway_public_key), settings.gateway_signer_id.encode("utf-8")),
        tuple(sm4),
    )


def _open(envelope: str, private_key: bytes) -> bytes:
    return unwrap_key(base64.b64decode(envelope, validate=True), private_key)
