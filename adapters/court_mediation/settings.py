"""What the operator configures for this platform: the values of page §1, checked before the first exchange."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints, field_validator

from adapters.address import PlatformAddress
from contracts.adapter import AdapterSettings
from contracts.regions import has_region_form

_LEAST_KEY = 32
_KEY = re.compile(r"(?:[0-9a-fA-F]{2})+")

_Username = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,64}$")]
_Court = Annotated[str, StringConstraints(min_length=1, max_length=10, pattern=r"^\S+$")]
_Seconds = Annotated[float, Field(gt=0)]
_Bytes = Annotated[int, Field(gt=0)]


class CourtMediationSettings(AdapterSettings):
    """Settings of one ``court_mediation`` endpoint. Periods in seconds, limits in bytes."""

    base_url: PlatformAddress = Field(
        description="Address without /fayuan/…: https, or http on loopback alone (平台地址)"
    )
    callback_url: str = Field(default="", description="Address that the platform pushes to, as agreed with it")
    username: _Username = Field(description="Our account (用户名)")
    password: SecretStr = Field(min_length=1, description="Its password; never travels itself (密码)")
    callback_key: SecretStr = Field(description="Key of the pushes' signature: at least 32 bytes, in hex (推送密钥)")
    court_codes: dict[str, _Court] = Field(
        description="Courts that the account may use: region code to court code (行政区划代码 → 法院代码)"
    )
    exchange_s: _Seconds = Field(default=40.0, description="Most seconds of one exchange")
    upload_s: _Seconds = Field(default=120.0, description="Most seconds of one upload or download of a file")
    session_s: _Seconds = Field(default=7200.0, description="A session ends this long after its login")
    idle_s: _Seconds = Field(default=1200.0, description="A session ends after so long without a request")
    login_again_s: _Seconds = Field(
        default=150.0, description="No further login this long after a refused one: five in 10 minutes lock the account"
    )
    rate_wait_s: _Seconds = Field(default=10.0, description="Wait after the platform says that we are too fast (429)")
    upload_kept_s: _Seconds = Field(
        default=72_000.0, description="An uploaded file's id is used again this long; unlinked ids end after 24 h"
    )
    push_skew_s: _Seconds = Field(default=300.0, description="Most difference of a push's timestamp from our clock")
    nonce_kept_s: _Seconds = Field(default=900.0, description="A push's nonce is remembered this long")
    form_limit: _Bytes = Field(default=1024 * 1024, description="Most bytes of one form")
    file_limit: _Bytes = Field(default=20 * 1024 * 1024, description="Most bytes of one file or decision document")
    push_limit: _Bytes = Field(default=2 * 1024 * 1024, description="Most bytes of one push")

    @field_validator("callback_key")
    @classmethod
    def _key(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if not _KEY.fullmatch(text) or len(text) < 2 * _LEAST_KEY:
            raise ValueError(f"at least {_LEAST_KEY} bytes in hex are needed")
        if not any(bytes.fromhex(text)):
            raise ValueError("the zero bytes of the protocol page's example are no key")
        return value

    @field_validator("court_codes")
    @classmethod
    def _regions(cls, value: dict[str, str]) -> dict[str, str]:
        if not value or not all(has_region_form(region) for region in value):
            raise ValueError("region codes of 6, 9 or 12 digits are needed, at least one")
        return value

    @property
    def push_key(self) -> bytes:
        """The bytes of ``callback_key``."""
        return bytes.fromhex(self.callback_key.get_secret_value())
