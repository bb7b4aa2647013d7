"""One JSON object of ``NR`` while it is written: value forms of page §1 and §4."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

from adapters import entry


class Entry(entry.TextEntry):
    """See ``adapters.entry``: text in NFC (page §1), money in 万元."""

    def clean(self, key: str, value: str | None) -> str | None:
        found = super().clean(key, value)
        return None if found is None else unicodedata.normalize("NFC", found)

    def money(self, key: str, yuan: Decimal | None, pointer: str) -> None:
        """万元 with exactly six decimals."""
        if yuan is not None:
            self.carried(pointer)
            self.fields[key] = f"{yuan.scaleb(-4):.6f}"
