"""Lengths as the platform counts them: UTF-16 code units (page §4), and its silent cut."""

from __future__ import annotations


def units(text: str) -> int:
    """The length of ``text`` in UTF-16 code units (𠮷 = 2)."""
    return len(text) + sum(character > "\uffff" for character in text)


def cut(text: str, limit: int) -> str:
    """The first ``limit`` UTF-16 units of ``text``.

    A surrogate pair at the limit is cut in half, as the page warns; the half that is left shows as U+FFFD, since no
    JSON reader could take it.
    """
    if units(text) <= limit:
        return text
    return text.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "replace")
