"""What the operator configures for this platform: the values of page §1, checked before the first exchange."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints

from adapters.address import PlatformAddress
from contracts.adapter import AdapterSettings

_AppId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{8,32}$")]
_SignerId = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,64}$")]


class HrArbitrationSettings(AdapterSettings):
    """Settings of one ``hr_arbitration`` endpoint. Keys are hex, envelopes base64, as the platform hands them over."""

    base_url: PlatformAddress = Field(
        description="Address without the path: https, or http on loopback alone (平台地址)"
    )
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
