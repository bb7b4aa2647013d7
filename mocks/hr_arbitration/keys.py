"""Keys, IDs and limits of one side of the exchange (hr_arbitration page §1, §2)."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from typing import Any

from mocks.hr_arbitration.sm2 import (
    Signer,
    Verifier,
    new_private_key,
    public_of,
    read_private_key,
    read_public_key,
    unwrap_key,
    wrap_key,
)


@dataclass(frozen=True, slots=True)
class Keys:
    """What the platform holds: its signer, the gateway's verifier, the SM4 keys for receiving (current one first)."""

    signer: Signer
    verifier: Verifier
    sm4: tuple[bytes, ...]


def default_config(base_url: str, callback_url: str) -> dict[str, Any]:
    """Fresh keys, the site's IDs, and every limit of the page."""
    gateway, platform, sm4_key = new_private_key(), new_private_key(), secrets.token_bytes(16)
    return {
        "base_url": base_url,
        "callback_url": callback_url,
        "appid": "SDTJ37000001",
        "gateway_private_key": gateway.hex(),
        "gateway_public_key": public_of(gateway).hex(),
        "platform_private_key": platform.hex(),
        "platform_public_key": public_of(platform).hex(),
        "gateway_signer_id": "1234567812345678",
        "platform_signer_id": "SDHRSSLDZC370000",
        "sm4_key": sm4_key.hex(),
        "sm4_key_envelope": base64.b64encode(wrap_key(sm4_key, public_of(gateway))).decode("ascii"),
        # §1 limits, in bytes, seconds, requests
        "upload_limit": 16 * 1024 * 1024,
        "request_limit": 2 * 1024 * 1024,
        "file_limit": 10 * 1024 * 1024,
        "rate_per_s": 20,
        "at_once": 8,
        "callback_timeout_s": 10,
        # §2 times, in seconds
        "clock_tolerance_s": 300,
        "nonce_memory_s": 900,
        # §5: waits before each repeat of a callback
        "callback_waits_s": [60, 300, 900, 3600, 21600, 86400],
        # §8.3: the days of a review application, and those a roll over a holiday may add
        "review_days": 15,
        "holiday_roll_days": 8,
        # empty = every address, every service, every commission
        "allowed_addresses": [],
        "allowed_services": [],
        "commissions": [],
    }


def read_keys(config: dict[str, Any]) -> Keys:
    """The platform's keys from a configuration. Raises ``ValueError`` for one that is wrong or fits no other."""
    platform = read_private_key(config["platform_private_key"])
    if read_public_key(config["platform_public_key"]) != public_of(platform):
        raise ValueError("platform_public_key is not that of platform_private_key")
    sm4 = [bytes.fromhex(config["sm4_key"])]
    if config.get("sm4_key_previous"):
        sm4.append(bytes.fromhex(config["sm4_key_previous"]))
    elif config.get("sm4_key_envelope_previous") and config.get("gateway_private_key"):
        sm4.append(_open(config, "sm4_key_envelope_previous"))
    if any(len(key) != 16 for key in sm4):
        raise ValueError("sm4_key is 32 hex digits")
    if config.get("gateway_private_key"):
        if public_of(read_private_key(config["gateway_private_key"])) != read_public_key(config["gateway_public_key"]):
            raise ValueError("gateway_public_key is not that of gateway_private_key")
        if _open(config, "sm4_key_envelope") != sm4[0]:
            raise ValueError("sm4_key_envelope does not hold sm4_key")
    return Keys(
        Signer(platform, config["platform_signer_id"].encode("utf-8")),
        Verifier(read_public_key(config["gateway_public_key"]), config["gateway_signer_id"].encode("utf-8")),
        tuple(sm4),
    )


def _open(config: dict[str, Any], name: str) -> bytes:
    wrapped = base64.b64decode(config[name], validate=True)
    return unwrap_key(wrapped, read_private_key(config["gateway_private_key"]))
