"""One object of the detail, or the row of the list, while it is written: value forms of page §1, §3, §4."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from adapters import entry
from adapters.enterprise_confederation.wire import one_line


class Entry(entry.TextEntry):
    """See ``adapters.entry``: coded values are Chinese words, money is yuan."""

    yes: ClassVar[str] = "是"
    no: ClassVar[str] = "否"

    def money(self, key: str, yuan: Decimal | None, pointer: str) -> None:
        """Yuan with exactly two decimals."""
        if yuan is not None:
            self.carried(pointer)
            self.fields[key] = f"{yuan:.2f}"


class Cells(Entry):
    """The row of the list: a text is on one line before it is measured."""

    def clean(self, key: str, value: str | None) -> str | None:
        """See ``adapters.entry.TextEntry.clean``."""
        found = super().clean(key, value)
        return None if found is None else one_line(found)
