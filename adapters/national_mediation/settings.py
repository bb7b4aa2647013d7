"""What an operator configures for one endpoint of this platform (page §1), checked before the first exchange."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from adapters.address import PlatformAddress
from contracts.adapter import AdapterSettings

_LEAST_SECRET = 16
_SHARE = 0.9
"""Of the quota that filings may use: polls, tokens and look-ups count too."""

Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[!-~]+$")]


class NationalMediationSettings(AdapterSettings):
    """Configured values of the page, same names as on the platform's side. Periods in seconds."""

    base_url: PlatformAddress = Field(description="Address up to /ndm/v1: https, or http on loopback alone (接口地址)")
    auth_url: PlatformAddress = Field(description="Address of the token: …/oauth2/token (令牌地址)")
    jwks_url: PlatformAddress = Field(description="Address of the signing keys: …/.well-known/jwks.json (公钥地址)")
    client_id: Code = Field(description="Our client id (客户端标识)")
    client_secret: SecretStr = Field(description="Its secret, at least 16 ASCII characters (客户端密钥)")
    organizations: tuple[Code, ...] = Field(
        min_length=1, description="Organisations bound to the client, whose cases are handed over (调解组织代码)"
    )
    quota_per_minute: int = Field(600, gt=0, description="Calls in 60 s that the platform allows (调用配额)")
    poll_min_s: float = Field(5.0, gt=0, description="Shortest wait between two polls")
    poll_max_s: float = Field(900.0, gt=0, description="Longest wait between two polls")
    page_size: int = Field(100, ge=1, le=100, description="Changes asked for in one page")
    exchange_s: float = Field(30.0, gt=0, description="Most seconds of one exchange")
    upload_s: float = Field(120.0, gt=0, description="Most seconds of one upload or download of a file")
    file_limit: int = Field(20 * 1024 * 1024, gt=0, description="Most bytes of one file")

    @model_validator(mode="before")
    @classmethod
    def _paced(cls, values: Any) -> Any:  # Any: whatever stands in the configuration, judged field by field below
        """The engine's own limits follow the page's settings, unless they are given."""
        if not isinstance(values, dict):
            return values
        made = dict(values)
        quota = made.get("quota_per_minute", 600)
        if isinstance(quota, int) and quota > 0:
            made.setdefault("rate_per_s", quota / 60 * _SHARE)
        shortest, longest = made.get("poll_min_s", 5.0), made.get("poll_max_s", 900.0)
        if isinstance(shortest, int | float) and isinstance(longest, int | float):
            made.setdefault("poll_every_s", (shortest, longest))
        return made

    @field_validator("client_secret")
    @classmethod
    def _secret(cls, value: SecretStr) -> SecretStr:
        secret = value.get_secret_value()
        if not secret.isascii() or len(secret) < _LEAST_SECRET:
            raise ValueError(f"at least {_LEAST_SECRET} ASCII characters are needed")
        return value

    @field_validator("organizations")
    @classmethod
    def _distinct(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("an organisation is named twice")
        return value

    @model_validator(mode="after")
    def _polls(self) -> NationalMediationSettings:
        if self.poll_min_s > self.poll_max_s:
            raise ValueError("poll_min_s is longer than poll_max_s")
        return self

    @property
    def issuer(self) -> str:
        """Who signs tokens and receipts: scheme, host and port of ``auth_url`` (page §2)."""
        parts = urlsplit(self.auth_url)
        return f"{parts.scheme}://{parts.netloc}"
