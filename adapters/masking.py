"""Privacy by recipient: identity numbers as the platforms of chambers and confederations may have them (page §4 of both)."""

from __future__ import annotations

_WHOLE = 18


def mask(number: str) -> str:
    """An identity number: of 18 characters the first 6 and last 4 stay, of others the first 2 and last 2, of 4 or fewer
    none. The length is kept."""
    if len(number) == _WHOLE:
        return number[:6] + "*" * 8 + number[-4:]
    if len(number) <= 4:
        return "*" * len(number)
    return number[:2] + "*" * (len(number) - 4) + number[-2:]
