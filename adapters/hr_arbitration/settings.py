"""What the operator configures for this platform: the values of page §1, checked before the first exchange."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, StringConstraints, field_validator

from contracts.adapter import AdapterSettings

_AppId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{8,32}$")]
_SignerId = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,64}$")]


class HrArbitrationSettings(AdapterSettings):
    """Settings of one ``hr_arbitration`` endpoint. Keys are hex, envelopes base64, as the platform hands them over."""

    base_url: str = Field(description="Address of the platform, without the path; HTTPS, or HTTP on loopback")
    callback_url: str = Field(default="", description="Address that the platform calls back, as agreed with it")
    appid: _AppId = Field(description="Our application id at the platform, the same in both directions")
    gateway_private_key: SecretStr = Field(description="Our SM2 private key, 64 hex digits")
    gateway_public_key: str = Field(description="Our SM2 public key, 130 or 128 hex digits")
    platform_public_key: str = Field(description="The platform's SM2 public key, 130 or 128 hex digits")
    gateway_signer_id: _SignerId = Field(
        default="1234567812345678", description="Signer ID (用户标识) that we sign under"
    )
    platform_signer_id: _SignerId = Field(
        default="SDHRSSLDZC370000", description="Signer ID (用户标识) that the platform signs under"
    )
    sm4_key_envelope: SecretStr = Field(description="The SM4 key under our public key: base64 of SM2 C1C3C2")
    sm4_key_envelope_previous: SecretStr | None = Field(
        default=None, description="The key before the last key change, for what still travels under it"
    )

    @field_validator("base_url")
    @classmethod
    def _https(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.query or parts.fragment or parts.username or not parts.hostname:
            raise ValueError("an address without user, query and fragment is needed")
        if parts.scheme != "https" and not (parts.scheme == "http" and _loopback(parts.hostname)):
            raise ValueError("HTTPS is needed; plain HTTP goes on loopback alone")
        return value.rstrip("/")


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
