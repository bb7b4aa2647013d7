"""The configured values of the receiver: the page's settings (§8) and its limits (§1, §2)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]


class Settings(BaseModel):
    """One site's values.

    ``secrets``, ``public_keys``: keys that are trusted until ``POST /_mock/trust`` says others. ``request_limit``: bytes
    of an event; ``read_limit``: bytes that are read at all. ``grace_s``: how long after an answer the sender may not have
    seen it yet.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: str
    path: str = "/hooks/mediation"
    secrets: tuple[str, ...] = ()
    public_keys: tuple[str, ...] = ()
    request_limit: Count = 20_480
    read_limit: Count = 1024 * 1024
    clock_tolerance_s: Count = 300
    grace_s: Seconds = 0.5


def fresh(address: str) -> dict[str, Any]:
    """A configuration with every number of the page; ``address`` is the mock's own. No key is trusted before it is told."""
    return Settings(base_url=address).model_dump(mode="json")
