"""Privacy and length of what the union is sent: masked numbers, texts cut to bytes of GB18030 (page §4)."""

from __future__ import annotations

import codecs
import re

from adapters.union.form import ENCODING
from contracts.identifiers import normal_identity_number

NUMBER = re.compile(r"[0-9０-９](?:[ \-－　]?[0-9０-９]){13,18}[XxＸｘ]?")
"""14 to 19 digits, half or full width, single blanks or hyphens between, an X at the end (page §4)."""

CUT_MARK = "…[略]"

_KEPT_BEFORE, _KEPT_AFTER = 3, 2
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_WITH_EXTENSION = re.compile(r"(0[0-9]{2,3})-?([0-9]{7,8})-([0-9]{1,6})")


def size(text: str) -> int:
    """Length in bytes of GB18030."""
    return len(text.encode(ENCODING))


def mask(number: str) -> str:
    """An identity number, normalised, with its first 3 and last 2 characters kept and the length with them; one of 5
    characters or less is masked whole."""
    plain = normal_identity_number(number)
    hidden = len(plain) - _KEPT_BEFORE - _KEPT_AFTER
    if hidden <= 0:
        return "*" * len(plain)
    return plain[:_KEPT_BEFORE] + "*" * hidden + plain[-_KEPT_AFTER:]


def mask_numbers(text: str) -> tuple[str, int]:
    """The text with every ``NUMBER`` masked, and how many were.

    Of a longer run of digits the kept ones may make a number with what follows them: so until none is left.
    """
    masked = 0
    while True:
        text, found = NUMBER.subn(lambda match: mask(match.group()), text)
        if not found:
            return text, masked
        masked += found


def cut(text: str, limit: int) -> tuple[str, int]:
    """The text within ``limit`` bytes, ended by ``CUT_MARK`` where it was cut at a character's border; and how many
    characters stayed behind."""
    raw = text.encode(ENCODING)
    if len(raw) <= limit:
        return text, 0
    # The incremental decoder holds back half a character; a plain one would read its second byte as a digit.
    kept = codecs.getincrementaldecoder(ENCODING)().decode(raw[: limit - size(CUT_MARK)])
    return kept + CUT_MARK, len(text) - len(kept)


def without_controls(text: str) -> str:
    """Control characters other than line feed as spaces."""
    return _CONTROL.sub(" ", text)


def spoken_phone(phone: str) -> str:
    """A landline with so long an extension that it would read as a ``NUMBER``, its extension after 转 (the platform
    refuses such a number in every field, but wants phones in full); any other phone as it is."""
    found = _WITH_EXTENSION.fullmatch(phone)
    if found is None or NUMBER.search(phone) is None:
        return phone
    return f"{found[1]}{found[2]}转{found[3]}"
