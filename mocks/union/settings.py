"""The configured values of the platform: the page's names and, for every limit and period, the page's value."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from mocks.union.digest import secret_fault

Text = Annotated[str, StringConstraints(min_length=1)]
Seconds = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]


class Settings(BaseModel):
    """One site's values. ``callback_timeout_s`` and the rate are real time, all other seconds the platform's clock's.

    ``organization_codes``: the organisations of this union; empty = all. ``result_delay_s``: how long an item waits for
    its result. ``unknown_xlh_every``: each n-th batch of results has an ``xlh`` that nobody sent (0 = none).
    ``answer_due_s``: how long the gateway has to answer a case that is handed over.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: str
    callback_url: Text
    app_key: Text
    secret: str
    organization_codes: tuple[str, ...] = ()
    request_limit: Count = 512 * 1024
    items_max: Count = 50
    rate_per_s: Annotated[float, Field(ge=0)] = 2
    clock_tolerance_s: Seconds = 300
    nonce_memory_s: Seconds = 900
    result_delay_s: Seconds = 5
    callback_timeout_s: Seconds = 8
    callback_waits_s: tuple[Seconds, ...] = (60, 300, 1800, 7200, 43200)
    unknown_xlh_every: Count = 10
    answer_due_s: Seconds = 3 * 24 * 3600
    region: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")] = "370000"

    @field_validator("secret")
    @classmethod
    def _strong(cls, value: str) -> str:
        if fault := secret_fault(value):
            raise ValueError(fault)
        return value


def fresh(address: str, callback_url: str) -> dict[str, Any]:
    """A configuration with a fresh secret and every number of the page; ``address`` is the mock's own."""
    settings = Settings(
        base_url=address, callback_url=callback_url, app_key="GH370000", secret=secrets.token_urlsafe(24)
    )
    return settings.model_dump(mode="json")
