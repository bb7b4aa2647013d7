"""Masking of personal values in what people see: by what the document itself says is personal, and by the look of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

PERSONAL_KEYS = frozenset(
    {
        "name",
        "id_number",
        "phone",
        "detail",
        "birth_date",
        "account_name",
        "account_no",
        "bank",
        "occupation",
        "visitor",
        "representatives",
    }
)
"""Keys of canonical documents whose values are personal wherever they stand (the organisation's own name aside)."""

_LONG_NUMBER = re.compile(r"(?<![0-9A-Za-z_])[0-9０-９](?:[ \-－　]?[0-9０-９]){10,18}[XxＸｘ]?(?![0-9A-Za-z_])")


def mask(value: str) -> str:
    """First character kept of short values, three and two of long ones."""
    if len(value) <= 2:
        return value[:1] + "*" * (len(value) - 1)
    if len(value) <= 6:
        return value[:1] + "*" * (len(value) - 1)
    return value[:3] + "*" * (len(value) - 5) + value[-2:]


def personal_values(document: Any, inside: str = "") -> Iterator[str]:
    """Every personal value in a document's JSON."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key in PERSONAL_KEYS and inside not in ("organization", "authority"):
                yield from _texts(value)
            else:
                yield from personal_values(value, key)
    elif isinstance(document, list):
        for value in document:
            yield from personal_values(value, inside)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value:
        yield value
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            yield value.replace("-", "")
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, dict):
        yield from personal_values(value)


class Mask:
    """Masks JSON values that contain what one document holds as personal."""

    def __init__(self, *documents: Any) -> None:
        found = {value for document in documents for value in personal_values(document)}
        longest_first = sorted(found, key=lambda value: (-len(value), value))
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, value: str) -> str:
        """One string, masked."""
        if self._known is not None:
            value = self._known.sub(lambda found: mask(found.group()), value)
        return _LONG_NUMBER.sub(lambda found: mask(found.group()), value)

    def json(self, value: Any) -> Any:
        """Any JSON value, masked; numbers and keys are left."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.json(part) for part in value]
        if isinstance(value, dict):
            return {key: self.json(part) for key, part in value.items()}
        return value
