"""Whose word it is that is being applied (来源平台)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who said it: the endpoint and its adapter's name."""

    endpoint: str
    adapter: str
