"""The platform's configuration (page §1, §2): addresses, keys, the site's IDs, and every limit of the page."""

from __future__ import annotations

import base64
import secrets
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from mocks.hr_arbitration.sm2 import new_private_key, public_of, wrap_key

#: What a site has only after its SM4 key was changed.
PREVIOUS: Final = frozenset(("sm4_key_envelope_previous", "sm4_key_previous"))

Text = Annotated[str, StringConstraints(min_length=1)]
Seconds = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]


class Settings(BaseModel):
    """One site's values. Seconds are the platform's clock's, apart from ``callback_timeout_s`` and the rate (real time).

    ``upload_limit``: bytes of a TJ9002; ``request_limit``: of all others; ``file_limit``: of a file itself.
    ``callback_waits_s``: before each repeat of a callback (§5). ``review_days``: those of a review application, and
    ``holiday_roll_days`` what a roll over a holiday may add (§8.3). ``allowed_addresses``, ``allowed_services``,
    ``commissions``: empty = every one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: str
    callback_url: Text
    appid: Text
    gateway_private_key: str = ""
    gateway_public_key: Text
    platform_private_key: Text
    platform_public_key: Text
    gateway_signer_id: Text
    platform_signer_id: Text
    sm4_key: Text
    sm4_key_envelope: str = ""
    sm4_key_previous: str = ""
    sm4_key_envelope_previous: str = ""

    upload_limit: Count = 16 * 1024 * 1024
    request_limit: Count = 2 * 1024 * 1024
    file_limit: Count = 10 * 1024 * 1024
    rate_per_s: Annotated[float, Field(ge=0)] = 20
    at_once: Count = 8
    callback_timeout_s: Seconds = 10
    clock_tolerance_s: Seconds = 300
    nonce_memory_s: Seconds = 900
    callback_waits_s: tuple[Seconds, ...] = (60, 300, 900, 3600, 21600, 86400)
    review_days: Count = 15
    holiday_roll_days: Count = 8
    allowed_addresses: tuple[str, ...] = ()
    allowed_services: tuple[str, ...] = ()
    commissions: tuple[str, ...] = ()


def fresh(address: str, callback_url: str) -> dict[str, Any]:
    """A configuration with fresh keys of both sides and every number of the page; ``address`` is the mock's own."""
    gateway, platform, sm4_key = new_private_key(), new_private_key(), secrets.token_bytes(16)
    settings = Settings(
        base_url=address,
        callback_url=callback_url,
        appid="SDTJ37000001",
        gateway_private_key=gateway.hex(),
        gateway_public_key=public_of(gateway).hex(),
        platform_private_key=platform.hex(),
        platform_public_key=public_of(platform).hex(),
        gateway_signer_id="1234567812345678",
        platform_signer_id="SDHRSSLDZC370000",
        sm4_key=sm4_key.hex(),
        sm4_key_envelope=base64.b64encode(wrap_key(sm4_key, public_of(gateway))).decode("ascii"),
    )
    return settings.model_dump(mode="json", exclude=set(PREVIOUS))
