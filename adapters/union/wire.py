"""The envelope (page §3): items and their rows as flat parameters, and a stranger's parameters as items and rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from contracts.adapter import Json

MOST_ITEMS = 1000
"""Items of a callback that are read. The platform sends 50 at most, but what is refused here is lost."""

_COUNT = re.compile(r"[1-9][0-9]{0,3}")
_ITEM = re.compile(r"i([0-9]+)(?:\..*)?", re.DOTALL)
_FIELD = re.compile(r"i([1-9][0-9]{0,3})\.([0-9A-Za-z]+)(?:\.([1-9][0-9]{0,4})\.([0-9A-Za-z]+))?")


def parameters(items: Iterable[Json]) -> dict[str, str]:
    """The items as ``i<k>.<field>`` and ``i<k>.<list>.<m>.<field>``, k and m from 1."""
    found: dict[str, str] = {}
    for number, item in enumerate(items, start=1):
        for name, value in item.items():
            if isinstance(value, list):
                for place, row in enumerate(value, start=1):
                    found |= {f"i{number}.{name}.{place}.{inner}": text for inner, text in row.items()}
            else:
                found[f"i{number}.{name}"] = value
    return found


@dataclass(frozen=True, slots=True)
class Row:
    """One item, or one row of a list inside it. What is absent and what is empty are the same."""

    fields: Mapping[str, str]
    lists: Mapping[str, Sequence[Row]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """The field exactly, ``""`` where there is none."""
        return self.fields.get(name, "")

    def rows(self, name: str) -> Sequence[Row]:
        """The rows of a list in the order of their numbers."""
        return self.lists.get(name, ())


def numbers_hold(received: Mapping[str, str]) -> bool:
    """Whether ``n`` is a number and the items are numbered from 1 to it without gaps (page §2: B2)."""
    count = received.get("n", "")
    if not _COUNT.fullmatch(count) or int(count) > MOST_ITEMS:
        return False
    named = {found[1] for name in received if (found := _ITEM.fullmatch(name))}
    return named == {str(number) for number in range(1, int(count) + 1)}


def items(received: Mapping[str, str]) -> list[Row]:
    """The items by number. Fields in excess are kept, parameters of another form are passed over."""
    flat: dict[int, dict[str, str]] = {}
    nested: dict[int, dict[str, dict[int, dict[str, str]]]] = {}
    for name, value in received.items():
        found = _FIELD.fullmatch(name)
        if found is None or not value:
            continue
        item = int(found[1])
        if found[3] is None:
            flat.setdefault(item, {})[found[2]] = value
        else:
            rows = nested.setdefault(item, {}).setdefault(found[2], {})
            rows.setdefault(int(found[3]), {})[found[4]] = value
    return [
        Row(
            flat.get(item, {}),
            {name: [Row(rows[place]) for place in sorted(rows)] for name, rows in nested.get(item, {}).items()},
        )
        for item in sorted(flat.keys() | nested.keys())
    ]
