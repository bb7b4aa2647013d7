"""The configured values of the platform: the page's names and, for every limit and period, the page's value."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

#: Stands for a token in the page's worked example; nobody's token (page §2).
EXAMPLE_TOKEN = "EXAMPLE-TOKEN-00"  # noqa: S105 -- refused as a configuration value


@dataclass(frozen=True, slots=True)
class Settings:
    """What the endpoint of the gateway has under the same names (the first five), and the platform's own numbers.

    ``paasid_organizations``: 机构编码 that may report; empty = every one. ``organization_codes`` may be pulled for.
    ``pull_scope``: ``organization`` = a pull brings the changes of the 机构编码 that asks, and each has its own
    ``pull_interval_s``; ``paasid`` = every pull brings all of ``organization_codes``, and the interval is common.
    ``gb18030_every``: each n-th reply is GB18030 (0 = none). ``page_limit``: most changes on a page, whatever is asked.
    Periods in seconds, hours or days as their names say; sizes in bytes.
    """

    base_url: str
    paasid: str
    token: str
    service_id: str
    organization_codes: tuple[str, ...]
    paasid_organizations: tuple[str, ...] = ()
    request_limit: int = 1024 * 1024
    reply_limit: int = 4 * 1024 * 1024
    rate_per_s: float = 10
    rate_retry_s: int = 1
    pull_interval_s: float = 5
    pull_scope: str = "organization"
    page_limit: int = 100
    cursor_days: float = 30
    reoffer_h: float = 24
    clock_tolerance_s: float = 300
    nonce_memory_s: float = 900
    gb18030_every: int = 3
    page_units: int = 1000
    pages_limit: int = 20
    region: str = "370102"
    sign_h: float = 72
    mediation_days: int = 15
    early_wait_ms: int = 300

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> Settings:
        """Raises ``ValueError`` naming the key that is missing, unknown or of a wrong form; never its value."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(config) - known):
            raise ValueError(f"one_stop: unknown key {', '.join(unknown)}")
        values = dict(config)
        for name in ("base_url", "paasid", "token", "service_id"):
            if not isinstance(values.get(name), str) or not values[name]:
                raise ValueError(f"one_stop: {name} is needed, a text")
        for name in ("organization_codes", "paasid_organizations"):
            codes = values.get(name, [])
            if not isinstance(codes, list | tuple) or not all(isinstance(code, str) and code for code in codes):
                raise ValueError(f"one_stop: {name} must be a list of texts")
            values[name] = tuple(codes)
        if not values["organization_codes"]:
            raise ValueError("one_stop: organization_codes is needed, a list of texts")
        for field in fields(cls):
            if field.type in ("int", "float") and field.name in values:
                number = values[field.name]
                if isinstance(number, bool) or not isinstance(number, int | float) or number < 0:
                    raise ValueError(f"one_stop: {field.name} must be a number, 0 or more")
        token = values["token"]
        if len(token) < 16 or not token.isascii() or not token.isprintable():
            raise ValueError("one_stop: token needs 16 or more ASCII characters")
        if token == EXAMPLE_TOKEN:
            raise ValueError("one_stop: token is the example of the page")
        if values.get("pull_scope", "organization") not in ("organization", "paasid"):
            raise ValueError("one_stop: pull_scope is organization or paasid")
        if not 1 <= values.get("page_limit", 100) <= 100:
            raise ValueError("one_stop: page_limit is 1 to 100")
        return cls(**values)


def fresh(base_url: str) -> dict[str, Any]:
    """A configuration with a fresh token and every number of the page."""
    settings = Settings(
        base_url=base_url,
        paasid="sdzz_gateway",
        token=secrets.token_urlsafe(24),
        service_id="dispute_exchange",
        organization_codes=("SD-JN-LX-001",),
    )
    values = {field.name: getattr(settings, field.name) for field in fields(Settings)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
