"""The configured values of the platform: the page's names and, for every limit and period, the page's value."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

BASE: Final = "/ndm/v1"
TOKEN: Final = "/oauth2/token"  # noqa: S105 -- the address of the token endpoint
JWKS: Final = "/.well-known/jwks.json"

Text = Annotated[str, StringConstraints(min_length=1)]
Seconds = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]


class Settings(BaseModel):
    """One site's values. Seconds of quota, poll and waits are real time, all others the platform's clock's.

    ``organizations``: 机构编码 bound to the client. ``poll_max_s`` is the client's alone.
    ``allowed_ips``: addresses that may call; empty = every one.
    ``key_life_s``: how long a key signs before the next takes over (0 = for ever); ``key_lead_s`` a new key is shown
    before its first use, ``key_overlap_s`` an old one after its last. ``file_ready_s``: how long a paper of the clerk
    is not there yet. ``request_id_memory_s``: how long a repeated ``X-Request-Id`` is noticed (0 = never).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: Text
    auth_url: Text
    jwks_url: Text
    client_id: Text
    client_secret: Text
    organizations: Annotated[tuple[Text, ...], Field(min_length=1)]
    quota_per_minute: Count = 600
    poll_min_s: Seconds = 5
    poll_max_s: Seconds = 900

    uploads_per_minute: Count = 60
    quota_window_s: Annotated[float, Field(gt=0)] = 60
    at_once: Count = 4
    page_limit: Annotated[int, Field(ge=1, le=100)] = 100
    request_limit: Count = 1024 * 1024
    file_limit: Count = 20 * 1024 * 1024
    token_life_s: Count = 300
    key_bits: Annotated[int, Field(ge=2048)] = 2048
    key_life_s: Seconds = 0
    key_lead_s: Seconds = 300
    key_overlap_s: Seconds = 600
    clock_tolerance_s: Seconds = 60
    idempotency_days: Seconds = 30
    cursor_days: Seconds = 7
    answer_working_days: Count = 3
    statistics_first_day: Annotated[int, Field(ge=1, le=31)] = 1
    statistics_last_day: Annotated[int, Field(ge=1, le=31)] = 10
    request_id_memory_s: Seconds = 900
    retry_s: Count = 1
    file_ready_s: Seconds = 0
    early_wait_ms: Annotated[int, Field(ge=0)] = 300
    allowed_ips: tuple[Text, ...] = ()
    region: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")] = "370102"

    @property
    def issuer(self) -> str:
        """``iss`` of tokens and receipts: scheme, host and port of ``auth_url``."""
        address = urlsplit(self.auth_url)
        return f"{address.scheme}://{address.netloc}"


def fresh(address: str) -> dict[str, Any]:
    """A configuration with a fresh secret and every number of the page; ``address`` is the mock's own."""
    settings = Settings(
        base_url=f"{address}{BASE}",
        auth_url=f"{address}{TOKEN}",
        jwks_url=f"{address}{JWKS}",
        client_id="mediation-gateway",
        client_secret=secrets.token_urlsafe(32),
        organizations=("SD-JN-LX-001",),
    )
    return settings.model_dump(mode="json")
