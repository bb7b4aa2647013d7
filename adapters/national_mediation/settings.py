"""What an operator configures for one endpoint of this platform (page §1), checked before the first exchange."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, field_validator, model_validator

from adapters.address import PlatformAddress
from adapters.settings import PolledSettings, distinct

_LEAST_SECRET = 16
_SHARE = 0.9
"""Of the quota that filings may use: polls, tokens and look-ups count too."""

Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[!-~]+$")]


class NationalMediationSettings(PolledSettings):
    """Configured values of the page, same names as on the platform's side. Periods in seconds."""

    base_url: PlatformAddress = Field(description="Address up to /ndm/v1: https, or http on loopback alone (接口地址)")
    auth_url: PlatformAddress = Field(description="Address of the token: …/oauth2/token (令牌地址)")
    jwks_url: PlatformAddress = Field(description="Address of the signing keys: …/.well-known/jwks.json (公钥地址)")
    client_id: Code = Field(description="Our client id (客户端标识)")
    client_secret: SecretStr = Field(description="Its secret, at least 16 ASCII characters (客户端密钥)")
    organizations: Annotated[tuple[Code, ...], AfterValidator(distinct)] = Field(
        min_length=1, description="Organisations bound to the client, whose cases are handed over (调解组织代码)"
    )
    quota_per_minute: int = Field(600, gt=0, description="Calls in 60 s that the platform allows (调用配额)")
    page_size: int = Field(100, ge=1, le=100, description="Changes asked for in one page")
    exchange_s: float = Field(30.0, gt=0, description="Most seconds of one exchange")
    upload_s: float = Field(120.0, gt=0, description="Most seconds of one upload or download of a file")
    file_limit: int = Field(20 * 1024 * 1024, gt=0, description="Most bytes of one file")

    @model_validator(mode="before")
    @classmethod
    def _paced_by_quota(cls, values: Any) -> Any:  # Any: whatever is configured, judged field by field later
        """The engine's own rate follows the page's quota, unless it is given."""
        if not isinstance(values, dict):
            return values
        quota = values.get("quota_per_minute", cls.model_fields["quota_per_minute"].default)
        return {"rate_per_s": quota / 60 * _SHARE} | values if isinstance(quota, int) and quota > 0 else values

    @field_validator("client_secret")
    @classmethod
    def _secret(cls, value: SecretStr) -> SecretStr:
        secret = value.get_secret_value()
        if not secret.isascii() or len(secret) < _LEAST_SECRET:
            raise ValueError(f"at least {_LEAST_SECRET} ASCII characters are needed")
        return value

    @property
    def issuer(self) -> str:
        """Who signs tokens and receipts: scheme, host and port of ``auth_url`` (page §2)."""
        parts = urlsplit(self.auth_url)
        return f"{parts.scheme}://{parts.netloc}"
