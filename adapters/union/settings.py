"""What an operator configures for one endpoint of this platform (page §1)."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, field_validator

from adapters.address import PlatformAddress
from adapters.settings import distinct
from contracts.adapter import AdapterSettings

_EXAMPLE_SECRET = "EXAMPLE-SECRET-0"  # noqa: S105  the word of the page's worked example, refused below
_SECRET = re.compile(r"[ -%'-<>-~]{16,}")
"""Printable ASCII but ``&`` and ``=``, which would move the borders inside the string that is signed."""

_AppKey = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
_OrganizationCode = Annotated[str, StringConstraints(min_length=1, max_length=32)]


class UnionSettings(AdapterSettings):
    """Configured values of the page, same names as on the platform's side."""

    base_url: PlatformAddress = Field(description="Address without /lda/…: https, or http on loopback alone (平台地址)")
    callback_url: str = Field(default="", description="Address that the platform calls back, as agreed with it")
    app_key: _AppKey = Field(description="Our application key, the same in both directions (appKey)")
    secret: SecretStr = Field(description="Shared secret of the digest: 16 printable ASCII characters or more (密钥)")
    organization_codes: Annotated[tuple[_OrganizationCode, ...], AfterValidator(distinct)] = Field(
        default=(), description="Organisations of this union; a status that names a case number is looked up under them"
    )
    exchange_s: float = Field(20.0, gt=0, description="Most seconds of one exchange with the platform")

    @field_validator("secret")
    @classmethod
    def _strong(cls, value: SecretStr) -> SecretStr:
        secret = value.get_secret_value()
        if not _SECRET.fullmatch(secret):
            raise ValueError("secret needs 16 printable ASCII characters or more, none of & and =")
        if secret == _EXAMPLE_SECRET:
            raise ValueError("secret is the word of the protocol page's example")
        return value
