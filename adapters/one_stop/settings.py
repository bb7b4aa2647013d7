"""What an operator configures for one endpoint of this platform (page §1)."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, field_validator

from adapters.address import PlatformAddress
from adapters.settings import distinct
from contracts.adapter import AdapterSettings

_EXAMPLE_TOKEN = "EXAMPLE-TOKEN-00"  # noqa: S105  the word of the page's worked example, refused below
_LEAST_TOKEN = 16

Code = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")]


class OneStopSettings(AdapterSettings):
    """Configured values of the page, same names as on the platform's side."""

    base_url: PlatformAddress = Field(
        description="Address without /services/…: https, or http on loopback alone (平台地址)"
    )
    paasid: Code = Field(description="Client id at the provincial gateway (x-tif-paasid)")
    token: SecretStr = Field(description="Shared secret of the signature, at least 16 ASCII characters (令牌)")
    service_id: Code = Field(description="Service id that belongs to the paasid (x-tif-serviceId)")
    organization_codes: Annotated[tuple[Code, ...], AfterValidator(distinct)] = Field(
        min_length=1, description="Organisations whose assigned cases are pulled (机构编码)"
    )
    page_size: int = Field(100, ge=1, le=100, description="Changes asked for in one pull (每页条数)")
    exchange_s: float = Field(30.0, gt=0, description="Most seconds of one exchange with the platform")

    @field_validator("token")
    @classmethod
    def _secret(cls, value: SecretStr) -> SecretStr:
        token = value.get_secret_value()
        if not token.isascii() or len(token) < _LEAST_TOKEN:
            raise ValueError(f"token needs at least {_LEAST_TOKEN} ASCII characters")
        if token == _EXAMPLE_TOKEN:
            raise ValueError("token is the word of the protocol page's example")
        return value
