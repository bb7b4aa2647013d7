"""A platform's code table as people read it (码表): canonical values beside the platform's codes, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CodeTable:
    """``rows``: canonical value → the platform's code; ``other``: the code of values without a row; ``reads``: codes of the
    platform → canonical value, where that is not what ``rows`` says backwards. ``name`` is the platform's own."""

    name: str
    rows: Mapping[str, str]
    other: str | None = None
    reads: Mapping[str, str] = field(default_factory=dict)

    def value(self, code: str) -> str | None:
        """What a code of the platform reads as; ``None`` where the table does not know it."""
        found = self.reads.get(code)
        return found if found is not None else next((value for value, own in self.rows.items() if own == code), None)
