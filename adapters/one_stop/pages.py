"""Text under the platform's lengths: UTF-16 units, continuation pages (续页), characters that XML forbids (page §4)."""

from __future__ import annotations

import re

PAGE_UNITS = 1000
"""The most UTF-16 code units of one continuation page."""

MOST_PAGES = 20
"""The most pages of one item, the item itself counted as page 1."""

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class TooLong(ValueError):
    """A text that even ``MOST_PAGES`` pages cannot hold."""


def units(text: str) -> int:
    """Length in UTF-16 code units: 𠮷 counts 2."""
    return len(text) + sum(character > "\uffff" for character in text)


def without_forbidden(text: str) -> str:
    """The text without the characters that XML 1.0 cannot carry (§2.2 of the recommendation; lone surrogates too)."""
    return _FORBIDDEN.sub("", text)


def pages(text: str, limit: int) -> tuple[str, ...]:
    """Split a text: first ``limit`` units, then ``PAGE_UNITS`` each; joined in order they are the text again.

    No surrogate pair is ever cut: that page ends one unit earlier.

    Raises:
        TooLong: more than ``MOST_PAGES`` pages.
    """
    # Every page but the last holds at least its limit less one unit; a longer text is refused without being walked.
    if len(text) > limit + (MOST_PAGES - 1) * PAGE_UNITS:
        raise TooLong
    found: list[str] = []
    start = used = 0
    room = limit
    for at, character in enumerate(text):
        width = 2 if character > "\uffff" else 1
        if used + width > room:
            found.append(text[start:at])
            start, used, room = at, 0, PAGE_UNITS
        used += width
    found.append(text[start:])
    if len(found) > MOST_PAGES:
        raise TooLong
    return tuple(found)
