"""The platform's configuration (court_mediation §1): addresses, secrets, courts, and every limit of the page."""

import secrets
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

_LEAST_KEY: Final = 32
_ENDPOINT: Final = "court_mediation"
_COURTS: Final[Mapping[str, str]] = {
    "370100": "鲁01",
    "370102": "鲁0102",
    "370103": "鲁0103",
    "370104": "鲁0104",
    "370105": "鲁0105",
    "370112": "鲁0112",
    "370113": "鲁0113",
    "370114": "鲁0114",
    "370115": "鲁0115",
    "370116": "鲁0116",
    "370117": "鲁0117",
    "370124": "鲁0124",
    "370126": "鲁0126",
}

Seconds = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]


class Settings(BaseModel):
    """One site's values. Seconds are the platform's clock's, apart from `answer_timeout_s` and the rate (real time)."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: str
    callback_url: str
    username: Annotated[str, StringConstraints(min_length=1)]
    password: Annotated[str, StringConstraints(min_length=1)]
    callback_key: str
    court_codes: Annotated[dict[str, str], Field(min_length=1)]

    form_limit: Count = 1024 * 1024
    file_limit: Count = 20 * 1024 * 1024
    rate_per_s: Count = 5
    session_idle_s: Seconds = 20 * 60
    session_life_s: Seconds = 2 * 60 * 60
    sessions: Annotated[int, Field(ge=1)] = 3
    clock_tolerance_s: Seconds = 300
    failures: Annotated[int, Field(ge=1)] = 5
    failure_window_s: Seconds = 10 * 60
    lock_s: Seconds = 30 * 60
    file_life_s: Seconds = 24 * 60 * 60
    index_lag_s: Seconds = 10
    link_life_s: Seconds = 600
    number_every: Count = 5
    callback_waits_s: tuple[Seconds, ...] = (30, 120, 600, 1800, 7200, 21600, 86400)
    callback_timeout_s: Seconds = 5
    answer_days: Count = 3
    delegated_days: Count = 30
    entrusted_days: Count = 15
    application_days: Count = 30
    roll_days: Count = 8

    @field_validator("callback_key")
    @classmethod
    def _strong_key(cls, value: str) -> str:
        key = bytes.fromhex(value)
        if len(key) < _LEAST_KEY:
            raise ValueError("callback_key must be at least 32 bytes in hex")
        if not any(key):
            raise ValueError("callback_key must not be zeros: that key stands on the page")
        return value

    @property
    def key(self) -> bytes:
        """The callback key after hex decoding."""
        return bytes.fromhex(self.callback_key)


def fresh(base_url: str, callbacks: str) -> dict[str, Any]:
    """A complete configuration with fresh secrets; `callbacks` is the gateway's address up to the endpoint name."""
    settings = Settings(
        base_url=base_url,
        callback_url=f"{callbacks.rstrip('/')}/{_ENDPOINT}/notify",
        username="mediation-gateway",
        password=secrets.token_urlsafe(24),
        callback_key=secrets.token_hex(_LEAST_KEY),
        court_codes=dict(_COURTS),
    )
    return settings.model_dump(mode="json")
